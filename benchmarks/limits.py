"""What a gate, a prefix or a buffer costs by itself: methods at the limit where they train as GRPO does.

`python -m benchmarks.limits --data results/local/tiny/data --start results/local/tiny/train/base/seed0/model` trains
each for a few steps of scale tiny, in turns in one process on an idle machine, and prints the median seconds of a step
and their ratio to GRPO's. At the limit no token is added: the ratio is the method's own cost; to reach: <= 1.05.

    hpt         gate -1: no prompt is solved seldom enough for SFT
    relift      a buffer that is never full
    prefix_rft  prefixes of length 0
    trapo       thresholds -1: no part of a group is guided; its parts are still sampled one after another
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from baselines import grpo, hpt, prefix_rft, relift, trapo
from benchmarks.step import as_in_the_dag
from uniapl.config import Arm, arm_of, load_scale
from uniapl.config.job import Job

LIMITS = {
    "grpo": (grpo, {}),
    "hpt": (hpt, {"gate": -1}),
    "relift": (relift, {"buffer": 10**9}),
    "prefix_rft": (prefix_rft, {"prefix_high": 0.0, "prefix_low_end": 0.0}),
    "trapo": (trapo, {"thresholds": (-1.0, -1.0, -1.0, -1.0)}),
}


def seconds_per_step(name: str, data: Path, start: Path, steps: int) -> float:
    """Seconds of a step of the method at its limit, without the building of its trainer."""
    from transformers import PrinterCallback

    from uniapl.config.resolution import settings_of

    method, limit = LIMITS[name]
    scale, of_grpo = load_scale("tiny"), arm_of(load_scale("tiny"), "grpo", 0)
    settings = settings_of(scale, Arm(name, method, changes={"learning_rate": 5e-4, "steps": steps, **limit}))
    with tempfile.TemporaryDirectory() as folder:
        run = replace(of_grpo, arm=name, method=method, settings=settings)
        trainer = method.build(Job(run=run, data=data, start=start, state=Path(folder)))
        trainer.remove_callback(PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        return (time.perf_counter() - began) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the stage data at tiny")
    parser.add_argument("--start", type=Path, required=True, help="checkpoint of tiny's base")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    seconds: dict[str, list[float]] = {name: [] for name in LIMITS}
    for _ in range(args.rounds + 1):
        for name, measured in seconds.items():
            measured.append(seconds_per_step(name, args.data, args.start, args.steps))
    medians = {name: statistics.median(measured[1:]) for name, measured in seconds.items()}  # the first round warms up
    print(json.dumps({name: {"seconds": s, "ratio": s / medians["grpo"]} for name, s in medians.items()}, indent=2))


if __name__ == "__main__":
    as_in_the_dag("benchmarks.limits")
    main()
