"""Checks of documents, calls and requests, made before anything is stored or done."""
