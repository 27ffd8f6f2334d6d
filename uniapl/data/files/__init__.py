"""A world of your own files: prompts for training, validation and test; demonstrations and an expert are optional."""
