"""The bodies of the commands. `cli.py` alone reads arguments and environment, and calls one of them."""
