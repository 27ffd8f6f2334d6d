"""The teacher of scale small: best of n answers of the base, edited until every checker passes.

    python -m uniapl.data.everyday.demonstrations --prompts P.jsonl [...] --model MODEL --out demonstrations.jsonl

`--model` is what uniapl/data/resolve.py takes: a GGUF file, a folder, a hub id (the base itself, unless another model
shall teach); with `--endpoint URL` a server answers. Two steps, each resumable:

    demonstrations.samples.jsonl   stage teach with the base as its teacher: up to n answers to each prompt, none more
                                   once one follows all instructions (beside it .config, .spent and .summary)
    demonstrations.jsonl           a row per prompt, as stage teach writes them: key, attempt (which answer was edited),
                                   response, passed, reason, broken; and original, edits (types), changed (a share)
    demonstrations.summary.json    counts, by reason and by type, what made them

Of the answers, that one is taken which follows the instructions with the fewest words changed. What this teacher is:
the base's own words in a form that the base reaches seldom. What it is not: a better writer. A demonstration knows
nothing that the base does not know, and where a keyword or field was missing it holds a sentence of the editor's.
"""

import argparse
import dataclasses
import difflib
import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from uniapl import checkers
from uniapl.data.everyday.editor import edit
from uniapl.data.everyday.world import BASE, world_of
from uniapl.data.teach import Teacher
from uniapl.data.teach.__main__ import read_all
from uniapl.data.teach.answer import Answer, Request, rejection
from uniapl.data.teach.collect import teach
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl
from uniapl.models.gguf import SMOLLM2
from uniapl.provenance import versions

ENGINES = ("engine", "transformers", "vllm")
UNUSABLE = {"refused", "empty", "marks", "looped"}  # reasons for which an answer is no material
EDITOR = Path(__file__).resolve().parent / "editor"


