"""Prompts of the paper scale from the public data sets: what is kept, what is left out and why."""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from uniapl import checkers
from uniapl.data import hub
from uniapl.data.public import if_multi_constraints, ifbench, ifeval, ifeval_like, multi_if, overlap
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl
from uniapl.models.checkpoints import load_tokenizer, messages
from uniapl.provenance import checksums, sha256_of

EVALUATIONS = {"ifeval": ifeval, "ifbench": ifbench}  # whose prompts are rows of test.jsonl
TRAINING = {"teacher": if_multi_constraints, "argilla": ifeval_like}  # by where the demonstrations come from

LONGEST = 8_000  # characters (ours): what the overlap is looked for in; the student's tokens decide what it can read

Watch = Callable[[Sequence, str], Iterable]


def evaluation_sets() -> dict[str, list[dict]]:
    """The prompts of every evaluation set, of Multi-IF the first turns.

    Raises UserError where one is missing, broken, or not unique by key.
    """
    sets = {name: module.read(hub.folder(module.ID)) for name, module in EVALUATIONS.items()}
    sets["multi_if"] = multi_if.first_turns(hub.folder(multi_if.ID))
    counts = Counter(row["key"] for rows in sets.values() for row in rows)
    if repeated := [key for key, n in counts.items() if n > 1]:
        raise UserError(f"{len(repeated)} evaluation prompts share a key with another: {', '.join(repeated[:3])}")
    return sets


def distinct(rows: Iterable[dict]) -> list[dict]:
    """The rows without those whose prompt has the words of an earlier one's."""
    by_text: dict[str, dict] = {}
    for row in rows:
        by_text.setdefault(overlap.normalised(row["prompt"]), row)
    return list(by_text.values())


def without_overlap(
    rows: Sequence[dict], against: overlap.Index, watch: Watch
) -> tuple[list[dict], dict[str, Counter]]:
    """The rows that do not occur in the index; how often each of its keys occurs in the others, by kind of match."""
    clean, counts = [], {"exact": Counter(), "overlap": Counter()}
    for row in watch(rows, "overlap with evaluation sets"):
        match = overlap.find(row["prompt"], against)
        if match:
            counts[match.kind][match.key] += 1
        else:
            clean.append(row)
    return clean, counts


def lengths(rows: Sequence[dict], student: Path) -> list[int]:
    """Tokens of each prompt as the student reads it: its chat template, with the mark that begins its answer.

    8,000 characters are 1,700 tokens of English, 5,000 of Chinese and 8,000 of digits under Qwen3's tokenizer.
    """
    tokenizer = load_tokenizer(student)
    chats = [messages(row["prompt"]) for row in rows]
    if not chats:
        return []
    return list(map(len, tokenizer.apply_chat_template(chats, add_generation_prompt=True, return_dict=False)))


