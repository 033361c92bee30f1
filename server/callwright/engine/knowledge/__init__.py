"""The content of documents: text extracted from files and web pages, and its division into chunks."""
