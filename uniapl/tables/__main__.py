"""`python -m uniapl.tables`."""

from uniapl.tables import main

if __name__ == "__main__":
    main()
