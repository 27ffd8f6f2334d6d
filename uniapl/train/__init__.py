"""Stage train: one run, from its start checkpoint to its own checkpoint, history and card."""