def by_set(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by evaluation prompt, added up over each evaluation set."""
    totals: Counter[str] = Counter()
    for key, n in counts.items():
        totals[key.split("/")[0]] += n
    return dict(sorted(totals.items()))


def demonstrates(row: Mapping) -> bool:
    """Whether a row brings no demonstration, or one that follows every instruction, strictly."""
    if "response" not in row:
        return True
    instructions = checkers.build_row(row, where=row["key"])
    return checkers.all_strict(instructions, row["response"])


def split(rows: Sequence[dict], train: int, validation: int, seed: int, watch: Watch) -> tuple[dict, dict[str, int]]:
    """Rows drawn without replacement: {"validation": rows, "train": rows}, and how many drawn ones were left out.

    Validation comes first. A training prompt must not occur in it: public sets ask one thing with several instructions.
    Raises UserError where there are too few rows.
    """
    order = random.Random(f"{seed}/public").sample(rows, len(rows))
    parts: dict[str, list[dict]] = {"validation": [], "train": []}
    left_out = {"response breaks its instructions": 0, "occurs in validation": 0}
    against = None
    for row in watch(order, "draw"):
        if len(parts["train"]) == train:
            break
        if not demonstrates(row):
            left_out["response breaks its instructions"] += 1
        elif len(parts["validation"]) < validation:
            parts["validation"].append(row)
        else:
            against = against or overlap.index(parts["validation"])
            if overlap.find(row["prompt"], against):
                left_out["occurs in validation"] += 1
            else:
                parts["train"].append(row)
    if len(parts["train"]) < train:
        have = len(parts["validation"]) + len(parts["train"])
        raise UserError(
            f"{have} of {len(rows)} prompts are usable, and {train} for training and {validation} for validation are "
            "asked for: lower --train or --validation"
        )
    return parts, left_out


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
            hashes = {name: sha256_of(parts[name]) for name in files}
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
    student: Path | None = None,
    tokens: int | None = None,
    seed: int = 0,
    watch: Watch = lambda rows, title: rows,
) -> dict:
    """Write the prompts to `out`; returns the summary (see `python -m uniapl.data.public --help`).

    Training prompts are held against every evaluation set, asked for or not, so that one that is added later needs no
    other training set. With `tokens` those of more tokens of the checkpoint `student` are left out, before a teacher
    is paid for them. Raises UserError, and then writes nothing.
    """
    if (student is None) != (tokens is None):
        raise UserError("--student and --tokens belong together: a checkpoint, and how many of its tokens a prompt has")
    if "ifeval" not in evaluations:
        raise UserError("--eval must have ifeval: its prompts are the benchmark of the headline")
    sets = evaluation_sets()
    source = TRAINING[demonstrations]
    pool = source.read(hub.folder(source.ID))
    rows = distinct(pool.rows)
    short = [row for row in rows if len(row["prompt"]) <= longest]
    readable = short
    if student is not None:
        counted = zip(short, lengths(short, student), strict=True)
        readable = [row for row, length in counted if length <= tokens]
    clean, occurring = without_overlap(readable, overlap.index(row for group in sets.values() for row in group), watch)
    parts, left_out = split(clean, train, validation, seed, watch)
    files = {
        "train_prompts.jsonl": _without_response(parts["train"]),
        "validation_prompts.jsonl": _without_response(parts["validation"]),
        "test.jsonl": [row for name in EVALUATIONS if name in evaluations for row in sets[name]],
        "multi_if.jsonl": multi_if.conversations(hub.folder(multi_if.ID)),
    }
    if demonstrations == "argilla":
        files["demonstrations.jsonl"] = [
            {"key": row["key"], "response": row["response"], "passed": True}
            for row in (*parts["train"], *parts["validation"])
        ]
    evaluated = {name: module.ID for name, module in {**EVALUATIONS, "multi_if": multi_if}.items()}
    summary = {
        "seed": seed,
        "demonstrations": demonstrations,
        "sources": {id: hub.record(id) | {"use": hub.entry(id).use} for id in (source.ID, *evaluated.values())},
        "published": {source.ID: len(pool.rows) + sum(pool.left_out.values())}
        | {evaluated[name]: len(group) for name, group in sets.items()},
        "removed": {
            "unusable": pool.left_out,
            "same words as an earlier prompt": len(pool.rows) - len(rows),
            f"more than {longest} characters": len(rows) - len(short),
            **({f"more than {tokens} of the student's tokens": len(short) - len(readable)} if student else {}),
            **{f"{overlap_kind}, evaluation": by_set(group) for overlap_kind, group in occurring.items()},
            **{f"{reason}, of those drawn": n for reason, n in left_out.items()},
        },
        "first unusable": pool.examples,
        "overlap, most often with": dict(occurring["overlap"].most_common(5)),
        "overlap": {"words": overlap.N, "share": overlap.SHARE, "source": overlap.SOURCE},
        "rows": {name: len(group) for name, group in files.items()},
        "benchmarks": dict(Counter(row["benchmark"] for row in files["test.jsonl"])),
    }
    return write(out, files, summary)
