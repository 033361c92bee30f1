"""The server's own records, on either platform: an audit of changes with their previous values, and approvals."""
