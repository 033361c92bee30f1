"""What the server itself remembers, on either platform: changes with their previous value, and approvals."""
