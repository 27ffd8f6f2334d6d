"""A training of a few steps, as a process of its own: `python -m uniapl.preflight.train --help`."""

import argparse
import dataclasses
import sys
from pathlib import Path

from uniapl.config import arm_of, load_scale
from uniapl.config.job import Job
from uniapl.errors import one_line_errors
from uniapl.models.devices import on_all_devices
from uniapl.train.training import check_arguments, train


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--arm", required=True)
    parser.add_argument("--steps", type=int, required=True)
    for name in ("data", "base", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--discriminator", type=Path)
    args = parser.parse_args(argv)
    scale = load_scale(args.scale)
    run = arm_of(scale, args.arm, 0)
    fewer = {"steps": args.steps, "save_every": args.steps + 1, "probe_every": args.steps + 1, "warmup": 0}
    run = dataclasses.replace(run, settings=dataclasses.replace(run.settings, **fewer))
    job = Job(
        run=run,
        data=args.data,
        start=args.base,
        state=args.out / "state",
        discriminator=args.discriminator,
        base=args.base,
    )
    check_arguments(job)
    on_all_devices("uniapl.preflight.train", sys.argv[1:] if argv is None else argv, sharded=scale.compute.sharded)
    train(job, scale.evaluation, args.out)


if __name__ == "__main__":
    main()
