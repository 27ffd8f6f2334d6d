"""What the method costs: a UniAPL step against its parts, alternating in one process, medians and ratios.

`python -m benchmarks.step [--size tiny|30m] [--rounds 5]` on an idle machine; `--memory` compares peak memory at a
vocabulary of 151,936 instead. Rollouts are scripted, so generation, which GRPO and UniAPL share, dilutes no ratio.

    sum      UniAPL step / (GRPO step + SFT step + discriminator pass), same rows            to reach: <= 1.00
    first    the same in the first epoch, where the expert's own scores are computed too
    zero     UniAPL step with all added weights 0 / GRPO step                                <= 1.03
    prefix   discriminator pass with the group's prefix once / every pair independently      <= 0.50
    memory   peak of UniAPL / peak of GRPO, above the peak before the first step             <= 1.10
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass

from uniapl.dag.snakemake import MALLOC


@dataclass(frozen=True)
class Shape:
    """A policy from scratch and the lengths, in tokens, of what it trains on; `group` rollouts for each prompt."""

    hidden: int
    layers: int
    intermediate: int
    heads: int
    vocabulary: int
    prompt: int
    reference: int
    response: int
    prompts: int
    group: int = 8
    kv_heads: int | None = None  # None: as many as heads
    head: int | None = None  # None: hidden / heads


SHAPES = {
    "tiny": Shape(64, 3, 192, 2, 768, 40, 24, 28, prompts=10),
    "30m": Shape(384, 8, 2560, 6, 8192, 200, 300, 300, prompts=1),
    "memory": Shape(64, 2, 192, 2, 151_936, 100, 100, 100, prompts=1),
}


def policy(shape: Shape):
    """A random Qwen3 of the shape."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        intermediate_size=shape.intermediate,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads or shape.heads,
        head_dim=shape.head or shape.hidden // shape.heads,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=True,
        pad_token_id=0,
        eos_token_id=1,
    )
    return Qwen3ForCausalLM(config)


def tokenizer():
    """One token per word `w2` ... `w511`, with a chat template of nothing but contents."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<pad>": 0, "<end>": 1} | {f"w{i}": i for i in range(2, 512)}
    inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
    fast.chat_template = (
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %} <end>{% endif %} {% endfor %}"
    )
    return fast


def text(rng: random.Random, n: int) -> str:
    """`n` words."""
    return " ".join(f"w{rng.randrange(2, 512)}" for _ in range(n))


def scripted(trainer, shape: Shape):
    """The trainer with rollouts of exactly `shape.response` tokens, equal in every trainer."""
    rng = random.Random(1)
    ids = [[rng.randrange(2, 512) for _ in range(shape.response)] for _ in range(shape.prompts * shape.group)]
    trainer._generate_single_turn = lambda *args, **kwargs: (ids, None)
    return trainer


class Scorer:
    """A reward model of the policy's shape over random tokens: prompt, reference, prompt again, then the response."""

    def __init__(self, shape: Shape):
        from transformers import AutoModelForSequenceClassification

        from uniapl.discriminators.pairs import Row, fastest_device

        config = policy(shape).config
        config.num_labels = 1
        model = AutoModelForSequenceClassification.from_config(config).eval().requires_grad_(False)
        self.model = model.to(fastest_device())
        self.row = Row

    def rows(self, prompts, references, responses):
        """Ids of word texts: `w7` is 7."""

        def ids(words):
            return tuple(int(word[1:]) if word.startswith("w") else 0 for word in words.split())

        return [
            self.row((*ids(p), *ids(r), *ids(p)), (*ids(y), 1))
            for p, r, y in zip(prompts, references, responses, strict=True)
        ]

    def score(self, prompts, references, responses, share: bool = True):
        from uniapl.discriminators.pairs import score

        return score(self.model, self.rows(prompts, references, responses), batch=128, share=share)


def checksum_of(completions, **_):
    """A reward in 0 to 96 with variance in every group, the same in every process: `hash` of a text is not."""
    return [float(zlib.crc32(c[0]["content"].encode()) % 97) for c in completions]


