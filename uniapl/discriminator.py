"""The frozen discriminator: a miniature POLAR, which reads a reference first and then scores a response against it.

input   P \\n reference <|reward|> P \\n response <|end|>     (POLAR, arXiv 2507.05197, with our separator tokens)
score   scalar head at the last token, unbounded
loss    - log sigma(score(chosen) - score(rejected)), trl.RewardTrainer
"""

from dataclasses import dataclass
from pathlib import Path

from uniapl.config import setting
from uniapl.job import Job, Optimization, arguments, load_tokenizer
from uniapl.miniature.model import END, REWARD
from uniapl.rows import read_jsonl


@dataclass(frozen=True)
class Settings(Optimization):
    layers: int = setting(2, "ours: two layers of the policy's width")
    pairs_per_step: int = setting(32, "ours: enough for a held-out accuracy well above chance without saturation")
    response_tokens: int = setting(56, "ours: POLAR keeps 4096; here the longest rollout and a margin")
    weight_decay: float = setting(0.01, "ours: the family of scripted policies is small")


def layout(
    prompt: list[int], reference: list[int], response: list[int], *, newline, separator, end, limit
) -> list[int]:
    """Token ids of one scored pair, at most `limit`: POLAR keeps the last tokens of a prompt that is too long."""
    room = (limit - 4 - len(reference) - len(response)) // 2
    prompt = prompt[-room:] if room > 0 else []
    return [*prompt, newline, *reference, separator, *prompt, newline, *response, end]


class Encoder:
    """Turns texts into `layout` ids; the three texts are tokenized apart, so no merge crosses a border."""

    def __init__(self, tokenizer, response_tokens: int):
        self.tokenizer, self.response_tokens = tokenizer, response_tokens
        self.marks = {
            "newline": tokenizer.encode("\n", add_special_tokens=False)[0],
            "separator": tokenizer.convert_tokens_to_ids(REWARD),
            "end": tokenizer.convert_tokens_to_ids(END),
            "limit": tokenizer.model_max_length,
        }

    def _ids(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False)["input_ids"]

    def __call__(self, prompts: list[str], references: list[str], responses: list[str]) -> list[list[int]]:
        cut = self.response_tokens
        return [
            layout(p, reference[:cut], response[:cut], **self.marks)
            for p, reference, response in zip(
                self._ids(prompts), self._ids(references), self._ids(responses), strict=True
            )
        ]


class Discriminator:
    """A loaded discriminator, frozen: evaluation mode, no gradient."""

    def __init__(self, model, encoder: Encoder, batch: int = 128):
        self.model, self.encoder, self.batch = model.eval().requires_grad_(False), encoder, batch

    @classmethod
    def load(cls, folder: Path) -> "Discriminator":
        """From a checkpoint that the arm `discriminator` wrote."""
        import torch
        from transformers import AutoModelForSequenceClassification

        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.to(device), Encoder(load_tokenizer(folder), model.config.response_tokens))

    def score(self, prompts: list[str], references: list[str], responses: list[str]):
        """Scores (N,), float32: how much each response looks as if the author of its reference wrote it."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        rows = [torch.tensor(ids) for ids in self.encoder(prompts, references, responses)]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        scores = torch.empty(len(rows))
        for start in range(0, len(rows), self.batch):
            index = order[start : start + self.batch]
            pad = self.model.config.pad_token_id
            ids = pad_sequence([rows[i] for i in index], batch_first=True, padding_value=pad)
            ids = ids.to(self.model.device)
            with torch.inference_mode():
                logits = self.model(input_ids=ids, attention_mask=(ids != pad).long()).logits
            scores[index] = logits[:, 0].float().cpu()
        return scores

    def discriminate(self, prompts: list[list[dict]], completions: list[list[dict]], demonstration: list[str], **_):
        """The same as a TRL reward function: chats in, one float per rollout out."""
        texts = [chat[-1]["content"] for chat in prompts]
        return self.score(texts, demonstration, [c[0]["content"] for c in completions]).tolist()


def build(job: Job):
    """A trl.RewardTrainer on the scripted policies' triples; held-out triples are its evaluation set."""
    import torch
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    s = job.run.settings
    tokenizer = load_tokenizer(job.start)
    encoder = Encoder(tokenizer, s.response_tokens)
    triples = read_jsonl(job.data / "comparisons.jsonl")

    def pairs(split: str) -> Dataset:
        rows = [row for row in triples if row["split"] == split]
        prompts, references = [r["prompt"] for r in rows], [r["reference"] for r in rows]
        sides = {
            f"{side}_ids": encoder(prompts, references, [r[side] for r in rows]) for side in ("chosen", "rejected")
        }
        return Dataset.from_dict(sides)

    torch.manual_seed(job.run.seed)
    shape = AutoConfig.from_pretrained(job.start).to_dict()
    shape |= {"num_hidden_layers": s.layers, "layer_types": shape["layer_types"][: s.layers], "num_labels": 1}
    config = AutoConfig.for_model(**shape, response_tokens=s.response_tokens)
    model = AutoModelForSequenceClassification.from_pretrained(job.start, config=config, dtype=torch.float32)
    return RewardTrainer(
        model=model,
        args=RewardConfig(**arguments(job), per_device_train_batch_size=s.pairs_per_step, max_length=None),
        train_dataset=pairs("train"),
        eval_dataset=pairs("heldout"),
        processing_class=tokenizer,
    )


def cost_per_step(settings: Settings) -> dict:
    """Rows that one optimizer step consumes: none of the policy's."""
    return {"demonstration_rows": 0, "rollouts": 0}
