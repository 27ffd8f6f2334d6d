"""TRAPOTrainer: a group is sampled in parts, and later parts begin with more of the demonstration the less the earlier
ones earned (arXiv 2512.17636).

part m of a group of G = sum of `groups` rollouts begins with the share `prefixes[m]` of the demonstration, where the
mean reward of the parts before is below `thresholds[m]`

L = GRPO's loss of own tokens, the prefix apart
  - sum over prefix tokens, once in each part, of min(1, p / alpha) log p, divided by what GRPO's sum is divided by

The weight min(1, p / alpha) is not differentiated (TrSFT, baselines/trsft_trainer.py). Thresholds of 0 or less, which
no mean of rewards is below, are GRPO.
"""

import math
from itertools import accumulate

import torch
from trl import GRPOConfig

from baselines.trsft_trainer import check_alpha, trust
from uniapl.method.prefixes import Prefixed


class TRAPOTrainer(Prefixed):
    """GRPOTrainer whose groups are sampled part by part; rewards are 0 or more, prompts are chats.

    Raises ValueError for parts that do not add up to the group, lists of unequal lengths, shares outside [0, 1], a
    threshold above 1, an alpha outside (0, 1], and another normaliser than dr_grpo's.
    """

    def __init__(self, *, args: GRPOConfig, groups, prefixes, thresholds, alpha: float, **kwargs):
        if sum(groups) != args.num_generations or min(groups) < 1:
            raise ValueError(f"TRAPO needs parts that add up to the group's {args.num_generations}, got {groups}")
        if not len(groups) == len(prefixes) == len(thresholds):
            raise ValueError(f"TRAPO needs as many prefixes {prefixes} and thresholds {thresholds} as groups {groups}")
        if not all(0 <= share <= 1 for share in prefixes):
            raise ValueError(f"TRAPO needs prefixes from 0 to 1, got {prefixes}")
        if not all(threshold <= 1 for threshold in thresholds):
            raise ValueError(f"TRAPO needs thresholds of 1 or less, got {thresholds}")
        check_alpha(alpha)
        if args.loss_type != "dr_grpo":
            raise ValueError(f"TRAPO sums both losses over dr_grpo's normaliser, got loss_type={args.loss_type!r}")
        super().__init__(args=args, **kwargs)
        self.alpha, starts = alpha, [0, *accumulate(groups)]
        # (first place, place after the last, share, threshold); two neighbours that get no prefix are one part
        self.parts: list[tuple[int, int, float, float]] = []
        for start, end, share, threshold in zip(starts, starts[1:], prefixes, thresholds, strict=False):
            share = share if start > 0 and threshold > 0 else 0.0
            if self.parts and share == self.parts[-1][2] == 0:
                start = self.parts.pop()[0]
            self.parts.append((start, end, share, threshold))

    def teaches(self, place):
        return place in {start for start, *_ in self.parts}

    def _generate_and_score_completions(self, inputs):
        self._inputs = inputs
        return super()._generate_and_score_completions(inputs)

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        if not self.model.training:
            return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        count, places = len(prompt_ids), self.places()
        self._lengths, responses, logprobs = [0] * count, [None] * count, [None] * count
        rewards = torch.full((count,), torch.nan, device=self.accelerator.device)
        for start, end, share, threshold in self.parts:
            mean = self._mean_rewards(rewards)
            chosen = [i for i, place in enumerate(places) if start <= place < end]
            for i in chosen:
                whole = len(self.demonstrations.rows[self._rows[i]][1])
                self._lengths[i] = math.floor(share * whole) if mean[i] < threshold else 0
            ids, scores = self.sample(chosen, prompt_ids, *args, **kwargs)
            for i, response, score in zip(chosen, ids, scores or [None] * len(ids), strict=False):
                responses[i], logprobs[i] = response, score
            if chosen and end < self.num_generations:
                rewards[chosen] = self._rewards(chosen, ids)
        return responses, None if None in logprobs else logprobs

    def sample(self, chosen: list[int], prompt_ids, *args, **kwargs):
        """Responses of these rollouts. Where a process has none it samples one that nobody reads: a policy may be
        spread over the processes, which must then go through it as often."""
        some = chosen or [0]
        prefixes = self.prefixes([self._rows[i] for i in some], [self._lengths[i] for i in some])
        return self.continued([prompt_ids[i] for i in some], prefixes, *args, **kwargs)

    def _rewards(self, chosen: list[int], ids: list[list[int]]) -> torch.Tensor:
        """The one reward function's values of these responses."""
        texts = self.processing_class.batch_decode(ids[: len(chosen)], skip_special_tokens=True)
        rows = [self._inputs[i] for i in chosen]
        columns = {name: [row[name] for row in rows] for name in rows[0] if name != "prompt"}
        completions = [[{"role": "assistant", "content": text}] for text in texts]
        values = self.reward_funcs[0](prompts=[row["prompt"] for row in rows], completions=completions, **columns)
        return torch.tensor(values, dtype=torch.float32, device=self.accelerator.device)

    def _mean_rewards(self, rewards: torch.Tensor) -> list[float]:
        """Of each rollout of this process, the mean reward of its group so far; infinite before the first."""
        of_groups = self.accelerator.gather(rewards).view(-1, self.num_generations).nanmean(1)
        means = of_groups.nan_to_num(torch.inf).repeat_interleave(self.num_generations)
        return self.own_rows(means, len(rewards)).tolist()

    def _compute_loss(self, model, inputs):
        prefix, forward = self.prefix_mask(inputs), self.rollout_forward(model, inputs)
        with self.reusing(forward):
            loss = super()._compute_loss(model, {**inputs, "tool_mask": (~prefix).int()})
        logps = forward[0]
        weight = trust(logps, self.alpha) * prefix * inputs["teaches"][:, None]
        longest = len(logps) * self.max_completion_length * self.current_gradient_accumulation_steps
        return loss - (weight * logps).sum() / longest
