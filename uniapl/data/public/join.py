"""The stage data of the paper scale: prompts of `python -m uniapl.data.public` joined with their demonstrations.

`python -m uniapl.data.public.join --prompts D --demonstrations F.jsonl --out DATA` writes what
uniapl/data/miniature/rows.py writes for the stages after it:

    train.jsonl        the training prompts with `demonstration`: accepted responses only
    unsolved.jsonl     the other training prompts, for methods of rollouts alone; it may have no rows
    validation.jsonl, test.jsonl   the prompts
    expert.jsonl       key, response: the demonstrator's on every validation and test prompt, accepted or not
    summary.json       counts, the summary of D, SHA-256 of every file

F has a row per answer: key, response, passed (whether it follows all instructions), and more that is not read; several
files may share the prompts. Of several answers to a prompt the first that passed counts, else the first. Training
prompts without an accepted response are left out of train.jsonl and counted. A response that is marked as passed is
checked again, because checkers change.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from uniapl import checkers
from uniapl.data.prompts import read_prompts
from uniapl.data.public.prepare import write
from uniapl.errors import UserError, first_names, one_line_errors
from uniapl.jsonl import read_json, read_jsonl

REMEDY = "make the prompts again: python -m uniapl.data.public"


def read_demonstrations(paths: Iterable[Path]) -> dict[str, dict]:
    """The row that counts of every key. Raises UserError for a field that is missing or of a wrong type."""
    best: dict[str, dict] = {}
    for path in paths:
        for number, row in enumerate(read_jsonl(path), start=1):
            for name, expected in (("key", str), ("response", str), ("passed", bool)):
                if not isinstance(row.get(name), expected):
                    where = f"{path}: row {number}, key {row.get('key')}"
                    raise UserError(f"{where}: {name} is missing or no {expected.__name__}")
            if row["passed"] > best.get(row["key"], {"passed": -1})["passed"]:
                best[row["key"]] = row
    return best


def with_accepted(prompts: Sequence[dict], demonstrations: dict[str, dict]) -> tuple[list[dict], Counter]:
    """The prompts with their accepted response as `demonstration`; why the others have none, counted.

    Raises UserError where a response that is marked as passed does not follow every instruction.
    """
    rows, reasons = [], Counter({"no response": 0, "response breaks its instructions": 0})
    for prompt in prompts:
        demonstration = demonstrations.get(prompt["key"])
        if demonstration is None:
            reasons["no response"] += 1
        elif not demonstration["passed"]:
            reasons["response breaks its instructions"] += 1
        else:
            instructions = checkers.build_row(prompt, where=prompt["key"])
            if not checkers.all_strict(instructions, demonstration["response"]):
                raise UserError(
                    f"key {prompt['key']}: the response is marked as passed and does not follow its instructions: "
                    "the checkers differ from those that marked it, or the prompts do; generate or mark it again"
                )
            rows.append({**prompt, "demonstration": demonstration["response"]})
    return rows, reasons


def join(prompts: Path, demonstrations: Sequence[Path], out: Path) -> dict:
    """Write the files to `out`; returns the summary. Raises UserError, and then overwrites nothing.

    Besides what `read_demonstrations` and `accepted` say: a response answers no prompt; a validation or test prompt has
    none; no training prompt has an accepted one.
    """
    names = {"train": "train_prompts", "validation": "validation_prompts", "test": "test"}
    prompts_by_split = {split: read_prompts(prompts / f"{name}.jsonl") for split, name in names.items()}
    counts = Counter(row["key"] for rows in prompts_by_split.values() for row in rows)
    answers = read_demonstrations(demonstrations)
    held_out = [*prompts_by_split["validation"], *prompts_by_split["test"]]
    for problem, keys in (
        ("prompts share a key with another", [key for key, n in counts.items() if n > 1]),
        ("responses answer no prompt", [key for key in answers if key not in counts]),
        (
            "validation and test prompts have no response; generate them too",
            [row["key"] for row in held_out if row["key"] not in answers],
        ),
    ):
        if keys:
            raise UserError(f"{prompts}: {len(keys)} {problem}: {first_names(keys)}")
    train, left_out = with_accepted(prompts_by_split["train"], answers)
    solved = {row["key"] for row in train}
    if not train:
        raise UserError(f"{prompts}: no training prompt has an accepted response: {dict(left_out)}")
    files = {
        "train.jsonl": train,
        "unsolved.jsonl": [row for row in prompts_by_split["train"] if row["key"] not in solved],
        "validation.jsonl": prompts_by_split["validation"],
        "test.jsonl": prompts_by_split["test"],
        "expert.jsonl": [{"key": row["key"], "response": answers[row["key"]]["response"]} for row in held_out],
    }
    taught = [path.with_suffix(".summary.json") for path in demonstrations]  # where stage teach made them
    summary = {
        "rows": {name.removesuffix(".jsonl"): len(rows) for name, rows in files.items()},
        "training prompts left out": dict(left_out),
        "expert accepted": sum(answers[row["key"]]["passed"] for row in held_out),
        "prompts": read_json(prompts / "summary.json", remedy=REMEDY),
        "teachers": [read_json(path, remedy=REMEDY) for path in taught if path.is_file()],
    }
    return write(out, files, summary)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--demonstrations", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    summary = join(args.prompts, args.demonstrations, args.out)
    print(json.dumps({name: summary[name] for name in ("rows", "training prompts left out")}, indent=2))


if __name__ == "__main__":
    main()
