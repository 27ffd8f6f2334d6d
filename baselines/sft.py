"""SFT: trl.SFTTrainer, resumable, loss on the response alone. It also pretrains the miniature's base, on the corpus."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.common import arguments, training_rows
from uniapl.config import StepRows, choose, per_scale, setting
from uniapl.config.job import Job, Optimization, Teaching
from uniapl.jsonl import read_jsonl
from uniapl.models.checkpoints import load_policy, load_tokenizer, messages
from uniapl.models.devices import batch_sizes

if TYPE_CHECKING:
    from trl import SFTTrainer


def _demonstrations(job: Job) -> list[tuple[str, str]]:
    rows = training_rows(job)
    return [(row["prompt"], row["demonstration"]) for row in rows if row["demonstration"] is not None]


def _corpus(job: Job) -> list[tuple[str, str]]:
    return [
        (row["prompt"], row["completion"]) for row in read_jsonl(job.data / "corpus.jsonl", ("prompt", "completion"))
    ]


TEXTS = {"demonstrations": _demonstrations, "corpus": _corpus}


@dataclass(frozen=True, kw_only=True)
class Settings(Teaching, Optimization):
    text: str = setting("demonstrations", "demonstrations; the miniature's base reads the corpus")
    rows_per_step: int = per_scale("ours: not stated")
    prompt_loss: bool = setting(False, "SFT on responses alone; pretraining reads whole documents")
    adam_beta2: float = setting(0.999, "transformers' default")


def rows(job: Job) -> list[dict]:
    """The rows that are learned, in TRL's format of chats with `prompt_loss`, of prompts and completions without."""
    s = job.run.settings
    chats = []
    for prompt, text in TEXTS[choose("text", s.text, TEXTS)](job):
        chat, answer = messages(prompt), [{"role": "assistant", "content": text}]
        chats.append({"messages": chat + answer} if s.prompt_loss else {"prompt": chat, "completion": answer})
    return chats


METRICS: dict[str, str] = {}  # beside those that every method may log


def build(
    job: Job, trainer: "type[SFTTrainer] | None" = None, config: Mapping | None = None, **options
) -> "SFTTrainer":
    """The run's trainer: trl.SFTTrainer, bit for bit; or `trainer`, which extends it and has `options` more.

    `config` are arguments of SFTConfig beside the run's.
    """
    from datasets import Dataset
    from trl import SFTConfig

    from uniapl.method.sft import SFT

    s = job.run.settings
    args = SFTConfig(
        **arguments(job),
        **batch_sizes(s.rows_per_step, job.run.compute.rows_per_device),
        adam_beta2=s.adam_beta2,
        train_sampling_strategy="group_by_length",  # less padding
        max_length=None,
        **(config or {}),
    )
    return (trainer or SFT)(
        model=load_policy(job.start),
        args=args,
        train_dataset=Dataset.from_list(rows(job)),
        processing_class=load_tokenizer(job.start),
        **options,
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that every optimizer step consumes."""
    return StepRows(demonstration_rows=settings.rows_per_step)
