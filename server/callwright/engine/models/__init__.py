"""Language models: which endpoint answers for which name."""
