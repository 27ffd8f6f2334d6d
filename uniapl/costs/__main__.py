"""What a scale costs before it is run.

    python -m uniapl.costs --scale paper --gpus 8 --gpu h100

prints jobs per stage, GPU-hours per arm and in total, days at least, the teacher's tokens, memory of every kind of job,
disk, what does not fit with the setting to change, and every assumption. Prices are printed where you name them. The
exit code is 1 where something does not fit. Scale small, a language model without GPUs, has hours at measured rates of
a CPU (`uniapl rates --scale small` measures this machine's), and memory held against this machine's.
"""

import argparse

from uniapl.config import choose, load_scale
from uniapl.config.runs import Runs
from uniapl.costs import report, report_cpu
from uniapl.costs.cpu import on_this_machine
from uniapl.costs.estimate import Estimate
from uniapl.costs.gpus import GPUS
from uniapl.errors import UserError, one_line_errors


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--gpus", type=int, default=8, help="how many there are")
    parser.add_argument("--gpu", default="h100", help=", ".join(GPUS))
    parser.add_argument("--extended", action="store_true", help="the target `extended` in the place of `all`")
    parser.add_argument("--gpu-price", type=float, help="of a GPU-hour, in your currency")
    parser.add_argument("--token-prices", type=float, nargs=2, metavar=("IN", "OUT"), help="of a million tokens")
    args = parser.parse_args(argv)
    if args.gpus < 1:
        raise UserError(f"--gpus {args.gpus}: a plan needs at least one GPU")
    runs = Runs(load_scale(args.scale))
    runs.check()
    experiments = runs.extended if args.extended else runs.default
    if on_cpu := on_this_machine(runs, experiments):
        print(report_cpu.text(on_cpu))
        if on_cpu.does_not_fit:
            raise SystemExit(1)
        return
    if not any(needs.gpus for needs in runs.scale.resources.values()):
        print("\n".join(report.jobs_of(runs, experiments) + report.without_gpu(runs)))
        return
    if runs.scale.kind != "public":
        raise UserError(
            f"scale {args.scale}: GPU-hours are computed where the world is public, and this is {runs.scale.kind}"
        )
    estimate = Estimate(runs, experiments, GPUS[choose("--gpu", args.gpu, GPUS)], args.gpus)
    print(report.text(estimate, args.gpu_price, args.token_prices))
    if estimate.does_not_fit:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
