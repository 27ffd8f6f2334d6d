"""Prompts of the paper scale from the public data sets: what is kept, what is left out and why."""

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from uniapl import checkers, checksums
from uniapl.data import hub
from uniapl.data.public import if_multi_constraints, ifbench, ifeval, ifeval_like, multi_if, overlap
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl

EVALUATIONS = {"ifeval": ifeval, "ifbench": ifbench}  # whose prompts are rows of test.jsonl
TRAINING = {"teacher": if_multi_constraints, "argilla": ifeval_like}  # by where the demonstrations come from

LONGEST = 8_000  # characters, about 2,000 tokens of English (ours: the longest prompt decides a step's memory)

Watch = Callable[[Sequence, str], Iterable]


def evaluation_sets() -> dict[str, list[dict]]:
    """The prompts of every evaluation set, of Multi-IF the first turns.

    Raises UserError where one is missing, broken, or not unique by key.
    """
    found = {name: module.read(hub.folder(module.ID)) for name, module in EVALUATIONS.items()}
    found["multi_if"] = multi_if.first_turns(hub.folder(multi_if.ID))
    counts = Counter(row["key"] for rows in found.values() for row in rows)
    if repeated := [key for key, n in counts.items() if n > 1]:
        raise UserError(f"{len(repeated)} evaluation prompts share a key with another: {', '.join(repeated[:3])}")
    return found


def distinct(rows: Iterable[dict]) -> list[dict]:
    """The rows without those whose prompt has the words of an earlier one's."""
    kept: dict[str, dict] = {}
    for row in rows:
        kept.setdefault(overlap.normalised(row["prompt"]), row)
    return list(kept.values())


def without_overlap(
    rows: Sequence[dict], against: overlap.Index, watch: Watch
) -> tuple[list[dict], dict[str, Counter]]:
    """The rows that do not occur in the index; how often each of its keys occurs in the others, by kind of match."""
    kept, counts = [], {"exact": Counter(), "overlap": Counter()}
    for row in watch(rows, "overlap with evaluation sets"):
        match = overlap.find(row["prompt"], against)
        if match:
            counts[match.kind][match.key] += 1
        else:
            kept.append(row)
    return kept, counts


def by_set(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by evaluation prompt, added up over each evaluation set."""
    found: Counter[str] = Counter()
    for key, n in counts.items():
        found[key.split("/")[0]] += n
    return dict(sorted(found.items()))


def demonstrates(row: Mapping) -> bool:
    """Whether a row brings no demonstration, or one that follows every instruction, strictly."""
    if "response" not in row:
        return True
    asked = checkers.build_row(row, where=row["key"])
    return checkers.all_strict(asked, row["response"])


def split(rows: Sequence[dict], train: int, validation: int, seed: int, watch: Watch) -> tuple[dict, dict[str, int]]:
    """Rows drawn without replacement: {"validation": rows, "train": rows}, and how many drawn ones were left out.

    Validation comes first. A training prompt must not occur in it: public sets ask one thing with several instructions.
    Raises UserError where there are too few rows.
    """
    order = random.Random(f"{seed}/public").sample(rows, len(rows))
    found: dict[str, list[dict]] = {"validation": [], "train": []}
    left_out = {"response breaks its instructions": 0, "occurs in validation": 0}
    against = None
    for row in watch(order, "draw"):
        if len(found["train"]) == train:
            break
        if not demonstrates(row):
            left_out["response breaks its instructions"] += 1
        elif len(found["validation"]) < validation:
            found["validation"].append(row)
        else:
            against = against or overlap.index(found["validation"])
            if overlap.find(row["prompt"], against):
                left_out["occurs in validation"] += 1
            else:
                found["train"].append(row)
    if len(found["train"]) < train:
        have = len(found["validation"]) + len(found["train"])
        raise UserError(
            f"{have} of {len(rows)} prompts are usable, and {train} for training and {validation} for validation are "
            "asked for: lower --train or --validation"
        )
    return found, left_out


def write(out: Path, files: Mapping[str, list[dict]], summary: Mapping) -> dict:
    """Write every file and summary.json whole, once all could be written; returns the summary with their SHA-256.

    Raises UserError for a full disk, and then overwrites nothing.
    """
    parts = {name: out / f".{name}.{os.getpid()}.part" for name in (*files, "summary.json")}
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            for name, rows in files.items():
                write_jsonl(parts[name], rows)
            hashes = {name: hashlib.sha256(parts[name].read_bytes()).hexdigest() for name in files}
            whole = {**summary, "sha256": hashes}
            parts["summary.json"].write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            for name, part in parts.items():
                part.replace(out / name)
            checksums.record(*(out / name for name in parts))
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{out}: {error.strerror}; free space or choose another folder, and run it again") from error
    return whole


def _without_response(rows: Iterable[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name != "response"} for row in rows]


def prepare(
    out: Path,
    *,
    train: int,
    validation: int,
    demonstrations: str = "teacher",
    evaluations: Collection[str] = ("ifeval", "ifbench"),
    longest: int = LONGEST,
    seed: int = 0,
    watch: Watch = lambda rows, title: rows,
) -> dict:
    """Write the prompts to `out`; returns the summary (see `python -m uniapl.data.public --help`).

    Training prompts are held against every evaluation set, asked for or not, so that one that is added later needs no
    other training set. Raises UserError, and then writes nothing.
    """
    if "ifeval" not in evaluations:
        raise UserError("--eval must have ifeval: its prompts are the benchmark of the headline")
    sets = evaluation_sets()
    source = TRAINING[demonstrations]
    pool = source.read(hub.folder(source.ID))
    rows = distinct(pool.rows)
    short = [row for row in rows if len(row["prompt"]) <= longest]
    clean, occurring = without_overlap(short, overlap.index(row for found in sets.values() for row in found), watch)
    drawn, left_out = split(clean, train, validation, seed, watch)
    files = {
        "train_prompts.jsonl": _without_response(drawn["train"]),
        "validation_prompts.jsonl": _without_response(drawn["validation"]),
        "test.jsonl": [row for name in EVALUATIONS if name in evaluations for row in sets[name]],
        "multi_if.jsonl": multi_if.conversations(hub.folder(multi_if.ID)),
    }
    if demonstrations == "argilla":
        files["demonstrations.jsonl"] = [
            {"key": row["key"], "response": row["response"], "passed": True}
            for row in (*drawn["train"], *drawn["validation"])
        ]
    evaluated = {name: module.ID for name, module in {**EVALUATIONS, "multi_if": multi_if}.items()}
    summary = {
        "seed": seed,
        "demonstrations": demonstrations,
        "sources": {id: hub.record(id) | {"use": hub.entry(id).use} for id in (source.ID, *evaluated.values())},
        "published": {source.ID: len(pool.rows) + sum(pool.left_out.values())}
        | {evaluated[name]: len(found) for name, found in sets.items()},
        "removed": {
            "unusable": pool.left_out,
            "same words as an earlier prompt": len(pool.rows) - len(rows),
            f"more than {longest} characters": len(rows) - len(short),
            **{f"{kind}, evaluation": by_set(found) for kind, found in occurring.items()},
            **{f"{reason}, of those drawn": n for reason, n in left_out.items()},
        },
        "first unusable": pool.examples,
        "overlap, most often with": dict(occurring["overlap"].most_common(5)),
        "overlap": {"words": overlap.N, "share": overlap.SHARE, "source": overlap.SOURCE},
        "rows": {name: len(found) for name, found in files.items()},
        "benchmarks": dict(Counter(row["benchmark"] for row in files["test.jsonl"])),
    }
    return write(out, files, summary)
