"""Models: checkpoints and where they are from."""
