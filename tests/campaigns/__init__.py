"""Attacks on the whole program, by the thousand and from a seed: `scripts/soak`, and in short with the tests."""
