"""Pronunciation dictionaries: how they are read, and what they make of a text. Without a network, clock or database."""
