"""`python -m uniapl.generate`: stage generate (uniapl/generate/responses.py)."""

from uniapl.models.startup import without

if __name__ == "__main__":
    without("peft", "sklearn")
    from uniapl.generate.responses import main

    main()
