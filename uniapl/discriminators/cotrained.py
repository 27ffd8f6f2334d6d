"""A discriminator that is trained beside the policy: Bradley-Terry, expert above rollout (GAD, arXiv 2511.10643).

input   P \\n response <|end|>
score   scalar head at the last token, unbounded
loss    mean over rollouts of - log sigma(D(x, y*) - D(x, y))

The reference y* is no input: beside it, equality with it would give the answer away, and D would learn to compare
instead of what the expert writes like. The contrast to the frozen discriminator is the point of this one.
"""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from uniapl.config import setting
from uniapl.discriminators.pairs import Row, fastest_device, from_policy, logits, score, text_ids
from uniapl.models.checkpoints import load_tokenizer


@dataclass(frozen=True)
class Settings:
    layers: int = setting(2, "ours: as many as the miniature's frozen discriminator; GAD's is as deep as its student")
    learning_rate: float = setting(1e-3, "ours: that of the frozen one at this size; GAD: 1e-6 at 7B")
    max_grad_norm: float = setting(0.2, "GAD, gad/scripts/train/*.sh: grad_clip 0.2")
    weight_decay: float = setting(0.0, "ours: not stated; the rollouts change every step, so nothing is seen twice")
    batch: int = setting(128, "ours: rows scored at a time; no effect on the result")


def layout(prompt: list[int], response: list[int], *, newline: int, end: int, limit: int) -> Row:
    """Token ids, at most `limit`: the response keeps its first tokens, the prompt its last in what is left."""
    response = response[: limit - 2]
    room = limit - 2 - len(response)
    return Row((*(prompt[-room:] if room else []), newline), (*response, end))


class Cotrained:
    """A `Learner`: the first layers of the base policy under a new head, with an optimizer of its own.

    Equal folder, seed and calls give equal scores. Nothing is drawn from torch's global generator, so a run with
    lambda = 0 beside it is the run without it.
    """

    def __init__(self, folder: Path, seed: int, settings: Settings | None = None):
        self.settings = settings = settings or Settings()
        self.tokenizer = load_tokenizer(folder)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reseed the GPUs
            self.model = from_policy(folder, settings.layers).to(fastest_device()).eval()  # no dropout, in learn either
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.marks = {
            "newline": self.tokenizer.encode("\n", add_special_tokens=False)[0],
            "end": self.tokenizer.eos_token_id,
            "limit": self.tokenizer.model_max_length,
        }

    def _encode(self, prompts: list[str], responses: list[str]) -> list[Row]:
        ids = [text_ids(self.tokenizer, texts) for texts in (prompts, responses)]
        return [layout(p, y, **self.marks) for p, y in zip(*ids, strict=True)]

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> Tensor:
        """Scores (N,), float32, on the CPU; the references are not read."""
        return score(self.model, self._encode(prompts, responses), batch=self.settings.batch)

    def learn(self, prompts: list[str], references: list[str], responses: list[str]) -> dict[str, float]:
        """One AdamW step on N rollouts and their references.

        Returns, before the step: discriminator_loss (nats) and discriminator_accuracy, the fraction of rollouts below
        their reference (a tie counts half). Without rollouts there is no step: ValueError.
        """
        if not responses:
            raise ValueError("no rollouts to learn from")
        experts = list(dict.fromkeys(zip(prompts, references, strict=True)))  # one per group, not one per rollout
        place = {pair: i for i, pair in enumerate(experts)}
        owner = torch.tensor([place[pair] for pair in zip(prompts, references, strict=True)])
        rows = self._encode([p for p, _ in experts] + prompts, [r for _, r in experts] + responses)
        with torch.enable_grad():
            scores = logits(self.model, rows)
            margin = scores[: len(experts)][owner.to(scores.device)] - scores[len(experts) :]
            loss = -F.logsigmoid(margin).mean()
            self.optimizer.zero_grad()
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        accuracy = (margin.detach().sign() + 1).mean() / 2
        return {"discriminator_loss": loss.item(), "discriminator_accuracy": accuracy.item()}

    def state_dict(self) -> dict:
        """Weights and optimizer, as copies: a later `learn` does not change them."""
        return copy.deepcopy({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()})

    def load_state_dict(self, state: dict) -> None:
        """Continue bit for bit as the discriminator that gave `state`."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
