"""What the Snakefile needs of Python: the choice of a scale, targets, what a job may use."""
