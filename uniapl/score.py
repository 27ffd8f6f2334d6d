"""`python -m uniapl.score`: the stage score (uniapl/scorers). The function is `uniapl.scorers.score`."""

from uniapl.scorers.command import main

if __name__ == "__main__":
    main()
