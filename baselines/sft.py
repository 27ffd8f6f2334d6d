"""SFT: stock trl.SFTTrainer, loss on the response alone. It also pretrains the miniature's base, on the corpus."""

from dataclasses import dataclass

from uniapl.config import choose, setting
from uniapl.job import Job, Optimization, arguments, load_policy, load_tokenizer, messages
from uniapl.rows import read_jsonl

TEXTS = {"demonstrations": ("train.jsonl", "demonstration"), "corpus": ("corpus.jsonl", "completion")}


@dataclass(frozen=True)
class Settings(Optimization):
    text: str = setting("demonstrations", "demonstrations; the miniature's base reads the corpus")
    rows_per_step: int = setting(32, "ours: not stated")
    prompt_loss: bool = setting(False, "SFT on responses alone; pretraining reads whole documents")
    adam_beta2: float = setting(0.999, "transformers' default")


def rows(job: Job) -> list[dict]:
    """The rows that are learned, in TRL's prompt-completion format."""
    file, column = TEXTS[choose("text", job.run.settings.text, TEXTS)]
    return [
        {"prompt": messages(row["prompt"]), "completion": [{"role": "assistant", "content": row[column]}]}
        for row in read_jsonl(job.data / file)
    ]


def build(job: Job):
    """A trl.SFTTrainer for the run."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    s = job.run.settings
    args = SFTConfig(
        **arguments(job),
        per_device_train_batch_size=s.rows_per_step,
        adam_beta2=s.adam_beta2,
        completion_only_loss=not s.prompt_loss,
        train_sampling_strategy="group_by_length",  # less padding
        max_length=None,
    )
    return SFTTrainer(
        model=load_policy(job.start),
        args=args,
        train_dataset=Dataset.from_list(rows(job)),
        processing_class=load_tokenizer(job.start),
    )


def cost_per_step(settings: Settings) -> dict:
    """Rows that one optimizer step consumes."""
    return {"demonstration_rows": settings.rows_per_step, "rollouts": 0}
