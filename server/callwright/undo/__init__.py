"""Preview the differences that a change makes, and undo recorded changes."""
