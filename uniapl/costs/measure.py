"""What this machine's CPU does with a scale's policy, measured in minutes: what `uniapl plan` reckons with.

    uniapl rates --scale small                      writes results/local/small/rates.json
    uniapl rates --scale small --out FILE.json      writes another file

The policy has random weights of the base's shape: time does not depend on their values. Measured are steps of the
sampler at a step's rollouts, at an eighth of them and after long contexts; a training pass of a group of rollouts over
packed rows; a pass to log-probabilities. Each is the median of three, in as many processes at a time as a run has jobs
here. Leave the machine idle meanwhile.
"""

import argparse
import datetime
import multiprocessing
import platform
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from uniapl.config import Scale, load_scale
from uniapl.config.resources import cores_here
from uniapl.config.runs import Runs
from uniapl.costs import machine, rates
from uniapl.costs.assumptions import ON_CPU
from uniapl.costs.fit import per_step
from uniapl.costs.shapes import Shape, shape_of
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import versions

STEPS, REPEATS = 6, 3  # decoding steps of a reading; readings of each


def cpu_name() -> str:
    """The processor's name, as Linux has it; elsewhere its architecture."""
    info = Path("/proc/cpuinfo")
    said = info.read_text(encoding="utf-8") if info.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", said, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def policy(shape: Shape):
    """A policy of this shape with random weights, in float32. Raises UserError for a mixture of experts."""
    from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3Config

    if shape.experts > 1:
        raise UserError("a mixture of experts is not measured: the engine's sampler knows none")
    config = Qwen3Config if shape.qk_norm else LlamaConfig
    return AutoModelForCausalLM.from_config(
        config(
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            head_dim=shape.head,
            intermediate_size=shape.intermediate,
            vocab_size=shape.vocabulary,
            tie_word_embeddings=shape.tied,
            max_position_embeddings=8_192,
        )
    )


def seconds(work: Callable[[], object]) -> float:
    """The median time of `work`, after one that warms up."""
    work()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def decoding(model, dtype, few: int, many: int, near: int, far: int) -> tuple[float, float, float]:
    """(`step`, `token`, `context`) of Rates: of steps of `few` and `many` rows after `near` and `far` tokens."""
    from uniapl.models.decoder import Decoder
    from uniapl.models.sampler import sample

    decoder = Decoder(model, dtype)

    def step(rows: int, before: int) -> float:
        prompts = [[1] * (before - STEPS // 2)] * rows  # one prompt, which its rows share
        long, short = (seconds(lambda n=n: sample(decoder, prompts, n, [])) for n in (1 + STEPS, 1))
        return (long - short) / STEPS

    return rates.split(few, many, near, far, (step(few, near), step(many, near), step(many, far)))


def training(model, dtype, rows: int, prompt: int, response: int) -> float:
    """Tokens per second of a training pass of a group: `rows` responses to one prompt, over packed rows."""
    import torch
    from trl.trainer.utils import add_fused_lm_head

    from uniapl.method.engine import attention
    from uniapl.method.engine.trainer import packed_pass

    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    model.set_attn_implementation(attention.register())
    ids = torch.randint(1, model.config.vocab_size, (rows, prompt + response))
    ids[:, :prompt] = ids[0, :prompt]

    def once() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            packed_pass(model, ids, torch.ones_like(ids), response, fast_head=True)[0].sum().backward()
        model.zero_grad()

    return (prompt + rows * response) / seconds(once)


def forward(model, rows: int, prompt: int, response: int) -> float:
    """Tokens per second of a pass to log-probabilities, in float32 as everywhere."""
    import torch

    from uniapl.models.logprobs import token_logprobs

    ids = torch.randint(1, model.config.vocab_size, (rows, prompt + response)).tolist()
    return rows * (prompt + response) / seconds(lambda: token_logprobs(model, [(r[:prompt], r[prompt:]) for r in ids]))


def measure(scale: Scale, shape: Shape, jobs: int, threads: int) -> rates.Rates:
    """The rates of one of `jobs` processes at the scale's rollouts, or its evaluation's batch where no arm has any."""
    import torch

    from uniapl.models.precision import computing_dtype

    torch.set_num_threads(threads)
    runs, c, evaluation = Runs(scale), ON_CPU, scale.evaluation
    trained = [runs.run(arm, 0) for arm in runs.arms if arm not in runs.fetched]
    many, limit, group = max(
        ((per_step(run)[0], run.settings.max_new_tokens, run.settings.group) for run in trained if per_step(run)[0]),
        default=(evaluation.batch, evaluation.max_new_tokens, 8),
    )
    prompt = round(c.prompt_tokens)
    response = round(rates.Lengths(c.median, c.spread).mean(limit))
    dtype, model = computing_dtype(scale.compute), policy(shape)
    far = prompt + evaluation.max_new_tokens
    step, token, context = decoding(model, dtype, max(1, many // 8), many, prompt, far)
    return rates.Rates(
        model=machine.model_of(scale),
        machine=f"{cpu_name()}, {cores_here()} core(s)",
        precision=str(dtype).removeprefix("torch."),
        date=datetime.date.today().isoformat(),
        note="measured by `uniapl rates`",
        jobs=jobs,
        threads=threads,
        versions=versions(),
        step=step,
        token=token,
        context=context,
        forward=forward(model, group, prompt, response),
        train=training(model, dtype, group, prompt, response),
    )


def one_of(name: str, jobs: int, threads: int) -> rates.Rates:
    """The rates of one of so many processes, of the scale of this name: a scale holds modules, and is not sent."""
    scale = load_scale(name)
    return measure(scale, shape_of(machine.model_of(scale)), jobs, threads)


def side_by_side(name: str, jobs: int, threads: int) -> rates.Rates:
    """The mean rates of so many processes that measure at the same time, as a run's jobs share the machine."""
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(one_of, *zip(*[(name, jobs, threads)] * jobs, strict=True)))
    measured = ("step", "token", "context", "train", "forward")
    return replace(found[0], **{name: statistics.mean(getattr(one, name) for one in found) for name in measured})


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--out", type=Path, help=f"default: {rates.OWN}")
    args = parser.parse_args(argv)
    scale = load_scale(args.scale)
    if not machine.planned(scale):
        raise UserError(f"scale {args.scale}: has no plan on a CPU, so no rates: `uniapl plan` says what there is")
    path = args.out or Path(rates.OWN.format(scale=scale.name))
    runs = Runs(scale)
    rates.write(side_by_side(scale.name, machine.at_once(runs), runs.needs("train").cores), path)
    print(path.read_text(), end="")
    print(f"written to {path}; uniapl plan --scale {scale.name}")


if __name__ == "__main__":
    main()
