"""`python -m uniapl.scorers`, or `uniapl score`: stage score (uniapl/scorers/verdicts.py)."""

from uniapl.scorers.verdicts import main

if __name__ == "__main__":
    main()
