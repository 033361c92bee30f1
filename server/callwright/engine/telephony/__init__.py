"""Telephony: the requests to telephone providers."""
