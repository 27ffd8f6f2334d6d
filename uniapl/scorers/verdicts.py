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

`--responses A.jsonl B.jsonl --compare` prints how two of them differ on the same prompts (scorers/comparison.py).

`--family multi_if` reads Multi-IF's file as prompts and responses with key, turn (1 to 3) and response; a turn is
scored by all instructions so far, and the rows and figures are by turn (uniapl/scorers/multi_if.py). `--list` prints
every instruction type with its arguments instead (uniapl/scorers/instruction_types.py).
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet

from uniapl import checkers
from uniapl.checkers.version import version
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl, writable
from uniapl.scorers import instruction_types, multi_if

PROMPT_FIELDS = {"key": (int, str), "prompt": str, "instruction_id_list": list, "kwargs": list}
ENDINGS = (".csv", ".parquet")
FORMATS = ("json", "md", "csv")
LONG = 200  # prompts from which on a terminal shows a progress bar: about half a second


def _name(row: dict) -> str:
    """How a message names a row: by its key, or else by its prompt's first words."""
    if row.get("key") is not None:
        return f"key {row['key']}"
    return f"prompt {' '.join(str(row.get('prompt')).split()[:8])!r}"


def _refuse(rows: list[dict], of: int, problem: str) -> None:
    """Raise UserError with a count and the first names, unless `rows` is empty."""
    if rows:
        names = list(dict.fromkeys(map(_name, rows)))
        raise UserError(f"{len(rows)} of {of} {problem}: {', '.join(names[:3])}{', ...' if names[3:] else ''}")


def _of_family(instruction_id: object, family: str, where: str) -> None:
    """Raise UserError where another family than `family` has the id; an id of none is `build`'s to refuse.

    An id with "~fixed" is of the family of the one that it mends.
    """
    plain = str(instruction_id).removesuffix("~fixed")
    owners = [name for name, ids in checkers.FAMILIES.items() if plain in ids]
    if owners and family not in owners:
        raise UserError(
            f"{where}: {instruction_id} belongs to {' and '.join(owners)}, not to {family}: change --family"
        )


def valid_prompts(rows: list[dict], where: str | Path, family: str | None = None) -> list[dict]:
    """`rows`, once every one has valid fields and instructions (of `family`, where given) and a key of its own.

    Raises UserError that names `where` and the row's key or number.
    """
    for number, row in enumerate(rows, start=1):
        here = f"{where}: row {number}, {_name(row)}"
        for field, kind in PROMPT_FIELDS.items():
            if not isinstance(row.get(field), kind):
                raise UserError(f"{here}: {field} is missing or of a wrong type")
        if not row["instruction_id_list"] or not all(isinstance(kwargs, dict) for kwargs in row["kwargs"]):
            raise UserError(f"{here}: needs at least one instruction, and an object of kwargs for each")
        for instruction_id in row["instruction_id_list"] if family else ():
            _of_family(instruction_id, family, here)
        if not isinstance(row.get("benchmark"), str | None):
            raise UserError(f"{here}: benchmark is {row['benchmark']!r:.40}, and must be text")
        for field in ("key", "benchmark"):
            if not writable(str(row.get(field))):
                raise UserError(f"{here}: {field} {row[field]!r} has half a surrogate pair, which no table can hold")
        checkers.build_all(row["instruction_id_list"], row["kwargs"], where=here)
    if len({type(row["key"]) for row in rows}) > 1:
        raise UserError(f"{where}: keys must be all numbers or all text")
    counts = Counter(row["key"] for row in rows)
    _refuse([row for row in rows if counts[row["key"]] > 1], len(rows), f"prompts of {where} share a key")
    return rows


def read_prompts(path: str | Path, family: str | None = None) -> list[dict]:
    """The rows of a prompts file, valid as `valid_prompts` says. Raises UserError that names the file."""
    return valid_prompts(read_jsonl(path), path, family)


