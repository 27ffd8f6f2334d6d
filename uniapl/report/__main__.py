"""The command line of stage report.

    python -m uniapl.report --results results/published/tiny --figures figures/out/published/tiny --out report.html

The file needs no network and no JavaScript to be read: claims first, then each experiment with its tables and figures,
the run cards, the settings of every arm with their sources, and the environment. What the set lacks is named as
missing. Equal results and figures give an equal file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from uniapl.errors import one_line_errors
from uniapl.report.page import render
from uniapl.report.read import read


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="a published or a local set, named like its scale")
    parser.add_argument("--figures", type=Path, required=True, help="folder with the figures of that set")
    parser.add_argument("--out", type=Path, required=True, help="the HTML file")
    parser.add_argument("--extended", action="store_true", help="of a local set the extended experiments too")
    args = parser.parse_args(argv)
    page = render(read(args.results, args.extended), args.figures)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page, encoding="utf-8")
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
