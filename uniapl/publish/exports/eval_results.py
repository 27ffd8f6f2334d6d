"""Hugging Face's evaluation results: `.eval_results/uniapl-repro.yaml` of each arm's model repository.

By huggingface_hub's own helpers. The hub shows a result beside the benchmark's others once `dataset_id` is a data set
that is registered there; a task is a benchmark of the set with its metric.
"""

from pathlib import Path

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml, parse_eval_result_entries

from uniapl.errors import UserError
from uniapl.publish.exports.numbers import Number, Set, model_name

NAME = ".eval_results/uniapl-repro.yaml"


def entry(number: Number, set_: Set, dataset: str, source: str | None) -> EvalResultEntry:
    """One number: its value in percent, its interval in the notes."""
    notes = (
        f"95 % interval [{number.low:.1f}, {number.high:.1f}] ({number.method}); {number.n_seeds} seed(s), "
        f"{number.n_prompts} prompts, greedy; set {set_.manifest['id']}"
    )
    named = {"source_url": source, "source_name": "UniAPL-repro"} if source else {}
    task = f"{number.benchmark}_{number.metric}"
    return EvalResultEntry(dataset_id=dataset, task_id=task, value=number.estimate, notes=notes, **named)


def write(set_: Set, out: Path, dataset: str | None = None, source: str | None = None) -> list[Path]:
    """A folder per arm. Raises UserError without the hub's id of the test prompts."""
    if not dataset:
        raise UserError(
            "--form eval-results needs --dataset OWNER/NAME: the hub's data set that holds the test prompts of "
            f"{set_.manifest['id']} (SHA-256 {set_.prompts[:12]})"
        )
    paths = []
    for arm in set_.arms:
        path = out / model_name(set_, arm) / NAME
        path.parent.mkdir(parents=True)
        entries = eval_result_entries_to_yaml([entry(number, set_, dataset, source) for number in set_.of(arm)])
        path.write_text(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True), encoding="utf-8")
        paths.append(path)
    return paths


def read(path: Path) -> dict[str, float]:
    """task -> value in percent of a file that `write` wrote."""
    entries = parse_eval_result_entries(yaml.safe_load(path.read_text(encoding="utf-8")))
    return {one.task_id: one.value for one in entries}