def read_responses(path: str | Path) -> list[dict]:
    """The rows of a responses file (JSON Lines, or Parquet where it ends so), each with a text in `response`.

    Of a Parquet file only key, turn, prompt and response are read. Raises UserError that names file and row.
    """
    if Path(path).suffix == ".parquet":
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                columns = [c for c in ("key", "turn", "prompt", "response") if c in file.schema_arrow.names]
                rows = file.read(columns=columns).to_pylist()
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: {error}") from error
    else:
        rows = read_jsonl(path)
    if not rows:
        raise UserError(f"{path}: holds no rows")
    bad = [row for row in rows if not isinstance(row.get("response"), str)]
    _refuse(bad, len(rows), f"rows of {path} have no text in their field response")
    return rows


def match(prompts: list[dict], responses: list[dict]) -> list[str]:
    """The response to each prompt, in the order of `prompts`.

    Joined by key where every row of both has one, otherwise by the prompt's exact text. Keys are compared as
    text, so that 7 and "7" are one. Raises UserError where a prompt has no response or several, where a
    response answers no prompt, and where the text that was answered under a key is not that prompt's: prompts
    change between releases of IFEval while keys stay.
    """
    by = "key" if all(row.get("key") is not None for row in [*prompts, *responses]) else "prompt"
    _refuse([row for row in responses if row.get(by) is None], len(responses), f"responses have no {by}")
    for what, rows in (("prompts", prompts), ("responses", responses)):
        counts = Counter(str(row[by]) for row in rows)
        repeated = [row for row in rows if counts[str(row[by])] > 1]
        _refuse(repeated, len(rows), f"{what} have the same {by} as another")
    asked = {str(row[by]): row for row in prompts}
    answers = {str(row[by]): row for row in responses}
    missing = [row for i, row in asked.items() if i not in answers]
    _refuse(missing, len(asked), f"prompts have no response (joined by {by})")
    extra = [row for i, row in answers.items() if i not in asked]
    _refuse(extra, len(answers), f"responses answer no prompt (joined by {by})")
    changed = [row for i, row in asked.items() if answers[i].get("prompt") not in (None, row["prompt"])]
    _refuse(changed, len(asked), "prompts are not the text that was answered under their key")
    return [answers[i]["response"] for i in asked]


def strip_thinking(response: str) -> str:
    """The response without its <think>...</think> sections; nothing else changes where there are none.

    A section that is never closed ends with the response. A </think> without its <think> ends a section that began
    with the response: some chat templates put the opening tag into the prompt. What is left starts at its first
    character that is not blank, because the blank lines after a section belong to neither.
    """
    *closed, rest = response.split("</think>")
    kept = "".join(part.split("<think>", 1)[0] for part in closed if "<think>" in part) + rest.split("<think>", 1)[0]
    return kept if kept == response else kept.lstrip()


def without_thinking(rows: list[dict]) -> list[dict]:
    """Response rows without thinking sections."""
    return [{**row, "response": strip_thinking(row["response"])} for row in rows]


def score(prompts: list[dict], responses: list[dict], *, watch: Callable[[list], Iterable] = iter) -> pd.DataFrame:
    """One row per instruction: key, [benchmark,] index, instruction_id, strict, loose (1 is followed).

    Rows are in the order of `prompts`; a repeated id has one for each time. `watch` sees the work go by, as a
    progress bar does. Raises UserError like `match`.
    """
    rows = []
    for prompt, response in watch(list(zip(prompts, match(prompts, responses), strict=True))):
        ids = prompt["instruction_id_list"]
        verdicts = checkers.check(checkers.build_all(ids, prompt["kwargs"], where=_name(prompt)), response)
        for index, (i, s, lo) in enumerate(zip(ids, verdicts.strict, verdicts.loose, strict=True)):
            rows.append((prompt["key"], prompt.get("benchmark"), index, i, int(s), int(lo)))
    frame = pd.DataFrame(rows, columns=["key", "benchmark", "index", "instruction_id", "strict", "loose"])
    return frame if any("benchmark" in prompt for prompt in prompts) else frame.drop(columns="benchmark")


def progress(title: str) -> Callable[[list], Iterable]:
    """`score`'s `watch`: a bar on stderr where that is a terminal and the file is long, nothing elsewhere."""

    def watch(work: list) -> Iterable:
        if len(work) < LONG or not sys.stderr.isatty():
            return iter(work)
        from rich.console import Console
        from rich.progress import track

        return track(work, description=title, console=Console(file=sys.stderr), transient=True)

    return watch


