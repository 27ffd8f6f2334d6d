"""What this machine lacks for a scale, before anything is paid for.

    uniapl preflight --scale paper                  a table of checks; exit code 1 where one does not pass
    uniapl preflight --scale paper --steps 16       sixteen steps of `grpo` and of `uniapl`, with what to read from them

Nothing is downloaded: what the hub's cache lacks is said, with the command that fetches it. The second needs the stages
data, base and discriminator, and says how to run them.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from uniapl.config import choose, load_scale
from uniapl.config.runs import Runs
from uniapl.costs.cpu import CpuEstimate, on_this_machine
from uniapl.costs.estimate import Estimate
from uniapl.costs.gpus import GPUS
from uniapl.errors import UserError, one_line_errors


def checks(runs: Runs, estimate: Estimate | CpuEstimate | None, folder: Path) -> dict[str, Callable]:
    """Name -> check, in the order in which a failure of one explains those of the next."""
    from huggingface_hub import constants

    from uniapl.preflight import inputs, machine

    def base() -> Path | None:
        try:
            return inputs.student(runs, folder)
        except UserError:
            return None

    results = Path("results/local") / runs.scale.name
    found: dict[str, Callable] = {
        "GPUs": partial(machine.gpus, runs),
        "driver": partial(machine.driver, runs),
        "environment": partial(machine.environment, runs),
        "sampler": partial(machine.sampler, runs),
        "pinned": partial(inputs.pinned, runs),
        "fetched": partial(inputs.fetched, runs),
        "files": partial(inputs.files, runs),
        "vLLM": lambda: machine.vllm(runs, base()),
        "discriminator": partial(inputs.discriminator, runs),
        "prompts": partial(inputs.prompts, runs),
        "suite": partial(inputs.benchmarks, runs),
        "order": partial(inputs.order, runs),
    }
    if estimate is not None:
        found["memory"] = partial(inputs.memory, estimate)
    if isinstance(estimate, Estimate):
        found["disk"] = partial(machine.disk, estimate, results, Path(constants.HF_HUB_CACHE))
    return found


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="paper")
    parser.add_argument("--gpus", type=int, default=8, help="how many there will be")
    parser.add_argument("--gpu", default="h100", help=", ".join(GPUS))
    parser.add_argument("--steps", type=int, help="train so many steps of two arms in the place of the checks")
    parser.add_argument("--root", type=Path, help="results of the stages before (default: results/local/SCALE)")
    args = parser.parse_args(argv)
    runs = Runs(load_scale(args.scale))
    runs.check()
    if args.steps is not None:
        from uniapl.preflight.steps import steps

        raise SystemExit(0 if steps(runs, args.steps, args.root or Path("results/local") / args.scale) else 1)
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")  # before the libraries read them
    from uniapl.preflight.finding import checked, show

    kind, estimate = GPUS[choose("--gpu", args.gpu, GPUS)], on_this_machine(runs, runs.default)
    if runs.scale.kind == "public" and any(needs.gpus for needs in runs.scale.resources.values()):
        estimate = Estimate(runs, runs.default, kind, args.gpus)
    with tempfile.TemporaryDirectory() as folder:
        found = [checked(name, check) for name, check in checks(runs, estimate, Path(folder)).items()]
    raise SystemExit(0 if show(f"preflight of scale {args.scale}", found) else 1)


if __name__ == "__main__":
    main()
