"""The paper's staged comparison: with and without the adversarial term in each stage, beside the single stage."""

from pathlib import Path

import pandas as pd

from figures import points, style
from figures.scores import panels

NEEDS = ("staged", "unified")


def draw(results: Path):
    """Dots with intervals: a panel per benchmark, a row per arm of the experiments staged and unified."""
    tables, paths = zip(*(points.accuracy(results, name) for name in ("staged", "unified")), strict=True)
    fig, caption = panels(pd.concat(tables).drop_duplicates(["arm", "benchmark"]))
    return fig, f"{caption} A-: with the adversarial term.", list(paths)


if __name__ == "__main__":
    style.main(draw)
