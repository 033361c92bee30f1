"""The commands of the command line, as functions. Only `cli.py` reads arguments and environment, and calls them."""
