"""Stage data of a world of files: checks every row before anything is trained, and writes what the other stages read.

`uniapl data files --scale mine --out results/local/mine/data` writes train.jsonl, validation.jsonl, test.jsonl,
expert.jsonl if the world has one, and summary.json: counts and the SHA-256 of every file.
"""

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from uniapl import checkers
from uniapl.config import load_scale
from uniapl.data.files.world import Files
from uniapl.data.prompts import name_of_row, read_prompts
from uniapl.data.public.prepare import write
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl

HEADLINE = "trained"


def with_demonstrations(path: Path, rows: list[dict]) -> int:
    """How many rows have a demonstration: all or none. Raises UserError that names the first of the others."""
    texts = [row.get("demonstration") for row in rows]
    if not any(text is not None for text in texts):
        return 0
    for row, text in zip(rows, texts, strict=True):
        if not isinstance(text, str) or not text.strip():
            raise UserError(f"{path}: key {row['key']} has no demonstration, and others have: give all, or none")
    return len(rows)


def expert_rows(path: Path, prompts: list[dict]) -> list[dict]:
    """The expert's response to each of the prompts. Raises UserError for one without, and for a response too many."""
    responses: dict = {}
    for number, row in enumerate(read_jsonl(path), start=1):
        if not isinstance(row.get("response"), str) or row.get("key") in responses or "key" not in row:
            raise UserError(f"{path}: row {number}: needs a key of its own and a response, which is text")
        responses[row["key"]] = row["response"]
    if lacking := [row["key"] for row in prompts if row["key"] not in responses]:
        raise UserError(f"{path}: no response to {len(lacking)} validation and test prompts, the first is {lacking[0]}")
    return [{"key": row["key"], "response": responses[row["key"]]} for row in prompts]


def read(paths: Mapping[str, Path]) -> tuple[dict[str, list[dict]], dict]:
    """The files to write and their summary. Raises UserError with file and row for what is wrong."""
    prompts = {split: read_prompts(paths[split]) for split in ("train", "validation", "test")}
    counts = Counter(row["key"] for rows in prompts.values() for row in rows)
    if twice := [key for key, n in counts.items() if n > 1]:
        files = ", ".join(str(paths[split]) for split in prompts)
        raise UserError(f"{files}: {len(twice)} keys are in two of them, the first is {twice[0]}: rename it in one")
    for split in ("validation", "test"):
        prompts[split] = [{**row, "benchmark": row.get("benchmark") or HEADLINE} for row in prompts[split]]
        if not any(row["benchmark"] == HEADLINE for row in prompts[split]):
            raise UserError(f"{paths[split]}: no prompt of benchmark {HEADLINE!r}, which the main tables are about")
    demonstrated = with_demonstrations(paths["train"], prompts["train"])
    followed = [
        checkers.all_strict(checkers.build_row(row, where=name_of_row(row)), row["demonstration"])
        for row in prompts["train"][:demonstrated]
    ]
    files = {f"{split}.jsonl": rows for split, rows in prompts.items()}
    if "expert" in paths:
        files["expert.jsonl"] = expert_rows(paths["expert"], [*prompts["validation"], *prompts["test"]])
    summary = {
        "rows": {name.removesuffix(".jsonl"): len(rows) for name, rows in files.items()},
        "demonstrations": demonstrated,
        "demonstrations that follow their instructions": sum(followed),
    }
    return files, summary


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    world = load_scale(args.scale).world
    if not isinstance(world, Files):
        raise UserError(f"scale {args.scale}: its world is {world.kind}, not files: uniapl data {world.kind}")
    files, summary = read(world.paths)
    print(write(args.out, files, summary)["rows"])


if __name__ == "__main__":
    main()
