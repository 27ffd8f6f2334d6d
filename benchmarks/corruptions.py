"""What a damaged file does to the stage that reads it: `python -m benchmarks.corruptions --results RESULTS`.

RESULTS is a finished run of scale smoke, as `make reproduce SCALE=smoke` leaves it; it is copied first. Each file of
KINDS is damaged in turn: one bit flipped at places drawn over the file, the file cut at places drawn over it, and
another valid file of its kind, as an older version would be, in its place. Then the command that reads it runs.

named     it ends with 2 and one line that names the file
silent    it ends with 0: the damage is in what it wrote, or it has not read the file
other     anything else, such as a traceback

The state of an unfinished training, which is left for the one before, is tried in tests/provenance/test_checksums.py.
"""

import argparse
import contextlib
import io
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import scipy.stats  # noqa: F401  before the first training, which hides it from a process that has not imported it

from uniapl.__main__ import main as uniapl

FLIPS, CUTS = 7, 2

Command = Callable[[Path, Path], list[str]]  # of the results and of an output: the arguments of `uniapl`


def train(arm: str, *more: str) -> Command:
    """The training of an arm from the base, with everything that it may read."""

    def command(root: Path, out: Path) -> list[str]:
        model = "seed0/model"
        line = ["train", "--scale", "smoke", "--arm", arm, "--seed", "0", "--data", root / "data", "--out", out]
        line += ["--start", root / f"train/base/{model}", "--base", root / f"train/base/{model}"]
        return [str(part) for part in (*line, "--discriminator", root / f"train/discriminator/{model}", *more)]

    return command


def generate(root: Path, out: Path) -> list[str]:
    base, data = root / "train/base/seed0/model", root / "data"
    line = ["generate", "--scale", "smoke", "--checkpoint", root / "train/sft/seed0/model", "--base", base]
    return [
        str(part) for part in (*line, "--prompts", data / "test.jsonl", "--expert", data / "expert.jsonl", "--out", out)
    ]


def score(root: Path, out: Path) -> list[str]:
    responses = root / "generate/test/sft/seed0/greedy.parquet"
    line = ["score", "--prompts", root / "data/test.jsonl", "--responses", responses, "--out", out / "scores.csv"]
    return [str(part) for part in line]


def of_root(stage: str, *more: str) -> Command:
    return lambda root, out: [stage, "--root", str(root), *more, "--out", str(out)]


def tables(root: Path, out: Path) -> list[str]:
    return ["tables", "--analysis", str(root / "analyse/headline"), "--out", str(out)]


def report(root: Path, out: Path) -> list[str]:
    """Of a folder without figures, which the page says."""
    return ["report", "--results", str(root), "--figures", str(root / "figures"), "--out", str(out / "report.html")]


KINDS: dict[str, tuple[str, str, Command]] = {  # kind: the file, another that is valid in its place, who reads it
    "training rows": ("data/train.jsonl", "data/validation.jsonl", train("sft")),
    "validation rows": ("data/validation.jsonl", "data/test.jsonl", train("sft")),
    "summary of the data": ("data/summary.json", "train/sft/seed0/run.json", report),
    "test prompts": ("data/test.jsonl", "data/validation.jsonl", score),
    "expert's responses": ("data/expert.jsonl", "data/test.jsonl", generate),
    "weights to start from": (
        "train/base/seed0/model/model.safetensors",
        "train/sft/seed0/model/model.safetensors",
        train("sft"),
    ),
    "configuration of a checkpoint": (
        "train/base/seed0/model/config.json",
        "train/discriminator/seed0/model/config.json",
        train("sft"),
    ),
    "tokenizer": ("train/base/seed0/model/tokenizer.json", "train/base/seed0/model/config.json", train("sft")),
    "weights to evaluate": (
        "train/sft/seed0/model/model.safetensors",
        "train/base/seed0/model/model.safetensors",
        generate,
    ),
    "discriminator": (
        "train/discriminator/seed0/model/model.safetensors",
        "train/sft/seed0/model/model.safetensors",
        train("uniapl"),
    ),
    "run card": (
        "train/sft/seed0/run.json",
        "train/grpo/seed0/run.json",
        of_root("analyse", "--experiment", "headline"),
    ),
    "history": (
        "train/sft/seed0/history.csv",
        "train/grpo/seed0/history.csv",
        of_root("analyse", "--experiment", "headline"),
    ),
    "responses": ("generate/test/sft/seed0/greedy.parquet", "generate/test/grpo/seed0/greedy.parquet", score),
    "sampled responses": (
        "generate/test/sft/seed0/sampled.parquet",
        "generate/test/grpo/seed0/sampled.parquet",
        of_root("analyse", "--experiment", "headline"),
    ),
    "log-probabilities": (
        "generate/test/sft/seed0/logprobs.parquet",
        "generate/test/grpo/seed0/logprobs.parquet",
        of_root("analyse", "--experiment", "headline"),
    ),
    "harness's record": (
        "generate/test/sft/seed0/harness.json",
        "generate/test/grpo/seed0/harness.json",
        of_root("analyse", "--experiment", "headline"),
    ),
    "version of the checkers": (
        "score/test/sft/seed0/checkers.json",
        "train/sft/seed0/run.json",
        of_root("analyse", "--experiment", "headline"),
    ),
    "scores": (
        "score/test/sft/seed0/greedy.csv",
        "score/test/sft/seed0/sampled.csv",
        of_root("analyse", "--experiment", "headline"),
    ),
    "general benchmarks": ("suite/uniapl/seed0.csv", "suite/base/seed0.csv", of_root("general")),
    "analysis": ("analyse/headline/main.csv", "analyse/headline/runs.csv", tables),
    "claims": ("analyse/headline/claims.csv", "analyse/headline/main.csv", of_root("overview")),
}


