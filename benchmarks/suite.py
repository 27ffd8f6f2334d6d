"""How fast the parts are, as ratios: `python -m benchmarks.suite`. Reports, never asserts; run it on an idle machine.

scoring     our strict and loose verdicts against lm-eval's own `process_results`, same file, alternating
figures     `snakemake figures/` in a fresh copy of the tracked files
"""

import contextlib
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT_BISON = ROOT.parent / "shared/data/ifeval"
REPEATS = 5


def seconds(action) -> float:
    """Wall time of one call, its output swallowed."""
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        action()
    return time.perf_counter() - start


def alternating(*actions) -> list[float]:
    """Median seconds of each action over REPEATS rounds, so that a slow moment hits all of them."""
    rounds = [[seconds(action) for action in actions] for _ in range(REPEATS)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def scoring() -> str:
    if not TEXT_BISON.exists():
        return f"skipped: no {TEXT_BISON}"
    from lm_eval.tasks.ifeval import utils as reference

    from uniapl import checkers, score

    prompts = score.read_prompts(TEXT_BISON / "ifeval_input_textbison_matched.jsonl")
    responses = score.read_responses(TEXT_BISON / "ifeval_textbison_responses.jsonl")
    by_prompt = {row["prompt"]: row["response"] for row in responses}

    def theirs():
        for row in prompts:
            with contextlib.suppress(LookupError):  # sentence counting without NLTK's data
                reference.process_results(row, [by_prompt[row["prompt"]]])

    def ours():
        checkers.detect_language.cache_clear()  # a second round must not profit from the first
        score.score(prompts, responses)

    mine, upstream = alternating(ours, theirs)
    n = len(prompts)
    return f"ours {n / mine:.0f}/s, lm-eval {n / upstream:.0f}/s: ratio {upstream / mine:.1f}"


def figures() -> str:
    with tempfile.TemporaryDirectory() as folder:
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in names.splitlines():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        command = [sys.executable, "-m", "snakemake", "figures/", "--quiet", "all"]
        return f"{seconds(lambda: subprocess.run(command, cwd=folder, capture_output=True, check=True)):.1f} s"


if __name__ == "__main__":
    for part in (scoring, figures):
        print(f"{part.__name__}: {part()}", flush=True)
