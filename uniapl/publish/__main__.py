"""`python -m uniapl.publish`: a finished run becomes a published set (uniapl/publish/publish.py)."""

from uniapl.publish.publish import main

if __name__ == "__main__":
    main()
