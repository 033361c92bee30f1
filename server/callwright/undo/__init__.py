"""What a change replaced, and how it is put back."""
