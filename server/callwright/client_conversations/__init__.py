"""Conversations that stay open between calls: which there are, and one of them."""
