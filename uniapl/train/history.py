"""history.csv: one row per optimizer step, from what the trainer logged, and what the run consumed in all."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from uniapl.config import Method, StepRows
from uniapl.config.card import Cost
from uniapl.config.method import name_of
from uniapl.config.metrics import SHARED
from uniapl.errors import UserError

NAMES = {  # TRL's names of what it logs, and ours
    "loss": "loss",
    "rewards/follows_all/mean": "reward",  # without what shapes it
    "entropy": "entropy",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "completions/mean_length": "length",
    "completions/clipped_ratio": "clipped",
    "sampling/sampling_logp_difference/mean": "sampler_difference",
    "sampling/sampling_logp_difference/max": "sampler_difference_max",
    "sampling/importance_sampling_ratio/min": "sampler_ratio_min",
    "sampling/importance_sampling_ratio/mean": "sampler_ratio",
    "sampling/importance_sampling_ratio/max": "sampler_ratio_max",
    "frac_reward_zero_std": "zero_variance",
    "num_tokens": "tokens_seen",
    "accuracy": "accuracy",
}
LIBRARY = frozenset(  # what transformers and TRL log beside these: no columns
    "step epoch total_flos reward reward_std mean_reward min_reward max_reward margin mean_token_accuracy kl "
    "policy_loss entropy_coef aux_loss cispo_clip_ratio step_time".split()
)
LIBRARY_PREFIXES = ("train_", "eval_", "completions/", "clip_ratio/", "rewards/", "sampling/", "tools/", "vespo/")
COUNTED = ("demonstration_tokens",)  # logged, and added to `tokens_trained`


def check_metrics(names: Iterable[str], method: Method) -> None:
    """Raise UserError for a logged metric that neither the method declares nor every method may log."""
    for name in names:
        declared = name in NAMES or name in SHARED or name in COUNTED or name in method.METRICS
        if not declared and name not in LIBRARY and not name.startswith(LIBRARY_PREFIXES):
            file = getattr(method, "__file__", None)
            where = "/".join(Path(file).parts[-2:]) if file else name_of(method)
            raise UserError(
                f"{where}: the trainer logs {name!r}, which METRICS does not declare: add it, and what it is"
            )


def history(log: list[dict], method: Method, most: StepRows) -> list[dict]:
    """One row per optimizer step: what NAMES, the shared metrics and the method's say, and the tokens.

    tokens_generated: sampled response tokens, those of all rollouts where the method logs no number of its own;
    tokens_trained: prompt and response tokens in the loss. `most`: the rows of a step, where the method logs none.
    """
    declared = (SHARED.keys() | method.METRICS.keys() | set(COUNTED)) - NAMES.keys() - set(NAMES.values())
    rows: dict[int, dict] = {}
    for entry in log:
        row = rows.setdefault(entry["step"], {"step": entry["step"]})
        row |= {ours: entry[theirs] for theirs, ours in NAMES.items() if theirs in entry}
        seconds = row.get("seconds", 0) + entry.get("seconds", 0)  # a step that ends with an evaluation logs twice
        row |= {name: value for name, value in entry.items() if name in declared}
        row |= {"seconds": seconds} if seconds else {}
    seen = 0
    for step in sorted(rows):
        row = rows[step]
        if "tokens_seen" in row:
            now = row.pop("tokens_seen")
            row["tokens_trained"] = now - seen + row.pop("demonstration_tokens", 0)
            seen = now
        rollouts = row.get("rollouts", most.rollouts)
        if rollouts and "length" in row:
            row.setdefault("tokens_generated", row["length"] * rollouts)
    return [rows[step] for step in sorted(rows)]


def total_cost(rows: list[Mapping], steps: int, most: StepRows) -> Cost:
    """What the run consumed in all. Rows are those that the history counts; else every step has had the most."""

    def total(name: str) -> float:
        return sum(row.get(name, 0) for row in rows)

    def consumed(name: str) -> float:
        return total(name) if any(name in row for row in rows) else steps * getattr(most, name)

    return Cost(
        optimizer_steps=steps,
        demonstration_rows=consumed("demonstration_rows"),
        rollouts=consumed("rollouts"),
        tokens_generated=total("tokens_generated"),
        tokens_trained=total("tokens_trained"),
        seconds=total("seconds"),
        peak_memory_mb=max(row.get("peak_memory_mb", 0) for row in rows),
    )


def write(rows: list[dict], path: Path) -> None:
    """Write the history, its columns in alphabetical order: a resumed log has another order of names."""
    pd.DataFrame(rows).set_index("step").sort_index(axis="columns").to_csv(path)
