"""Results of tools: views and their text, selected parts, masked secrets."""
