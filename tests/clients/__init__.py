"""Clients of years ago, as they were released, against this server."""
