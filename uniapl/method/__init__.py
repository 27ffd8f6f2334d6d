"""The method: its objective, its trainer, and the engine that computes what the trainer defines."""
