"""Stage score: what responses earn, instruction by instruction.

`python -m uniapl.score --prompts P.jsonl --responses R.jsonl --out scores.csv` reads

    prompts      JSON Lines in IFEval's form: key, prompt, instruction_id_list, kwargs, and benchmark if any
    responses    JSON Lines or Parquet: response, and key or prompt or both

writes one row per instruction, as CSV or Parquet by the name's ending

    key, [benchmark,] index (in the prompt's list, from 0), instruction_id, strict, loose (1 is followed)

and prints IFEval's four figures as one JSON object. Unless every prompt has exactly one response, nothing is
written and the exit code is 2. Several responses files, with as many outputs in their order, are one call: starting
Python takes longer than scoring a file.
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet

from uniapl import checkers
from uniapl.errors import UserError, one_line_errors
from uniapl.rows import read_jsonl

PROMPT_FIELDS = {"key": (int, str), "prompt": str, "instruction_id_list": list, "kwargs": list}
ENDINGS = (".csv", ".parquet")


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


def read_prompts(path: str | Path) -> list[dict]:
    """The rows of a prompts file, every one with valid fields and instructions and a key of its own.

    Raises UserError that names the file and the row's key or number.
    """
    rows = read_jsonl(path)
    for number, row in enumerate(rows, start=1):
        where = f"{path}: row {number}, {_name(row)}"
        for field, kind in PROMPT_FIELDS.items():
            if not isinstance(row.get(field), kind):
                raise UserError(f"{where}: {field} is missing or of a wrong type")
        if not row["instruction_id_list"] or not all(isinstance(kwargs, dict) for kwargs in row["kwargs"]):
            raise UserError(f"{where}: needs at least one instruction, and an object of kwargs for each")
        checkers.build_all(row["instruction_id_list"], row["kwargs"], where=where)
    if len({type(row["key"]) for row in rows}) > 1:
        raise UserError(f"{path}: keys must be all numbers or all text")
    counts = Counter(row["key"] for row in rows)
    _refuse([row for row in rows if counts[row["key"]] > 1], len(rows), f"prompts of {path} share a key")
    return rows


def read_responses(path: str | Path) -> list[dict]:
    """The rows of a responses file (JSON Lines, or Parquet where it ends so), each with a text in `response`.

    Of a Parquet file only key, prompt and response are read. Raises UserError that names file and row.
    """
    if Path(path).suffix == ".parquet":
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                columns = [c for c in ("key", "prompt", "response") if c in file.schema_arrow.names]
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


def score(prompts: list[dict], responses: list[dict]) -> pd.DataFrame:
    """One row per instruction: key, [benchmark,] index, instruction_id, strict, loose (1 is followed).

    Rows are in the order of `prompts`; a repeated id has one for each time. Raises UserError like `match`.
    """
    rows = []
    for prompt, response in zip(prompts, match(prompts, responses), strict=True):
        ids = prompt["instruction_id_list"]
        verdicts = checkers.check(checkers.build_all(ids, prompt["kwargs"], where=_name(prompt)), response)
        for index, (i, s, lo) in enumerate(zip(ids, verdicts.strict, verdicts.loose, strict=True)):
            rows.append((prompt["key"], prompt.get("benchmark"), index, i, int(s), int(lo)))
    frame = pd.DataFrame(rows, columns=["key", "benchmark", "index", "instruction_id", "strict", "loose"])
    return frame if any("benchmark" in prompt for prompt in prompts) else frame.drop(columns="benchmark")


def summary(frame: pd.DataFrame) -> dict[str, dict]:
    """IFEval's four figures of a score frame, each with passed, total and accuracy (a fraction).

    A prompt passes where all its instructions do.
    """
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
    """Raise UserError unless there is one output for each responses file, which is no input and no other's."""
    if len(responses) != len(out):
        raise UserError(f"{len(responses)} --responses and {len(out)} --out: name an output for each")
    taken = {path.resolve() for path in (prompts, *responses)}
    for path in out:
        if path.suffix not in ENDINGS:
            raise UserError(f"{path}: must end in {' or '.join(ENDINGS)}")
        if path.resolve() in taken:
            raise UserError(f"{path}: is an input or another output, and would be overwritten")
        taken.add(path.resolve())


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--responses", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, nargs="+", required=True)
    args = parser.parse_args(argv)
    check_paths(args.prompts, args.responses, args.out)
    prompts = read_prompts(args.prompts)
    frames = [score(prompts, read_responses(path)) for path in args.responses]
    for frame, path in zip(frames, args.out, strict=True):
        write_frame(frame, path)
        print(json.dumps(summary(frame)))


if __name__ == "__main__":
    main()
