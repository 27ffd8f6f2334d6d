"""`python -m uniapl.scorers`, or `uniapl score`: stage score (uniapl/scorers/command.py)."""

from uniapl.scorers.command import main

if __name__ == "__main__":
    main()
