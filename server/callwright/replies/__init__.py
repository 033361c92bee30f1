"""What tools answer: views, their text, chosen parts, masked secrets."""
