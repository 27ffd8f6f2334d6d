"""The adversarial term's part that is no loss: the discriminator's scores of rollouts, and its weight lambda."""

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from uniapl.discriminators import Discriminator, Learner, validated_scores
from uniapl.method import objective


def joined_text(messages: str | list[dict]) -> str:
    """The text that a discriminator reads: contents joined by newlines, without roles, as POLAR joins them."""
    return messages if isinstance(messages, str) else "\n".join(message["content"] for message in messages)


class Adversary:
    """A discriminator beside a policy: its scores become advantages, and the distance moves the dual variable lambda.

    `args` is a UniAPLConfig. The expert's own scores are computed once per (prompt, demonstration) and kept, unless the
    discriminator learns.
    """

    def __init__(self, discriminator: Discriminator, args, accelerator: Accelerator):
        self.discriminator, self.args, self.accelerator = discriminator, args, accelerator
        self.lam, self.distance_mean = args.lam, None
        self.expert_scores: dict[tuple[str, str], float] = {}

    @property
    def weight(self) -> float:
        """lambda as it enters the loss: the dual variable and its damping."""
        args = self.args
        return objective.multiplier(self.lam, self.distance_mean, eps=args.eps, penalty=args.lam_penalty)

    def judge(self, prompts: list, references: list[str | None], completions: list) -> tuple[torch.Tensor, dict]:
        """Advantages of all processes' rollouts, and what is logged; lambda moves, and a `Learner` learns.

        The lists are this process's rollouts, groups of `num_generations` over the processes one after another. A
        rollout without reference (None) has advantage 0, as have all of its prompt.
        """
        with_reference = [i for i, reference in enumerate(references) if reference is not None]
        rows = [(joined_text(prompts[i]), references[i], joined_text(completions[i])) for i in with_reference]
        scores = torch.full((2, len(prompts)), torch.nan)  # of the rollout, of its expert
        if rows:
            scores[:, with_reference] = self._score(rows)
        scores, expert_scores = self.accelerator.gather(scores.T.contiguous().to(self.accelerator.device)).T
        seen = scores.isfinite()
        metrics = self._measure(scores[seen], expert_scores[seen]) if seen.any() else {}
        metrics["lam"] = self.weight
        if isinstance(self.discriminator, Learner):
            metrics |= self._learn(rows)
        args = self.args
        advantages = objective.group_advantage(
            scores.nan_to_num(0.0), args.num_generations, ddof=args.adversarial_ddof, clip=args.adversarial_clip
        )
        return advantages, metrics

    def _score(self, rows: list[tuple[str, str, str]]) -> torch.Tensor:
        """Scores (2, N) of the rollouts and of their experts, each expert asked once."""
        pairs = dict.fromkeys((prompt, reference) for prompt, reference, _ in rows)
        new = [pair for pair in pairs if pair not in self.expert_scores]
        together = [*rows, *((p, r, r) for p, r in new)]  # so that an expert shares its group's prefix
        scores = validated_scores(self.discriminator.score(*map(list, zip(*together, strict=True))), len(together))
        self.expert_scores |= zip(new, scores[len(rows) :].tolist(), strict=True)
        experts = torch.tensor([self.expert_scores[prompt, reference] for prompt, reference, _ in rows])
        return torch.stack([scores[: len(rows)], experts])

    def _measure(self, scores: torch.Tensor, expert_scores: torch.Tensor) -> dict[str, float]:
        """Move lambda by the distance; returns what is logged."""
        args, distance = self.args, objective.distance(expert_scores, scores)
        self.distance_mean = objective.running_mean(self.distance_mean, distance, args.distance_decay)
        self.lam = objective.dual_update(self.lam, self.distance_mean, eps=args.eps, step_size=args.lam_step)
        return {
            "score": scores.mean().item(),
            "distance": distance,
            "distance_mean": self.distance_mean,
            "auc": objective.auc(expert_scores, scores),
        }

    def _learn(self, rows: list[tuple[str, str, str]]) -> dict[str, float]:
        """One lesson from the rollouts of all processes, so that their discriminators stay equal."""
        self.expert_scores.clear()
        of_all = gather_object(rows)
        return self.discriminator.learn(*map(list, zip(*of_all, strict=True))) if of_all else {}

    def state_dict(self) -> dict:
        """All that `judge` changes."""
        learner = self.discriminator.state_dict() if isinstance(self.discriminator, Learner) else None
        state = {"lam": self.lam, "distance_mean": self.distance_mean, "expert_scores": self.expert_scores}
        return state | {"learner": learner}

    def load_state_dict(self, state: dict) -> None:
        """Continue as the one that gave `state`."""
        self.lam, self.distance_mean = state["lam"], state["distance_mean"]
        self.expert_scores = state["expert_scores"]
        if state["learner"] is not None:
            self.discriminator.load_state_dict(state["learner"])
