"""SFT until its validation loss stops falling: the first stage of a pipeline that switches by RETU's rule.

RETU (arXiv 2512.11470; LINs-lab/RETU 5fbdfcb, README.md) says to switch from SFT to RL once the validation loss is at
its plateau. It states no number for that; here, with v_k the loss at the k-th evaluation, SFT ends after evaluation k
as soon as

    min(v_1 ... v_k) >= (1 - least_gain) min(v_1 ... v_(k - patience))

The second stage is baselines/grpo.py, from this stage's checkpoint. v is the mean over validation prompts of the
expert's negative log-likelihood per token. A plateau that never comes is SFT of `steps` steps, bit for bit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import sft
from uniapl.config import setting
from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.models.checkpoints import messages

if TYPE_CHECKING:
    from trl import SFTTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(sft.Settings):
    evaluate_every: int = setting(10, "ours: steps between evaluations; RETU saves a checkpoint every 360 steps")
    patience: int = setting(2, "ours: evaluations without gain; RETU reads its plateau from a curve")
    least_gain: float = setting(0.01, "ours: share of the loss by which it must fall within `patience` evaluations")
    validation_prompts: int = setting(64, "ours: as many as the probe has at tiny; RETU's Val-199 has 199")


METRICS = {"validation_loss": "negative log-likelihood of the expert's responses to validation prompts, per token"}


def validation_rows(job: Job) -> list[dict]:
    """Validation prompts of the trained types with the expert's responses, in TRL's format of prompt and completion."""
    from uniapl.data.prompts import responses_of

    path, count = job.data / "expert.jsonl", job.run.settings.validation_prompts
    if not path.is_file():
        raise UserError(f"arm {job.run.arm} needs the expert's responses to validation prompts: there is no {path}")
    rows = read_jsonl(job.data / "validation.jsonl", ("key", "prompt", "benchmark"))
    rows = [row for row in rows if row["benchmark"] == "trained"][:count]
    if not rows:
        raise UserError(f"{job.data / 'validation.jsonl'}: no prompt of a trained type, by which to end SFT")
    expert = responses_of(path, rows)
    chats = [[{"role": "assistant", "content": expert[row["key"]]}] for row in rows]
    return [{"prompt": messages(row["prompt"]), "completion": chat} for row, chat in zip(rows, chats, strict=True)]


def build(job: Job) -> "SFTTrainer":
    """The run's trainer: baselines/sft.py's, with an end that depends on the validation loss."""
    from datasets import Dataset

    from baselines.sft_plateau_trainer import PlateauTrainer

    s = job.run.settings
    return sft.build(
        job,
        trainer=PlateauTrainer,
        eval_dataset=Dataset.from_list(validation_rows(job)),
        evaluate_every=s.evaluate_every,
        patience=s.patience,
        least_gain=s.least_gain,
    )


most_per_step = sft.most_per_step
