"""Pronunciation dictionaries: parsing, writing and application to a text. No network, clock or database."""
