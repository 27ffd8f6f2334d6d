"""Prompts and demonstrations: where they come from, what a row must hold, and how they become a world's files."""
