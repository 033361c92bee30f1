"""What the program tells of itself to whoever runs it: log lines and spans. Never what people say, or secrets."""
