"""What documents are made of: their text, read from files and pages, and the chunks that it is cut into."""
