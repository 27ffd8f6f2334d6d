"""UniAPL-repro: one objective, three terms, and the evidence for what each of them does."""

__version__ = "0.1.0"
