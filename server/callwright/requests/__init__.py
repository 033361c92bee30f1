"""Build the platform's request documents from the arguments of tools."""
