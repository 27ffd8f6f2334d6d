"""What is asked: one file per experiment, and the scales at which it can be asked."""
