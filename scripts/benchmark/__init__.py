"""What the program costs, as ratios to bare servers measured in the same run, and counts of what a model reads."""
