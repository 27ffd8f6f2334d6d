"""Stage tables: the analysis for readers, each table once as data and rendered three times.

`python -m uniapl.tables --analysis results/local/tiny/analyse/headline --out FOLDER` writes every table of
views.VIEWS, such as main, comparisons and claims, as

    .csv   the rows of the analysis, rounded
    .md    a compact table for the README
    .tex   the same table for a paper, no wider than its column; the document must load booktabs and graphicx

Every number in the cells of the .md and the .tex is a string of the .csv. What is not defined stays blank; what a run
that was planned and is not there would have given is "missing".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import checksums
from uniapl.tables.columns import ADDED_TABLE, number, rounded, with_missing
from uniapl.tables.form import View, escape, latex, markdown
from uniapl.tables.views import VIEWS

__all__ = ["VIEWS", "View", "escape", "latex", "main", "markdown", "number", "render", "rounded", "write"]


def render(analysis: Path, out: Path) -> None:
    """Write every table in its three formats. Raises UserError where the analysis lacks a file or column."""
    tables = {}
    for name in ("runs", *VIEWS):
        path = analysis / f"{name}.csv"
        if name == ADDED_TABLE and not path.is_file():
            continue
        if not path.is_file():
            raise UserError(f"{path}: no such file; run the stage analyse first")
        checksums.check(path)
        tables[name] = pd.read_csv(path)
    out.mkdir(parents=True, exist_ok=True)
    for name in tables.keys() - {"runs"}:
        text = with_missing(name, rounded(name, tables[name]), tables["runs"])
        write(name, text, VIEWS[name](text), out, f"{analysis.name}-{name}")


def write(name: str, text: pd.DataFrame, view: View, out: Path, label: str) -> None:
    """One table in its three formats: all of `text` as .csv, the view of it as .md and .tex."""
    text.to_csv(out / f"{name}.csv", index=False)
    (out / f"{name}.md").write_text(markdown(view), encoding="utf-8")
    (out / f"{name}.tex").write_text(latex(view, label), encoding="utf-8")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line of stage tables."""
    parser = argparse.ArgumentParser(description="Tables of one analysis as .csv, .md and .tex.")
    parser.add_argument("--analysis", type=Path, required=True, help="folder with the CSV files of an analysis")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    args = parser.parse_args(argv)
    render(args.analysis, args.out)
    checksums.record(args.out)