def trainers(shape: Shape, folder: str) -> dict:
    """grpo, zero, uniapl and sft on the same rows, each after one step; with the rows of a step."""
    import torch
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

    from uniapl import UniAPLConfig, UniAPLTrainer
    from uniapl.models.startup import project_labels_alone

    project_labels_alone()  # as every training of the DAG
    rng = random.Random(0)
    rows = [
        {"prompt": [{"role": "user", "content": text(rng, shape.prompt)}], "demonstration": text(rng, shape.reference)}
        for _ in range(shape.prompts * shape.group)
    ]
    gpu = torch.cuda.is_available()
    shared = {"output_dir": folder, "max_steps": 1, "report_to": "none", "save_strategy": "no", "use_cpu": not gpu}
    shared |= {"disable_tqdm": True, "bf16": gpu, "gradient_checkpointing": False, "logging_strategy": "no"}
    rl = {**shared, "num_generations": shape.group, "max_completion_length": shape.response, "disable_dropout": True}
    rl |= {"per_device_train_batch_size": shape.prompts * shape.group}
    common = {"reward_funcs": [checksum_of], "train_dataset": Dataset.from_list(rows), "processing_class": tokenizer()}
    mixed = {"mu_peak": 0.5, "mu_valley": 0.5, "lam": 0.1, "demonstrations_per_step": len(rows)}
    completions = [
        {"prompt": row["prompt"], "completion": [{"role": "assistant", "content": row["demonstration"]}]}
        for row in rows
    ]
    scorer = Scorer(shape)
    makers = {
        "grpo": lambda: scripted(GRPOTrainer(model=policy(shape), args=GRPOConfig(**rl), **common), shape),
        "zero": lambda: scripted(
            UniAPLTrainer(model=policy(shape), args=UniAPLConfig(**rl), discriminator=scorer, **common), shape
        ),
        "uniapl": lambda: scripted(
            UniAPLTrainer(model=policy(shape), args=UniAPLConfig(**rl, **mixed), discriminator=scorer, **common), shape
        ),
        "sft": lambda: SFTTrainer(
            model=policy(shape),
            args=SFTConfig(**shared, per_device_train_batch_size=len(rows), max_length=None),
            train_dataset=Dataset.from_list(completions),
            processing_class=tokenizer(),
        ),
    }
    return {"made": makers, "rows": rows, "scorer": scorer}


def step(trainer, batch) -> None:
    """One optimizer step on a batch of the trainer's own loader."""
    trainer.training_step(trainer.model_wrapped, dict(batch) if isinstance(batch, dict) else batch, None)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()


def wait() -> None:
    """Until the GPU, where there is one, has done what it was told."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measure(shape: Shape, rounds: int) -> dict[str, float]:
    """Median seconds of each part over alternating rounds, after one warm-up, and the ratios of the docstring."""
    with tempfile.TemporaryDirectory() as folder:
        parts = trainers(shape, folder)
        ready = {}
        for name, make in parts["made"].items():
            ready[name] = trainer = make()
            trainer.train()
        batches = {name: next(iter(t.get_train_dataloader())) for name, t in ready.items()}
        questions = [row["prompt"][0]["content"] for row in parts["rows"][: shape.prompts] for _ in range(shape.group)]
        references = [row["demonstration"] for row in parts["rows"][: shape.prompts] for _ in range(shape.group)]
        rng = random.Random(1)
        answers = [text(rng, shape.response) for _ in questions]
        actions = {name: lambda name=name: step(ready[name], batches[name]) for name in ready}
        actions["first"] = lambda: (ready["uniapl"].adversary.expert_scores.clear(), actions["uniapl"]())
        actions["score"] = lambda: parts["scorer"].score(questions, references, answers)
        actions["score_pairs"] = lambda: parts["scorer"].score(questions, references, answers, share=False)
        spent = {name: [] for name in actions}
        for _ in range(rounds):
            for name, action in actions.items():
                start = time.perf_counter()
                action()
                wait()
                spent[name].append(time.perf_counter() - start)
    median = {name: statistics.median(values) for name, values in spent.items()}
    parts = median["grpo"] + median["sft"] + median["score"]
    ratios = {
        "sum": median["uniapl"] / parts,
        "first": median["first"] / parts,
        "zero": median["zero"] / median["grpo"],
        "prefix": median["score"] / median["score_pairs"],
    }
    return {**{f"{name} (s)": round(value, 4) for name, value in median.items()}, **ratios}


def peak_memory(name: str) -> float:
    """MiB that two steps of one trainer need above what was resident before."""
    from uniapl.provenance import peak_memory_mb

    shape = SHAPES["memory"]
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainers(shape, folder)["made"][name]()
        before = peak_memory_mb()
        trainer.train()
        return peak_memory_mb() - before


def as_in_the_dag(module: str) -> None:
    """Start this module again with the memory settings of the DAG, which are read at start only."""
    if not MALLOC.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **MALLOC})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("tiny", "30m"), default="tiny")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(peak_memory(args.one)))
        return
    if args.memory:
        command = [sys.executable, "-m", "benchmarks.step", "--one"]
        returned = {name: "131072" for name in MALLOC}  # glibc's default: what is freed leaves the process
        runs = {
            name: subprocess.run(
                [*command, name], capture_output=True, text=True, check=True, env=os.environ | returned
            )
            for name in ("grpo", "uniapl")
        }
        peaks = {name: json.loads(run.stdout.splitlines()[-1]) for name, run in runs.items()}
        print(json.dumps({**peaks, "memory": peaks["uniapl"] / peaks["grpo"]}, indent=2))
        return
    import torch

    torch.set_num_threads(1)
    print(json.dumps({"size": args.size, **measure(SHAPES[args.size], args.rounds)}, indent=2))


if __name__ == "__main__":
    as_in_the_dag("benchmarks.step")
    main()
