"""Stage generate: what checkpoints answer, to the test prompts, to general benchmarks and in conversations."""
