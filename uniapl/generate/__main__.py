"""`python -m uniapl.generate`: stage generate (uniapl/generate/responses.py)."""

from uniapl.models.startup import without


def main(argv: list[str] | None = None) -> None:
    """The stage's command line, in a process without packages that it does not use."""
    without("peft", "sklearn")
    from uniapl.generate import responses

    responses.main(argv)


if __name__ == "__main__":
    main()