def damages(path: Path, other: Path, rng: random.Random) -> list[tuple[str, bytes]]:
    """Name and content of every damage to a file."""
    content, another, found = path.read_bytes(), other.read_bytes(), []
    if content == another:
        raise SystemExit(f"error: {other} has the same bytes as {path}: name another file in KINDS")
    for place in rng.sample(range(len(content)), min(FLIPS, len(content))):
        flipped = bytearray(content)
        flipped[place] ^= 1 << rng.randrange(8)
        found.append(("flipped", bytes(flipped)))
    found += [("cut", content[:place]) for place in rng.sample(range(len(content)), min(CUTS, len(content)))]
    return [*found, ("older", another)]


def outcome(command: list[str], file: Path) -> str:
    """What the command makes of the damaged file."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            uniapl(command)
    except SystemExit as ended:
        lines = [line for line in errors.getvalue().splitlines() if line.startswith("error: ")]
        named = ended.code == 2 and len(lines) == 1 and str(file) in lines[0]
        return "named" if named else "other" if ended.code else "silent"
    except Exception:
        return "other"
    return "silent"


def corruptions(results: Path, work: Path) -> dict[str, Counter]:
    """By kind and damage, how often each outcome."""
    root, counts, now = work / "smoke", {}, time.time_ns()
    shutil.copytree(results, root, symlinks=True)
    for kind, (name, other, command) in KINDS.items():
        path, rng, found = root / name, random.Random(kind), Counter()
        whole = path.read_bytes()
        for damage, content in damages(path, root / other, rng):
            path.write_bytes(content)
            now += 1  # all commands run in this process, which takes a file of the same time and size for the same file
            os.utime(path, ns=(now, now))
            found[damage, outcome(command(root, work / "out"), path)] += 1
            shutil.rmtree(work / "out", ignore_errors=True)
        path.write_bytes(whole)
        counts[kind] = found
        print(kind, dict(found), flush=True)
    return counts


def table(counts: dict[str, Counter]) -> str:
    """Markdown: a row per kind, and the sums."""
    outcomes = ("named", "silent", "other")
    lines = [f"| file | flipped | cut | older | {' | '.join(outcomes)} |", "| :-- " + "| --: " * 6 + "|"]
    for kind, found in counts.items():
        tried = [sum(n for (of, _), n in found.items() if of == damage) for damage in ("flipped", "cut", "older")]
        ended = [sum(n for (_, of), n in found.items() if of == outcome) for outcome in outcomes]
        lines.append(f"| {kind} | {' | '.join(map(str, [*tried, *ended]))} |")
    total = sum(n for found in counts.values() for n in found.values())
    return "\n".join([*lines, "", f"{total} corruptions."])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="results/local/smoke of a finished run")
    results = parser.parse_args(argv).results
    with tempfile.TemporaryDirectory() as work:
        print(table(corruptions(results.resolve(), Path(work))))


if __name__ == "__main__":
    main()
