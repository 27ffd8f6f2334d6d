"""Agreement and speed: `python -m benchmarks.checkers [PART ...] [--data FOLDER]`, all parts by default.

Reports, never asserts; run it on an idle machine. Times are CPU seconds, but for the figures. The first two parts read
published prompts and responses, FOLDER/ifeval and FOLDER/ifbench (docs/scorers.md), and are skipped without them.

agreement   our verdicts and the published ones, strict and loose, on text-bison's and on IFBench's sample responses
scoring     strict and loose verdicts of ours against lm-eval's own `process_results`, same file, alternating, and
            which part of the time is language detection                                     to reach: 5 times
reward      512 responses of the miniature's expert, strictly                                <= 2 % of a GRPO step
robustness  every type on adversarial texts of 100 kB (benchmarks/robustness.py)             <= 50 ms
streaming   CPU seconds and peak memory of `uniapl score` on 10^4 to 10^6 made responses     <= 1 GB, and linear
figures     `snakemake figures/` in a fresh copy of the tracked files
"""

import argparse
import contextlib
import functools
import io
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from uniapl.data.prompts import read_prompts
from uniapl.errors import one_line_errors
from uniapl.scorers.match import Pairs
from uniapl.scorers.responses import each_response

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 5
SIZES = (1_000, 10_000, 100_000, 1_000_000)  # responses; the first for what every process costs
STEPS = (0.35, 0.8)  # seconds of a GRPO step at tiny, the shortest and the longest seen on 2 cores


def seconds(action, clock=time.perf_counter) -> float:
    """Wall time of one call (or the time of another clock), its output swallowed."""
    start = clock()
    with contextlib.redirect_stdout(io.StringIO()):
        action()
    return clock() - start