def scorer(path: Path, family: str | None) -> Callable[..., pd.DataFrame]:
    """`score` for the prompts of a file, or `multi_if.score` for its conversations: takes response rows and `watch`."""
    if family != "multi_if":
        return partial(score, read_prompts(path, family))
    conversations = multi_if.read(path)
    return lambda rows, *, watch: multi_if.score(conversations, multi_if.join(conversations, rows), watch=watch)


def _four(frame: pd.DataFrame) -> dict[str, dict]:
    prompts = frame.groupby("key")[["strict", "loose"]].min()
    return {
        f"{unit}_{rule}": {
            "passed": int(rows[rule].sum()),
            "total": len(rows),
            "accuracy": float(rows[rule].mean()),
        }
        for rule in ("strict", "loose")
        for unit, rows in (("prompt", prompts), ("inst", frame))
    }


def summary(frame: pd.DataFrame) -> dict[str, dict]:
    """IFEval's four figures of a score frame, each with passed, total and accuracy (a fraction).

    A prompt passes where all its instructions do. Of Multi-IF: turn_1 to turn_3, each with the four and their average
    accuracy, which is the published figure, and conversation, the four over all turns of a conversation.
    """
    if "turn" not in frame:
        return _four(frame)
    turns = {f"turn_{turn}": _four(of_turn) for turn, of_turn in frame.groupby("turn")}
    averages = {turn: sum(figure["accuracy"] for figure in four.values()) / 4 for turn, four in turns.items()}
    by_turn = {turn: {**four, "average": averages[turn]} for turn, four in turns.items()}
    return {**by_turn, "conversation": _four(frame)}


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write CSV or Parquet by the name's ending, whole or not at all. Raises UserError where it cannot."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if path.suffix == ".parquet":
                frame.to_parquet(part, index=False)
            else:
                frame.to_csv(part, index=False)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: {error}") from error


def check_paths(prompts: Path, responses: list[Path], out: list[Path]) -> None:
    """Raise UserError unless there is no output, or one for each responses file that is no input and no other's."""
    if out and len(responses) != len(out):
        raise UserError(f"{len(responses)} --responses and {len(out)} --out: name an output for each")
    taken = {path.resolve() for path in (prompts, *responses)}
    for path in out:
        if path.suffix not in ENDINGS:
            raise UserError(f"{path}: must end in {' or '.join(ENDINGS)}")
        if path.resolve() in taken:
            raise UserError(f"{path}: is an input or another output, and would be overwritten")
        taken.add(path.resolve())


def printed(frames: dict[Path, pd.DataFrame], form: str | None, compared: bool) -> str:
    """What the command prints of the score frames, by their responses file."""
    if compared:  # these import SciPy, which costs as much as scoring a file: only where they are asked for
        from uniapl.scorers import comparison

        (a, first), (b, second) = frames.items()
        return comparison.render(comparison.compare(first, second), form or "md", str(a), str(b))
    if form:
        from uniapl.scorers.reports import render, report

        return render({str(path): report(frame) for path, frame in frames.items()}, form)
    return "\n".join(json.dumps(summary(frame)) for frame in frames.values())


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--responses", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, nargs="+", default=[], help="a file of scores per responses file")
    parser.add_argument("--compare", action="store_true", help="how two responses files differ, paired by prompt")
    families = (*checkers.FAMILIES, "multi_if")
    parser.add_argument("--family", choices=families, help="the only family whose instructions may occur")
    parser.add_argument("--format", choices=FORMATS, help="print the report (others: default md) in this format")
    parser.add_argument("--record", action="store_true", help="write checkers.json, their version, beside every --out")
    parser.add_argument("--strip-thinking", action="store_true", help="score without <think>...</think> sections")
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
    scored = scorer(args.prompts, args.family)
    frames = {}
    for path in args.responses:
        rows = read_responses(path)
        rows = without_thinking(rows) if args.strip_thinking else rows
        frames[path] = scored(rows, watch=progress(path.name))
    for path, frame in zip(args.out, frames.values(), strict=False):  # no output, or one for each
        write_frame(frame, path)
        if args.record:
            (path.parent / "checkers.json").write_text(json.dumps({"checkers": version()}) + "\n", encoding="utf-8")
    print(printed(frames, args.format, args.compare))
