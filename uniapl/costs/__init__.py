"""What a scale costs before it is run: memory, time, disk and tokens, each from a named formula. Imports no torch."""
