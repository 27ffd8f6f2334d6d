"""A table as data, and how it is written: Markdown for the README, LaTeX for a paper."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

LINES = 42  # of cells that fit a page of an article, below a long caption
INTERVALS = 2  # in a row that have the type of the rest; more would not fit a line
CHARACTERS = 90  # of prose in a line as wide as the page, at this size of type
LONG_NAME = re.compile(r"\w{30,}")
NEWLINE = r"\\"
PIECE = re.compile(r"\w{1,16}$|\w{1,15}_|\w{16}")  # of a long name, one a line


@dataclass(frozen=True)
class View:
    """What .md and .tex show: a caption, column heads and one string per cell.

    In the .tex, whose lines are narrow, the columns of sentences in `prose` break into lines, within that share of the
    line, and with `grouped` the first column becomes a heading above the rows that share it.
    """

    caption: str
    head: list[str]
    rows: list[list[str]]
    prose: Mapping[str, float] = field(default_factory=dict)
    grouped: bool = False


def _numeric(view: View) -> list[bool]:
    """For each column: does a cell begin with a number?"""
    return [any(re.match(r"\[?-?\d", row[i]) for row in view.rows) for i in range(len(view.head))]


def markdown(view: View) -> str:
    """A pipe table, words left and numbers right, its caption below."""
    rows = [[cell.replace("|", r"\|") for cell in row] for row in (view.head, *view.rows)]
    rows.insert(1, ["--:" if numeric else ":--" for numeric in _numeric(view)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{view.caption}\n"


def latex(view: View, label: str) -> str:
    """Table environments; the document must load booktabs and graphicx. They shrink where wider than a line.

    A name of 30 letters or more is broken behind underscores into lines of at most 16: a whole one would shrink all.
    Rows that do not fit one page go on in further environments, under the same number and with the head again.
    """
    numeric = dict(zip(view.head, _numeric(view), strict=True))
    columns_shown = view.head[1:] if view.grouped else view.head
    columns = "".join("r" if numeric[n] and n not in view.prose else "l" for n in columns_shown)
    head = " & ".join(_stacked(name, numeric[name]) for name in columns_shown) + r" \\"
    environments = []
    for part, rows in enumerate(_pages(view)):
        again = [r"\addtocounter{table}{-1}", r"\caption{(continued)}"]
        first = [rf"\caption{{{escape(view.caption)}}}\label{{tab:{label}}}"]
        environments += [
            r"\begin{table}",
            r"\centering\scriptsize\setlength{\tabcolsep}{2pt}",
            *(again if part else first),
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            r"\midrule",
            *_body(view, columns_shown, rows),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    return "\n".join(environments)


def _pages(view: View) -> list[list[list[str]]]:
    """The rows, cut into parts of about equal height that fit a page; no row is cut, and no rows are one part."""
    heights, group = [], None
    for row in view.rows:
        cells = dict(zip(view.head, row, strict=True))
        lines = [math.ceil(len(cells[n]) / (share * CHARACTERS)) + 0.5 for n, share in view.prose.items()]
        lines += [len(_lines(cells[n])) for n in view.head[view.grouped :] if n not in view.prose]
        heights.append(max(lines, default=1) + 1.5 * (view.grouped and row[0] != group))
        group = row[0]
    parts = max(1, math.ceil(sum(heights) / LINES))
    pages = [[] for _ in range(parts)]
    for row, height, below in zip(view.rows, heights, accumulate(heights), strict=True):
        pages[int((below - height / 2) / sum(heights) * parts)].append(row)
    return [page for page in pages if page] or [[]]


def _body(view: View, columns_shown: list[str], rows: list[list[str]]) -> list[str]:
    """The lines between \\midrule and \\bottomrule."""
    short = [i for i, name in enumerate(view.head) if name not in view.prose]
    quiet = max((sum("[" in row[i] for i in short) for row in rows), default=0) > INTERVALS
    body, group = [], None
    for row in rows:
        cells = dict(zip(view.head, row, strict=True))
        if view.grouped and row[0] != group:
            group = row[0]
            body += [r"\addlinespace"] if body else []
            body.append(rf"\multicolumn{{{len(columns_shown)}}}{{l}}{{\itshape {escape(group)}}} \\[1pt]")
        body.append(" & ".join(_cell(cells[name], view.prose.get(name), quiet) for name in columns_shown) + r" \\")
        body += [r"\addlinespace"] if view.prose else []
    return body


def _cell(text: str, share: float | None, quiet: bool = False) -> str:
    """A cell, broken into lines within a share of the line where one is given; `quiet`: intervals in smaller type."""
    if not share and len(_lines(text)) > 1:
        return rf"\begin{{tabular}}[t]{{@{{}}l@{{}}}}{NEWLINE.join(map(escape, _lines(text)))}\end{{tabular}}"
    if not share:
        return re.sub(r"\[.*?\]", lambda match: rf"{{\tiny {match[0]}}}", escape(text)) if quiet else escape(text)
    breakable = escape(text).replace(r"\_", r"\_\allowbreak{}")  # names of arms are long words
    return rf"\parbox[t]{{{share}\linewidth}}{{\raggedright {breakable}\strut}}"


def _lines(text: str) -> list[str]:
    """The text, with each long name in lines of its own."""
    return LONG_NAME.sub(lambda name: "\n" + "\n".join(PIECE.findall(name[0])), text).strip().split("\n")


def _stacked(head: str, numeric: bool) -> str:
    """A column's head of several words on two lines, broken so that the longer one is as short as can be."""
    words = head.split(" ")
    lines = [head]
    if len(words) > 1 and len(escape(head)) >= 12:
        breaks = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
        lines = min(breaks, key=lambda lines: max(len(escape(line)) for line in lines))
    lines = [escape(piece) for line in lines for piece in _lines(line)]
    return lines[0] if len(lines) == 1 else rf"\shortstack[{'r' if numeric else 'l'}]{{{NEWLINE.join(lines)}}}"


def escape(text: str) -> str:
    """Text for LaTeX: special characters escaped, negative numbers with a real minus."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    text = re.sub(r"[\\~^&%$#_{}]", lambda match: special.get(match[0], "\\" + match[0]), text)
    return re.sub(r"(?<![\w.-])-(?=\d)", "$-$", text)
