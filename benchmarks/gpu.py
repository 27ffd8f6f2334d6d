"""The method on a GPU: `make bench-gpu` writes results/published/gpu/step.json with its run card.

A random model of Qwen3-0.6B's shape, bfloat16 autocast, rows of realistic length, in one process: benchmarks.step's
alternating medians and ratios, and of GRPO's and UniAPL's step tokens/s and the share of the GPU's rate (MFU); the peak
memory of the process. UniAPL's rate counts its demonstration tokens too.

    throughput    UniAPL's tokens/s / GRPO's                                  to reach: >= 0.9
    discriminator the discriminator's pass over the rollouts / UniAPL's step  <= 0.15, generation left out
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.step import SHAPES, Shape, as_in_the_dag, measure
from uniapl import provenance
from uniapl.costs.gpus import GPUS
from uniapl.costs.shapes import SHAPES as MODELS
from uniapl.costs.shapes import Shape as Model
from uniapl.costs.time import training_flops
from uniapl.errors import UserError, one_line_errors

QWEN3 = MODELS["Qwen/Qwen3-0.6B"]
SIZES = {
    "tiny": SHAPES["tiny"],
    "30m": SHAPES["30m"],
    "600m": Shape(
        QWEN3.hidden,
        QWEN3.layers,
        QWEN3.intermediate,
        QWEN3.heads,
        QWEN3.vocabulary,
        200,
        300,
        300,
        prompts=1,
        kv_heads=QWEN3.kv_heads,
        head=QWEN3.head,
    ),
}


def rates(shape: Shape, medians: dict[str, float], peak: float | None) -> dict[str, float]:
    """tokens/s of a GRPO and of a UniAPL step, their ratio, the discriminator's share and, with a peak rate, the MFU.

    A rollout row is prompt and response; UniAPL's step learns as many rows of prompt and reference.
    """
    rows = shape.prompts * shape.group
    lengths = {"grpo": [shape.prompt + shape.response]}
    lengths["uniapl"] = [*lengths["grpo"], shape.prompt + shape.reference]
    model = Model(
        shape.hidden,
        shape.layers,
        shape.heads,
        shape.kv_heads or shape.heads,
        shape.head or shape.hidden // shape.heads,
        shape.intermediate,
        shape.vocabulary,
    )
    table = {}
    for name, of_rows in lengths.items():
        seconds = medians[f"{name} (s)"]
        table[f"{name} (tokens/s)"] = rows * sum(of_rows) / seconds
        if peak:
            flops = sum(training_flops(model, rows * length, length, False) for length in of_rows)
            table[f"{name} (MFU)"] = flops / seconds / peak
    table["throughput"] = table["uniapl (tokens/s)"] / table["grpo (tokens/s)"]
    table["discriminator"] = medians["score (s)"] / medians["uniapl (s)"]
    return table


def rate_of(device: str) -> float | None:
    """The bfloat16 rate of the GPU of this name, FLOP/s; None for one that uniapl/costs/gpus.py does not know."""
    return next((gpu.bf16 for name, gpu in GPUS.items() if name in device.lower().replace(" ", "")), None)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="600m")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--out", type=Path, help="a JSON file")
    args = parser.parse_args(argv)
    import torch

    if args.size == "600m" and not torch.cuda.is_available():
        raise UserError(
            "no NVIDIA GPU is visible: run it where `nvidia-smi -L` lists one; --size tiny tries the command"
        )
    torch.set_num_threads(1)  # as benchmarks.step; a trial on a CPU is no measurement
    shape = SIZES[args.size]
    medians = measure(shape, args.rounds)
    card = {
        "size": args.size,
        **medians,
        **rates(shape, medians, rate_of(provenance.device())),
        "peak memory (MiB)": provenance.peak_memory_mb(),
        "device": provenance.device(),
        "versions": provenance.versions(),
        "commit": provenance.commit(),
    }
    text = json.dumps(card, indent=2) + "\n"
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    as_in_the_dag("benchmarks.gpu")
    main()
