"""Stage score: what responses earn, instruction by instruction.

`python -m uniapl.score --prompts P.jsonl --responses R.jsonl --out scores.csv` reads

    prompts      JSON Lines in IFEval's form: key, prompt, instruction_id_list, kwargs, and benchmark if any
    responses    JSON Lines or Parquet: response, and key or prompt or both

writes one row per instruction, as CSV or Parquet by the name's ending

    key, [benchmark,] index (in the prompt's list, from 0), instruction_id, strict, loose (1 is followed)

and prints IFEval's four figures as one JSON object; with --format a report instead, with intervals, by category and
by type (uniapl/scorers/reports.py). Without --out nothing is written. Unless every prompt has exactly one response,
nothing is written and the exit code is 2. Several responses files, with as many outputs in their order, are one call:
starting Python takes longer than scoring a file.

`--responses A.jsonl B.jsonl --compare` prints how two of them differ on the same prompts
(uniapl/scorers/comparison.py).

`--family multi_if` reads Multi-IF's file as prompts and responses with key, turn (1 to 3) and response; a turn is
scored by all instructions so far, and the rows and figures are by turn (uniapl/scorers/multi_if.py). `--list` prints
every instruction type with its arguments instead (uniapl/scorers/instruction_types.py).

Prompts and responses are read, and scores written, in pieces: their number is limited by the room in TMPDIR, not by
memory (uniapl/scorers/match.py). --format and --compare keep every verdict in memory, Multi-IF all its responses too.
"""

import argparse
import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import pandas as pd

from uniapl.checkers.families import BY_NAME
from uniapl.checkers.version import version
from uniapl.data.conversations import read_conversations
from uniapl.data.prompts import each_prompt
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import checksums
from uniapl.scorers import instruction_types, multi_if
from uniapl.scorers.files import ENDINGS, writing
from uniapl.scorers.match import Pairs
from uniapl.scorers.responses import each_response, without_thinking
from uniapl.scorers.verdicts import Totals, each_piece

FORMATS = ("json", "md", "csv")
LONG = 200  # prompts from which on a terminal shows a progress bar: about half a second


def progress(title: str) -> Callable[[Collection], Iterable]:
    """`watch` of the scores: a bar on stderr where that is a terminal and the file is long, nothing elsewhere."""

    def watch(work: Collection) -> Iterable:
        if len(work) < LONG or not sys.stderr.isatty():
            return iter(work)
        from rich.console import Console
        from rich.progress import track

        return track(work, description=title, total=len(work), console=Console(file=sys.stderr), transient=True)

    return watch


@contextlib.contextmanager
def scorer(prompts: Path, family: str | None) -> Iterator[Callable[[Path, Iterable[dict]], Iterator[pd.DataFrame]]]:
    """A function of a responses file's name and rows: the verdicts in pieces (of Multi-IF in one)."""
    if family == "multi_if":
        conversations = read_conversations(prompts)

        def pieces(path: Path, rows: Iterable[dict]) -> Iterator[pd.DataFrame]:
            rows = list(rows)
            try:
                yield multi_if.score(conversations, multi_if.join(conversations, rows), watch=progress(path.name))
            except UserError as error:
                raise UserError(f"{path}: {error}") from error

        yield pieces
        return
    with Pairs(each_prompt(prompts, family), prompts) as pairs:

        def pieces(path: Path, rows: Iterable[dict]) -> Iterator[pd.DataFrame]:
            pairs.answer(rows, path)
            yield from each_piece(pairs, watch=progress(path.name))

        yield pieces


def check_paths(prompts: Path, responses: list[Path], out: list[Path]) -> None:
    """Raise UserError unless there is no output, or one for each responses file that is no input and no other's."""
    if out and len(responses) != len(out):
        raise UserError(f"{len(responses)} --responses and {len(out)} --out: name an output for each")
    reserved = {path.resolve() for path in (prompts, *responses)}
    for path in out:
        if path.suffix not in ENDINGS:
            raise UserError(f"{path}: must end in {' or '.join(ENDINGS)}")
        if path.resolve() in reserved:
            raise UserError(f"{path}: is an input or another output, and would be overwritten")
        reserved.add(path.resolve())


def render(frames: dict[Path, pd.DataFrame], form: str | None, compared: bool) -> str:
    """The report on the score frames, by their responses file, or how two of them differ."""
    if compared:  # these import SciPy, which costs as much as scoring a file: only where they are asked for
        from uniapl.scorers import comparison

        (a, first), (b, second) = frames.items()
        return comparison.render(comparison.compare(first, second), form or "md", str(a), str(b))
    from uniapl.scorers import reports

    return reports.render({str(path): reports.report(frame) for path, frame in frames.items()}, form)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--responses", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, nargs="+", default=[], help="a file of scores per responses file")
    parser.add_argument("--compare", action="store_true", help="how two responses files differ, paired by prompt")
    parser.add_argument("--family", choices=tuple(BY_NAME), help="the only family whose instructions may occur")
    parser.add_argument("--format", choices=FORMATS, help="print the report (others: default md) in this format")
    parser.add_argument("--record", action="store_true", help="write checksums and checkers.json, their version, too")
    parser.add_argument(
        "--strip-thinking", action="store_true", help="score without a <think>...</think> before the answer"
    )
    parser.add_argument("--list", action="store_true", help="the instruction types (of --family) and their arguments")
    return parser


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    args = parser().parse_args(argv)
    if args.list:
        print(instruction_types.render(instruction_types.types(args.family), args.format or "md"))
        return
    if args.prompts is None or not args.responses:
        raise UserError("needs --prompts and --responses, or --list")
    check_paths(args.prompts, args.responses, args.out)
    if len({path.resolve() for path in args.responses}) < len(args.responses):
        raise UserError("--responses names a file twice")
    if args.record and not args.out:
        raise UserError("--record needs --out: the version is written beside the scores")
    if args.compare and len(args.responses) != 2:
        raise UserError(f"--compare needs two --responses, not {len(args.responses)}")
    whole = bool(args.compare or args.format)  # what is printed then takes every verdict, not their totals
    frames, summaries = {}, []
    with scorer(args.prompts, args.family) as pieces, contextlib.ExitStack() as outputs:
        for path, out in itertools.zip_longest(args.responses, args.out):
            rows = each_response(path)
            totals, kept, add = Totals(), [], None
            for piece in pieces(path, without_thinking(rows) if args.strip_thinking else rows):
                if out and not add:
                    add = outputs.enter_context(writing(out))
                if add:
                    add(piece)
                totals.add(piece)
                kept += [piece] if whole else []
            summaries.append(totals.summary())
            frames |= {path: pd.concat(kept, ignore_index=True)} if whole else {}
    for path in args.out if args.record else ():
        (path.parent / "checkers.json").write_text(json.dumps({"checkers": version()}) + "\n", encoding="utf-8")
        checksums.record(path, path.parent / "checkers.json")
    print(render(frames, args.format, args.compare) if whole else "\n".join(map(json.dumps, summaries)))
