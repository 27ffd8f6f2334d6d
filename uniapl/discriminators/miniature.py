"""The frozen discriminator of the miniature world: a small POLAR, trained on scripted policies before any arm.

input   P \\n reference <|reward|> P \\n response <|end|>     (POLAR, arXiv 2507.05197, with our separator tokens)
score   scalar head at the last token, unbounded
loss    - log sigma(score(chosen) - score(rejected)), trl.RewardTrainer

As a trainer of the DAG: `Settings`, `build`, `cost_per_step`. As a discriminator: `load`.
"""

from dataclasses import dataclass
from pathlib import Path

from uniapl.config import setting
from uniapl.data.miniature.model import END, REWARD
from uniapl.jsonl import read_jsonl
from uniapl.models.checkpoints import Job, Optimization, arguments, load_tokenizer


@dataclass(frozen=True)
class Settings(Optimization):
    layers: int = setting(2, "ours: two layers of the policy's width")
    pairs_per_step: int = setting(32, "ours: enough for a held-out accuracy well above chance without saturation")
    response_tokens: int = setting(56, "ours: POLAR keeps 4096; here the longest rollout and a margin")
    weight_decay: float = setting(0.01, "ours: the family of scripted policies is small")


def layout(prompt: list[int], reference: list[int], response: list[int], *, newline, separator, end, limit):
    """A pair's token ids as `pairs.Row`, at most `limit`: a prompt that is too long keeps its last tokens (POLAR)."""
    from uniapl.discriminators.pairs import Row

    room = (limit - 4 - len(reference) - len(response)) // 2
    prompt = prompt[-room:] if room > 0 else []
    return Row((*prompt, newline, *reference, separator, *prompt, newline), (*response, end))


class Encoder:
    """Turns texts into `layout` rows; the three texts are tokenized apart, so no merge crosses a border."""

    def __init__(self, tokenizer, response_tokens: int):
        self.tokenizer, self.response_tokens = tokenizer, response_tokens
        self.marks = {
            "newline": tokenizer.encode("\n", add_special_tokens=False)[0],
            "separator": tokenizer.convert_tokens_to_ids(REWARD),
            "end": tokenizer.convert_tokens_to_ids(END),
            "limit": tokenizer.model_max_length,
        }

    def __call__(self, prompts: list[str], references: list[str], responses: list[str]) -> list:
        """One `pairs.Row` per pair."""
        from uniapl.discriminators.pairs import text_ids

        cut, ids = self.response_tokens, [text_ids(self.tokenizer, texts) for texts in (prompts, references, responses)]
        return [layout(p, reference[:cut], y[:cut], **self.marks) for p, reference, y in zip(*ids, strict=True)]


def load(folder: Path):
    """The frozen `pairs.Scorer` of a checkpoint that the arm `discriminator` wrote."""
    import torch
    from transformers import AutoModelForSequenceClassification

    from uniapl.discriminators.pairs import Scorer, fastest_device

    tokenizer = load_tokenizer(folder)  # first: it says in one line where the folder holds no checkpoint
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return Scorer(model.to(fastest_device()), Encoder(tokenizer, model.config.response_tokens))


def build(job: Job):
    """A trl.RewardTrainer on the scripted policies' triples; held-out triples are its evaluation set."""
    import torch
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    from uniapl.discriminators.pairs import from_policy

    s = job.run.settings
    tokenizer = load_tokenizer(job.start)
    encoder = Encoder(tokenizer, s.response_tokens)
    triples = read_jsonl(job.data / "comparisons.jsonl")

    def pairs(split: str) -> Dataset:
        rows = [row for row in triples if row["split"] == split]
        prompts, references = [r["prompt"] for r in rows], [r["reference"] for r in rows]
        sides = {
            f"{side}_ids": [[*row.prefix, *row.rest] for row in encoder(prompts, references, [r[side] for r in rows])]
            for side in ("chosen", "rejected")
        }
        return Dataset.from_dict(sides)

    torch.manual_seed(job.run.seed)
    return RewardTrainer(
        model=from_policy(job.start, s.layers, response_tokens=s.response_tokens),
        args=RewardConfig(**arguments(job), per_device_train_batch_size=s.pairs_per_step, max_length=None),
        train_dataset=pairs("train"),
        eval_dataset=pairs("heldout"),
        processing_class=tokenizer,
    )


def cost_per_step(settings: Settings) -> dict:
    """Rows that one optimizer step consumes: none of the policy's."""
    return {"demonstration_rows": 0, "rollouts": 0}
