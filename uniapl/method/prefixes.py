"""Rollouts that begin with a part of their prompt's demonstration: what Prefix-RFT and TRAPO share.

A rollout is then one response, prefix and continuation: TRL scores and trains it as any other. Which of its tokens are
the demonstration's travels with it through TRL's buffer, and a method gives these tokens a loss of their own.
"""

import torch
from torch import Tensor
from trl import GRPOConfig

from uniapl.method.demonstrations import Demonstrations, NumberedRows, check_rows
from uniapl.method.grpo import GRPO


class Prefixed(NumberedRows, GRPO):
    """GRPOTrainer whose rollouts may begin with the first tokens of their prompt's demonstration.

    `train_dataset` has prompt, demonstration and what the reward function reads. A method overrides `prefix_lengths`,
    or all of the generation, and reads `prefix_mask` in its loss. Raises ValueError for a prompt
    without a demonstration, one whose demonstration and a response after it do not fit into the model's context, and a
    server of vLLM, which samples a whole group from one prompt.
    """

    def __init__(self, *, args: GRPOConfig, train_dataset, **kwargs):
        check_rows("train_dataset", train_dataset, needs_demonstration=True)
        super().__init__(args=args, train_dataset=train_dataset, **kwargs)
        if self.use_vllm and self.vllm_mode == "server":
            raise ValueError("vLLM's server samples a whole group from one prompt: use vLLM in this process")
        self.demonstrations = Demonstrations(self, train_dataset, args.max_completion_length)
        room = self._tokenizer.model_max_length - args.max_completion_length
        for row, (prompt, response) in enumerate(self.demonstrations.rows):
            if len(prompt) + len(response) > room:
                raise ValueError(
                    f"train_dataset, row {row}: {len(prompt) + len(response)} tokens of prompt and demonstration; the "
                    f"model's context leaves {room} beside a response"
                )

    # Generation.

    def prefix_lengths(self, rows: list[int], places: list[int]) -> list[int]:
        """Tokens of the demonstration that each rollout of this process begins with: `rows` of the data set, and
        `places` within the group."""
        raise NotImplementedError

    def teaches(self, place: int) -> bool:
        """Whether a rollout in this place of its group, where it has a prefix, is one that is learned from."""
        return True

    def continued(self, prompt_ids: list[list[int]], prefixes: list[list[int]], *args, **kwargs):
        """Responses, as `_generate_single_turn` returns them, of which each begins with its prefix.

        A prefix that has an end token, or the length of the longest response, is the whole response.
        """
        longest, ends = self.max_completion_length, set(self.eos_token_ids)
        whole = [len(prefix) >= longest or bool(ends.intersection(prefix)) for prefix in prefixes]
        starts = [
            ids if done else [*ids, *prefix] for ids, prefix, done in zip(prompt_ids, prefixes, whole, strict=True)
        ]
        ids, logprobs = super()._generate_single_turn(starts, *args, **kwargs)
        ids = [
            prefix if done else [*prefix, *rest][:longest]
            for prefix, rest, done in zip(prefixes, ids, whole, strict=True)
        ]
        if logprobs is not None:  # TRL's mark of a token that the sampler has not scored is None
            joined = ([*([None] * len(prefix)), *rest] for prefix, rest in zip(prefixes, logprobs, strict=True))
            logprobs = [row[: len(response)] for row, response in zip(joined, ids, strict=True)]
        return ids, logprobs

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        if not self.model.training:
            self._lengths = [0] * len(prompt_ids)
            return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        self._lengths = self.prefix_lengths(self._rows, self.places())
        return self.continued(prompt_ids, self.prefixes(self._rows, self._lengths), *args, **kwargs)

    def places(self) -> list[int]:
        """The place of each rollout of this process within its group, which may lie on several processes."""
        first = self.accelerator.process_index * len(self._rows)
        return [(first + i) % self.num_generations for i in range(len(self._rows))]

    def prefixes(self, rows: list[int], lengths: list[int]) -> list[list[int]]:
        """The first tokens of the demonstrations of these rows."""
        of_rows = (self.demonstrations.rows[row][1] for row in rows)
        return [response[:length].tolist() for response, length in zip(of_rows, lengths, strict=True)]

    def _generate_and_score_completions(self, inputs):
        self._rows = [row["row"] for row in inputs]
        output = super()._generate_and_score_completions(inputs)
        device = output["completion_ids"].device
        output["prefix"] = torch.tensor(self._lengths, device=device)
        output["teaches"] = torch.tensor([self.teaches(place) for place in self.places()], device=device)
        output["teaches"] &= output["prefix"] > 0
        counts = {
            "prefix_tokens": output["prefix"],
            "demonstration_rows": output["teaches"],
            "tokens_generated": output["completion_mask"].sum(1) - output["prefix"],
        }
        for name, count in counts.items():
            total = self.accelerator.gather(count.sum()).sum().item()
            self._metrics["train" if self.model.training else "eval"][name].append(total)
        return output

    # The loss.

    def prefix_mask(self, inputs: dict) -> Tensor:
        """(B, T) True for the tokens of a response that are the demonstration's."""
        columns = torch.arange(inputs["completion_ids"].size(1), device=inputs["prefix"].device)
        return columns < inputs["prefix"][:, None]