def editor_version() -> str:
    """SHA-256 (first 12 digits) of the editor's source: other sources may write other demonstrations."""
    sources = [*sorted(EDITOR.glob("*.py")), EDITOR.parent / "substitutes.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def changed_share(original: Sequence, edited: Sequence) -> float:
    """The share of both sequences' items that are in no passage that they have in common: 0 (equal ones) to 1."""
    total = len(original) + len(edited)
    blocks = difflib.SequenceMatcher(None, original, edited, autojunk=False).get_matching_blocks()
    return 1 - 2 * sum(block.size for block in blocks) / total if total else 0.0


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def edited_answers(prompt: dict, answers: Sequence[dict]) -> list[dict]:
    """The usable ones of a prompt's answers, as stage teach wrote them, each edited: rows of demonstrations.jsonl."""
    ids, kwargs = prompt["instruction_id_list"], prompt["kwargs"]
    rules = checkers.build_all(ids, kwargs, where=str(prompt["key"]))
    usable = [row for row in answers if row["reason"] not in UNUSABLE]
    found = []
    for row in usable:
        others = [other["response"] for other in usable if other is not row]
        edited = edit(row["response"], ids, kwargs, others, complete=row["finish_reason"] == "stop")
        request = Request(prompt["key"], row["attempt"], prompt["prompt"], 0, 0, 0)
        answer = Answer(request, edited.text, "stop", row["prompt_tokens"], row["completion_tokens"], row["model"])
        reason, broken = rejection(answer, ids, rules)
        share = changed_share(_words(row["response"]), _words(edited.text))
        kept = {name: row[name] for name in ("key", "attempt", "model")}
        result = {"response": edited.text, "passed": reason is None, "reason": reason, "broken": broken}
        found.append(kept | result | {"original": row["response"], "edits": list(edited.edits), "changed": share})
    return found


def demonstration(prompt: dict, answers: Sequence[dict]) -> dict:
    """The row of a prompt, of its answers as stage teach wrote them: the one that is followed with the least change."""
    if found := edited_answers(prompt, answers):
        return min(found, key=lambda row: (not row["passed"], len(row["broken"]), row["changed"], row["attempt"]))
    first = answers[0]
    kept = {name: first[name] for name in ("key", "attempt", "model", "response", "passed", "reason", "broken")}
    return kept | {"original": first["response"], "edits": [], "changed": 0.0}


def summarise(prompts: Sequence[dict], rows: Sequence[dict]) -> dict:
    """Counts of rows, of reasons, of edits by type, and acceptance by type of instruction."""
    by_key, types = {row["key"]: row for row in rows}, defaultdict(Counter)
    for prompt in prompts:
        row = by_key.get(prompt["key"])
        for name in set(prompt["instruction_id_list"]) if row else ():
            types[name]["prompts"] += 1
            types[name]["accepted"] += row["passed"]
            types[name]["edited"] += name in row["edits"]
    return {
        "prompts": len(prompts),
        "answered": len(rows),
        "accepted": sum(row["passed"] for row in rows),
        "accepted without edits": sum(row["passed"] and not row["edits"] for row in rows),
        "rejected": dict(Counter(row["reason"] for row in rows if not row["passed"])),
        "instruction_types": {name: dict(types[name]) for name in sorted(types)},
        "editor": editor_version(),
    }


def edit_all(prompts: Sequence[dict], samples: Path, out: Path, record: dict) -> dict:
    """Write the demonstrations of these prompts from the answers in `samples`; returns the summary."""
    answers: dict = defaultdict(list)
    for row in read_jsonl(samples, ("key",)):
        answers[row["key"]].append(row)
    asked = [prompt for prompt in prompts if prompt["key"] in answers]
    rows = [demonstration(prompt, answers[prompt["key"]]) for prompt in tqdm(asked, "edit", mininterval=5)]
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    try:
        part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        part.replace(out)
        summary = summarise(prompts, rows) | {"record": record, "sha256": hashlib.sha256(out.read_bytes()).hexdigest()}
        out.with_suffix(".summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{out}: {error.strerror}: make room and run again, it continues") from error
    return summary


def sample(
    teacher: Teacher, prompts: list[dict], folder: Path | None, source: dict, engine: str, endpoint: str, out: Path
) -> dict:
    """Stage teach with the base as its teacher; returns its summary. `folder`: the checkpoint, None for an endpoint;
    `source`: where it is from (uniapl/data/resolve.py)."""
    if endpoint:
        from uniapl.data.teach.endpoint import KEY, endpoint_of

        backend = endpoint_of(teacher, endpoint, os.environ.get(KEY, "").strip())
        return teach(teacher, prompts, backend, out, {"model": teacher.model, "endpoint": endpoint})
    from uniapl.data.everyday import sampling

    if engine == "vllm":
        from uniapl.data.teach.offline import Offline

        backend = Offline(teacher, lambda asked: sampling.load_vllm(asked, folder))
    else:
        load = {"engine": sampling.load_engine, "transformers": sampling.load_transformers}[engine]
        backend = sampling.Sampled(teacher, lambda: load(teacher, folder))
    made = {"model": teacher.model, "source": source | {"engine": engine}, "versions": versions()}
    return teach(teacher, prompts, backend, out, made)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m uniapl.data.everyday.demonstrations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prompts", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--model", default="", help="GGUF file, folder or hub id; with --endpoint the model's name there"
    )
    parser.add_argument("--checkpoint", type=Path, help="where a GGUF file's checkpoint is, or is to be written")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--engine", choices=ENGINES, default="engine")
    parser.add_argument("--endpoint", default="", help="base URL of an OpenAI-compatible server, ends in /v1")
    parser.add_argument("--scale", help="take what is not named here from this scale's world")
    own = {name: int for name in ("attempts", "max_tokens", "concurrency", "seed", "token_budget")}
    own["temperature"] = float
    for name, kind in own.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=f"default: {getattr(BASE, name)}")
    args = parser.parse_args(argv)
    named = {name: getattr(args, name) for name in own if getattr(args, name) is not None}
    teacher = dataclasses.replace(world_of(args.scale).base if args.scale else BASE, **named)
    prompts = read_all(args.prompts)
    folder, source = None, {}
    if args.endpoint:
        teacher = dataclasses.replace(teacher, model=args.model or BASE.model)
    else:
        from uniapl.data.resolve import checkpoint_folder, source_of

        model = args.model or SMOLLM2
        folder = checkpoint_folder(model, args.checkpoint or args.out.with_suffix(".checkpoint"))
        source = source_of(model, folder)
    samples = args.out.with_suffix(".samples.jsonl")
    sampled = sample(teacher, prompts, folder, source, args.engine, args.endpoint, samples)
    summary = edit_all(prompts, samples, args.out, sampled["record"])
    print(
        f"{summary['accepted']:,} of {summary['prompts']:,} prompts have a demonstration, "
        f"{summary['accepted without edits']:,} of them without an edit"
    )


if __name__ == "__main__":
    main()
