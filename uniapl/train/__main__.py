"""`python -m uniapl.train`: stage train (uniapl/train/training.py)."""

from uniapl.models.startup import without

if __name__ == "__main__":
    without("peft", "scipy", "sklearn")
    from uniapl.train.training import main

    main()
