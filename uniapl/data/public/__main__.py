"""Prompts of the paper scale from public data sets: pinned, in one form, apart from the evaluation sets.

`python -m uniapl.data.public --out D --train 20000 --validation 512` writes to D

    train_prompts.jsonl        key, prompt, instruction_id_list, kwargs, benchmark (trained)
    validation_prompts.jsonl   the same, of the same source; no training prompt occurs in it
    test.jsonl                 the same; benchmark is trained (IFEval) or new_types (IFBench)
    multi_if.jsonl             Multi-IF's conversations, all three turns, for stage converse; none is in test.jsonl
    demonstrations.jsonl       with --demonstrations argilla: key, response, passed, for uniapl.data.public.join
    summary.json               sources with revision and licence, counts, what was removed and why, SHA-256

Prompts of training are those of allenai/IF_multi_constraints_upto5, which a teacher answers, or with `--demonstrations
argilla` those of argilla/ifeval-like-data, whose responses are kept where they follow all instructions. Left out and
counted: rows with an unknown verifier or an impossible argument, prompts with the words of an earlier one, long ones
(--longest, and with --student and --tokens those that the student cannot read), and those that occur in an evaluation
set (uniapl/data/public/overlap.py). The same seed and revisions give the same files.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from uniapl.config import choose
from uniapl.data.public import prepare
from uniapl.errors import at_least_one, one_line_errors


def _progress(rows: Sequence, title: str) -> Iterable:
    """The rows, with a bar on a terminal."""
    if not sys.stderr.isatty():
        print(f"{title}: {len(rows)} prompts", file=sys.stderr, flush=True)
        return rows
    from rich.console import Console
    from rich.progress import track

    return track(rows, description=title, console=Console(file=sys.stderr), transient=True)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, required=True, help="training prompts")
    parser.add_argument("--validation", type=int, required=True, help="validation prompts")
    parser.add_argument("--demonstrations", choices=prepare.TRAINING, default="teacher")
    parser.add_argument(
        "--eval", default="ifeval,ifbench", help=f"rows of test.jsonl: {', '.join(prepare.EVALUATIONS)}, with commas"
    )
    parser.add_argument("--longest", type=int, default=prepare.LONGEST, help="characters of a training prompt")
    parser.add_argument("--student", type=Path, help="checkpoint whose tokens are counted")
    parser.add_argument("--tokens", type=int, help="the student's tokens of a training prompt")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing")
    args = parser.parse_args(argv)
    at_least_one(args, "train", "validation", "longest", "tokens")
    summary = prepare.prepare(
        args.out,
        train=args.train,
        validation=args.validation,
        demonstrations=args.demonstrations,
        evaluations=[choose("evaluation set", name, prepare.EVALUATIONS) for name in args.eval.split(",")],
        longest=args.longest,
        student=args.student,
        tokens=args.tokens,
        seed=args.seed,
        watch=_progress,
    )
    print(json.dumps({name: summary[name] for name in ("rows", "removed")}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
