"""Principals of HTTP requests, the scopes of their tokens, and the tenants that they belong to."""
