"""Checkpoints: where they are loaded from, on which devices they run, and what they think of a text."""