def alternating(*actions) -> list[float]:
    """Median CPU seconds of each action over REPEATS rounds, so that a slow moment hits all of them.

    CPU time, because these actions run in one thread and wait for nothing: other work on the machine counts less.
    """
    rounds = [[seconds(action, time.process_time) for action in actions] for _ in range(REPEATS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


@contextlib.contextmanager
def published_checkers():
    """lm-eval's module of both rules, with seed 0 for languages and with Punkt without a language model.

    As published it draws the language and needs files that NLTK downloads. Raises ImportError where not installed.
    """
    import langdetect
    import nltk
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    with contextlib.ExitStack() as patches:

        def patch(*target):
            patches.enter_context(mock.patch.object(*target))

        patch(nltk, "download", lambda *args, **kwargs: False)
        from lm_eval.tasks.ifeval import instructions, instructions_util, utils

        punkt = PunktSentenceTokenizer(PunktParameters())
        patch(instructions_util, "_get_sentence_tokenizer", lambda: punkt)
        patch(nltk, "word_tokenize", functools.partial(nltk.word_tokenize, preserve_line=True))
        patch(langdetect.DetectorFactory, "seed", 0)
        patch(instructions.logger, "disabled", True)
        yield utils


def share_of(action, module, name: str) -> float:
    """The part of the action's time that passes in the function `module.name`."""
    inner, function = [], getattr(module, name)

    def timed(*args):
        start = time.process_time()
        try:
            return function(*args)
        finally:
            inner.append(time.process_time() - start)

    with mock.patch.object(module, name, timed):
        total = seconds(action, time.process_time)
    return sum(inner) / total


def _agreement_ifeval(folder: Path) -> tuple[dict, dict]:
    """Ours and the reference's verdicts on text-bison's responses, by (key, index, rule)."""
    from uniapl.jsonl import read_jsonl
    from uniapl.scorers import verdicts as score

    prompts = read_prompts(folder / "ifeval_input_textbison_matched.jsonl")
    frame = score.score(prompts, each_response(folder / "ifeval_textbison_responses.jsonl"))
    rules = ("strict", "loose")
    ours = {(row["key"], row["index"], rule): row[rule] for row in frame.to_dict("records") for rule in rules}
    rows = read_jsonl(folder / "reference_verdicts_textbison.jsonl")
    theirs = {(row["key"], i, rule): int(v) for row in rows for rule in rules for i, v in enumerate(row[rule])}
    return ours, theirs


def _agreement_ifbench(folder: Path) -> tuple[dict, dict]:
    """Ours and the published verdicts on the sample responses whose prompt is in the test file."""
    from uniapl.checkers import build_all, check
    from uniapl.jsonl import read_jsonl

    prompts = {row["prompt"].strip(): row for row in read_jsonl(folder / "ifbench_test.jsonl")}
    ours, theirs = {}, {}
    for rule in ("strict", "loose"):
        for row in read_jsonl(folder / f"published_verdicts_{rule}_half.jsonl"):
            if prompt := prompts.get(row["prompt"].strip()):
                built = build_all(prompt["instruction_id_list"], prompt["kwargs"])
                verdicts = getattr(check(built, row["response"]), rule)
                for i, pair in enumerate(zip(verdicts, row["follow_instruction_list"], strict=True)):
                    ours[prompt["key"], i, rule], theirs[prompt["key"], i, rule] = pair
    return ours, theirs


def agreement(data: Path) -> str:
    """`data`: the folder of the published files; a benchmark whose own folder is absent is skipped."""
    lines = []
    for name, folder, verdicts in (
        ("IFEval, text-bison", data / "ifeval", _agreement_ifeval),
        ("IFBench, half of its sample", data / "ifbench", _agreement_ifbench),
    ):
        if not folder.exists():
            lines.append(f"{name}: skipped, no {folder}")
            continue
        ours, theirs = verdicts(folder)
        for rule in ("strict", "loose"):
            here = [at for at in theirs if at[2] == rule]
            differ = [f"key {key}, index {i}" for key, i, _ in here if ours[key, i, rule] != theirs[key, i, rule]]
            n = len(here)
            lines.append(
                f"{name}, {rule}: {n - len(differ)} of {n} verdicts agree; differ: {'; '.join(differ) or 'none'}"
            )
    return "\n  ".join(["", *lines])


def scoring(data: Path) -> str:
    """`data`: the folder of the published files."""
    folder = data / "ifeval"
    if not folder.exists():
        return f"skipped: no {folder}"
    import langdetect

    from uniapl.checkers import build_all, check, ifeval, texts

    prompts = read_prompts(folder / "ifeval_input_textbison_matched.jsonl")
    with Pairs(prompts) as answered:
        answered.answer(each_response(folder / "ifeval_textbison_responses.jsonl"))
        pairs = [(row, response) for row, (_, response) in zip(prompts, answered, strict=True)]

    def ours():
        texts.likeliest_language.cache_clear()  # a second round must not profit from having seen the texts
        verdicts = [check(build_all(row["instruction_id_list"], row["kwargs"]), text) for row, text in pairs]
        return [(list(each.strict), list(each.loose)) for each in verdicts]

    with published_checkers() as published:

        def theirs():
            verdicts = [published.process_results(row, [text]) for row, text in pairs]
            return [(f["inst_level_strict_acc"], f["inst_level_loose_acc"]) for f in verdicts]

        differ = [row["key"] for row, mine, other in zip(prompts, ours(), theirs(), strict=True) if mine != other]
        times = alternating(ours, theirs)
        shares = share_of(ours, ifeval, "detect_language"), share_of(theirs, langdetect, "detect")
    lines = [
        f"{name:8} {len(pairs) / t:6.0f} responses/s, {times[1] / t:4.1f} times, {share:4.0%} in language detection"
        for name, t, share in zip(("ours", "lm-eval"), times, shares, strict=True)
    ]
    return "\n  ".join(["", *lines, f"prompts with another verdict: {differ or 'none'}"])


def reward() -> str:
    from uniapl.checkers.reward import follows_all
    from uniapl.data.miniature.rows import BENCHMARKS, prompts_with_expert

    rows = prompts_with_expert(512, 0, next(iter(BENCHMARKS)), random.Random(0), set())
    completions = [[{"role": "assistant", "content": row["response"]}] for row in rows]
    instructions = [json.dumps([row["instruction_id_list"], row["kwargs"]]) for row in rows]
    (seconds,) = alternating(lambda: follows_all(completions, instructions))
    shares = " to ".join(f"{seconds / step:.1%}" for step in reversed(STEPS))
    return f"{1000 * seconds:.1f} ms for 512 responses: {shares} of a GRPO step of {STEPS[1]} to {STEPS[0]} s"


def robustness() -> str:
    from benchmarks import robustness

    return "\n  ".join(["", *robustness.table(robustness.slowest())])


def measured(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak memory (MB) of a command, in a process of its own."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6  # Linux counts in KiB


def make_responses(folder: Path, n: int) -> list[str]:
    """The options of `uniapl score` for n made prompts and responses of 100 letters, in another order."""
    rng, paths = random.Random(0), [folder / f"{name}{n}.jsonl" for name in ("prompts", "responses")]
    with open(paths[0], "w", encoding="utf-8") as prompts, open(paths[1], "w", encoding="utf-8") as responses:
        for key in range(n):
            row = {"key": key, "prompt": f"Write two sentences about rain and {key}, in quotation marks."}
            row["instruction_id_list"] = ["punctuation:no_comma", "startend:quotation"][: 1 + key % 2]
            prompts.write(json.dumps({**row, "kwargs": [{}] * len(row["instruction_id_list"])}) + "\n")
        for key in rng.sample(range(n), n):
            text = f'"It rains, and {key} are wet. The red fox is warm and sleeps under a tree that has no leaves."'
            responses.write(json.dumps({"key": key, "response": text}) + "\n")
    return ["--prompts", str(paths[0]), "--responses", str(paths[1]), "--out", str(folder / f"scores{n}.csv")]


def streaming(sizes: tuple[int, ...] = SIZES) -> str:
    """`sizes`: numbers of responses."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            command = [sys.executable, "-m", "uniapl", "score", *make_responses(Path(folder), n)]
            seconds_of, memory = measured(command)
            lines.append(f"{n:9,} responses: {seconds_of:7.1f} CPU s, {memory:5.0f} MB at most")
    return "\n  ".join(["", *lines])


def figures() -> str:
    with tempfile.TemporaryDirectory() as folder:
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in names.splitlines():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        command = [sys.executable, "-m", "snakemake", "figures/", "--quiet", "all"]
        return f"{seconds(lambda: subprocess.run(command, cwd=folder, capture_output=True, check=True)):.1f} s"


PARTS = {part.__name__: part for part in (agreement, scoring, reward, robustness, streaming, figures)}


@one_line_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="published prompts and responses")
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    if options.data and not options.data.is_dir():
        parser.error(f"--data {options.data}: no such folder")
    for name in options.parts or PARTS:
        if PARTS[name] not in (agreement, scoring):
            print(f"{name}: {PARTS[name]()}", flush=True)
        elif options.data:
            print(f"{name}: {PARTS[name](options.data)}", flush=True)
        else:
            print(f"{name}: skipped, no --data FOLDER with published prompts and responses", flush=True)


if __name__ == "__main__":
    main()
