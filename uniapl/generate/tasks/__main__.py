"""Prints the folder of the tasks, for lm-eval's --include_path."""

from pathlib import Path

if __name__ == "__main__":
    print(Path(__file__).resolve().parent)
