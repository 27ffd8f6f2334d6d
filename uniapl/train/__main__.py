"""`python -m uniapl.train`: stage train (uniapl/train/training.py)."""

from uniapl.models.startup import without


def main(argv: list[str] | None = None) -> None:
    """The stage's command line, in a process without packages that it does not use."""
    without("peft", "scipy", "sklearn")
    from uniapl.train import training

    training.main(argv)


if __name__ == "__main__":
    main()
