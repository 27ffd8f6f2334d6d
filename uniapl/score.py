"""`python -m uniapl.score`: the stage score (uniapl/scorers). `from uniapl import score` is the function."""

from uniapl.scorers.command import main

if __name__ == "__main__":
    main()
