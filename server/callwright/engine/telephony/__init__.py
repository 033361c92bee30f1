"""What a telephone provider is asked."""
