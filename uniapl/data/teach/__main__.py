"""Stage teach: a teacher's demonstrations, kept where they follow every instruction of their prompt.

`python -m uniapl.data.teach --prompts P.jsonl --scale paper --out demonstrations.jsonl` asks the scale's teacher with
vLLM in this process; with `--endpoint http://HOST:8000/v1` any OpenAI-compatible server, with the key of the
environment variable TEACHER_API_KEY where there is one. It reads JSON Lines with key, prompt, instruction_id_list and
kwargs, and writes

    demonstrations.jsonl           one row per answer, as they arrive: key, attempt (from 0), response, finish_reason,
                                   prompt_tokens, completion_tokens, passed, reason, broken (ids of instructions)
    demonstrations.config.json     what the answers depend on; a rerun with other values is refused
    demonstrations.spent.jsonl     every reservation of tokens and what was charged for it
    demonstrations.summary.json    counts, acceptance by type of instruction, tokens, the teacher, what answered

A demonstration is a row that passed. A killed run continues where it was and asks no answered prompt again.
"""

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from uniapl.config import load_scale
from uniapl.data import hub
from uniapl.data.prompts import read_prompts, valid_prompts
from uniapl.data.teach import Teacher
from uniapl.data.teach.collect import Backend, teach
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import versions


def read_all(paths: list[Path]) -> list[dict]:
    """The valid prompts of every file, no key twice. Raises UserError."""
    rows = [row for path in paths for row in read_prompts(path)]
    return valid_prompts(rows, " and ".join(map(str, paths))) if len(paths) > 1 else rows


def backend_of(teacher: Teacher, endpoint: str | None) -> tuple[Backend, dict]:
    """What answers, and its record."""
    if endpoint:
        from uniapl.data.teach.endpoint import KEY, endpoint_of

        return endpoint_of(teacher, endpoint, os.environ.get(KEY, "").strip()), {
            "model": teacher.model,
            "endpoint": endpoint,
        }
    from uniapl.data.teach.offline import Offline, load

    source = hub.record(teacher.model) if teacher.model in hub.lock() else {"folder": teacher.model}
    return Offline(teacher, load), {"model": teacher.model, "source": source, "versions": versions()}


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m uniapl.data.teach", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=Path, nargs="+", required=True)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--endpoint", help="base URL of an OpenAI-compatible server, ends in /v1")
    for field in dataclasses.fields(Teacher):  # each replaces the scale's value
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=type(field.default), default=argparse.SUPPRESS, help=field.metadata["source"])
    args = parser.parse_args(argv)
    scale = load_scale(args.scale)
    if scale.kind != "public":
        raise UserError(f"scale {args.scale!r} has a scripted expert, and no teacher to ask")
    names = {field.name for field in dataclasses.fields(Teacher)}
    teacher = dataclasses.replace(scale.world.teacher, **{k: v for k, v in vars(args).items() if k in names})
    prompts = read_all(args.prompts)
    backend, record = backend_of(teacher, args.endpoint)
    summary = teach(teacher, prompts, backend, args.out, record)
    print(
        f"{summary['accepted']:,} of {summary['prompts']:,} prompts have a demonstration: "
        f"{summary['answers']:,} answers, {summary['tokens_charged']:,} tokens"
    )
    if summary["unanswered"]:
        print(f"{summary['unanswered']:,} prompts have no answer: run again to ask them once more", file=sys.stderr)


if __name__ == "__main__":
    main()
