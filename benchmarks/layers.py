"""What the discriminator on the policy's first layers costs beside the training that it scores for: ratios.

    python -m benchmarks.layers --model FOLDER [--layers 2 4 6 8 12] [--repeats 3]

One scoring: PROMPTS groups of GROUP rollouts of RESPONSE tokens, each with a prefix of PREFIX tokens (prompt,
reference, prompt), forward, the prefix shared. Beside it, alternating in one process: the policy's training pass on
these rollouts (forward and backward of the mean -log p, each row whole, its prompt a quarter of the prefix), and the
same scores without sharing. Medians. Token ids are random: only shapes matter.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from uniapl.discriminators import layers as first_layers
from uniapl.discriminators import pairs
from uniapl.errors import one_line_errors
from uniapl.models.checkpoints import load_policy

PROMPTS, GROUP, RESPONSE, PREFIX = 8, 6, 100, 200
ROWS = 8  # rows of a training micro-batch


def seconds(run: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rows(vocabulary: int, seed: int = 0) -> list[pairs.Row]:
    """The rollouts of a step, group after group."""
    draw = torch.Generator().manual_seed(seed)

    def ids(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(vocabulary, (length,), generator=draw).tolist())

    return [pairs.Row(prefix, ids(RESPONSE)) for prefix in (ids(PREFIX) for _ in range(PROMPTS)) for _ in range(GROUP)]


def training_pass(policy, scored: list[pairs.Row]) -> None:
    """Loss and gradient of the responses, ROWS rows at a time, a quarter of the prefix as their prompt."""
    prompt = PREFIX // 4
    for start in range(0, len(scored), ROWS):
        ids = torch.tensor([[*row.prefix[:prompt], *row.rest] for row in scored[start : start + ROWS]])
        logits = policy(ids, logits_to_keep=RESPONSE + 1, use_cache=False).logits[:, :-1]
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, prompt:].flatten()).backward()
    policy.zero_grad()


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the policy's start checkpoint")
    parser.add_argument("--layers", type=int, nargs="+", default=[2, 4, 6, 8, 12])
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args(argv)
    policy = load_policy(args.model)
    scored = rows(policy.config.vocab_size)
    models = {n: first_layers.from_start(args.model, n, RESPONSE).eval() for n in args.layers}
    runs: dict[str, Callable[[], object]] = {"training pass": lambda: training_pass(policy, scored)}
    for n, model in models.items():
        for share in (True, False):
            name = f"{n} layers, prefix {'shared' if share else 'not shared'}"
            runs[name] = lambda model=model, share=share: pairs.score(
                model, scored, batch=first_layers.BATCH, share=share
            )
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.repeats):
        for name, run in runs.items():
            taken[name].append(seconds(run))
    whole = statistics.median(taken["training pass"])
    print(f"{torch.get_num_threads()} thread(s), {PROMPTS} x {GROUP} rollouts of {RESPONSE} tokens, prefix {PREFIX}")
    for name, times in taken.items():
        print(f"{name:30s} {statistics.median(times):7.2f} s  {statistics.median(times) / whole:6.1%} of the pass")


if __name__ == "__main__":
    main()
