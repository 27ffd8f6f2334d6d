"""Demonstrations beside rollouts: which ones a micro-batch learns, and how they become tensors.

`Demonstrations` serves a GRPO trainer (uniapl/method/grpo.py) in one of two ways:

    stream     a number of rows per optimizer step, in an order of its own
    own rows   the demonstrations of the prompts whose rollouts the step has; a mask per rollout, which travels with it
               through TRL's buffer, says which of them are learned

In both the loss is divided by the response tokens of the whole step, so no layout of micro-batches and processes
changes its gradient.
"""

from dataclasses import dataclass

import torch
from datasets import Dataset, IterableDataset
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True)
class Batch:
    """Demonstrations of one micro-batch: prompts padded on the left, responses on the right, as TRL lays out rollouts.

    ids, attention: (B, P + T); response: (B, T) mask of the tokens that are learned, times the row's share where
    several micro-batches have it; tokens: what the sum over the step is divided by, per process; rows: which
    demonstrations these are.
    """

    ids: Tensor
    attention: Tensor
    response: Tensor
    tokens: float
    rows: Tensor


def tokenize(trainer, prompts: list, demonstrations: list[str], limit: int) -> list[tuple[Tensor, Tensor]]:
    """Ids of each prompt, exactly as rollouts see it, and of at most `limit` tokens of its response.

    The response ends with what the chat template, or the end token of a plain prompt, adds. Raises ValueError where
    the template renders the prompt differently once an answer follows.
    """
    starts, tokenizer = trainer._tokenize_prompts(prompts)[0], trainer._tokenizer
    if isinstance(prompts[0], str):
        responses = tokenizer(demonstrations, add_special_tokens=False)["input_ids"]
        responses = [[*response, tokenizer.eos_token_id] for response in responses]
    else:
        pairs = zip(prompts, demonstrations, strict=True)
        chats = [[*prompt, {"role": "assistant", "content": text}] for prompt, text in pairs]
        ids = tokenizer.apply_chat_template(chats, return_dict=False, **trainer.chat_template_kwargs)
        for chat, full, start in zip(prompts, ids, starts, strict=True):
            if full[: len(start)] != start:
                raise ValueError(
                    f"prompt {chat[-1]['content']!r:.60}: the chat template is not prefix-preserving: an answer "
                    "would change it"
                )
        responses = [full[len(start) :] for full, start in zip(ids, starts, strict=True)]
    return [(torch.tensor(p), torch.tensor(y[:limit])) for p, y in zip(starts, responses, strict=True)]


def indices_of_step(n: int, count: int, step: int, seed: int) -> list[int]:
    """Indices of the `count` demonstrations, of `n`, that optimizer step `step` (0-based) learns from.

    Every epoch is a permutation of its own. A pure function of its arguments, so resuming needs no state.
    """
    positions = range(step * count, (step + 1) * count)
    orders = {
        epoch: torch.randperm(n, generator=torch.Generator().manual_seed(seed * 100_003 + epoch))
        for epoch in {p // n for p in positions}
    }
    return [int(orders[p // n][p % n]) for p in positions]


def padded(rows: list[tuple[Tensor, Tensor]], pad_token_id: int) -> tuple[Tensor, Tensor, Tensor]:
    """Ids and attention (B, P + T) and response mask (B, T) of tokenized demonstrations."""
    prompts, responses = zip(*rows, strict=True)
    ids, masks = [], []
    for side, rows_of in (("left", prompts), ("right", responses)):
        ids.append(pad_sequence(rows_of, batch_first=True, padding_value=pad_token_id, padding_side=side))
        ones = [torch.ones_like(row) for row in rows_of]
        masks.append(pad_sequence(ones, batch_first=True, padding_side=side))
    return torch.cat(ids, 1), torch.cat(masks, 1), masks[1]


def check_rows(name: str, dataset: Dataset, needs_demonstration: bool) -> None:
    """Raise ValueError where the data set has no column prompt or demonstration, or a row's demonstration is empty.

    A row may lack its demonstration (None) where `needs_demonstration` is False.
    """
    if isinstance(dataset, IterableDataset):
        raise ValueError(f"a map-style {name} is needed: demonstrations are drawn by index")
    for column in ("prompt", "demonstration"):
        if column not in dataset.column_names:
            raise ValueError(f"a column {column!r} is needed in {name}, found {dataset.column_names}")
    for row, text in enumerate(dataset["demonstration"]):
        if text is None and needs_demonstration:
            raise ValueError(f"{name}, row {row}: no demonstration; pass those that exist as `demonstrations=`")
        if text is not None and not text.strip():
            raise ValueError(f"{name}, row {row}: the demonstration is empty")


class NumberedRows:
    """Mixin of GRPO trainers: every rollout knows the row of `train_dataset` that its prompt is."""

    def __init__(self, *, train_dataset: Dataset, **kwargs):
        super().__init__(train_dataset=train_dataset.add_column("row", list(range(len(train_dataset)))), **kwargs)

    def _set_signature_columns_if_needed(self):
        super()._set_signature_columns_if_needed()
        extra = [name for name in ("demonstration", "row") if name not in self._signature_columns]
        self._signature_columns = [*self._signature_columns, *extra]


class Demonstrations:
    """The demonstrations of `dataset` (columns prompt and demonstration) as token ids, for a GRPO trainer.

    At most `limit` tokens of each response (None: all). A row without a demonstration (None) is never learned.
    """

    def __init__(self, trainer, dataset: Dataset, limit: int | None = None):
        self.trainer = trainer
        texts = dataset["demonstration"][:]
        with_text = [row for row, text in enumerate(texts) if text is not None]
        if not with_text:
            raise ValueError("no row of the data set has a demonstration")
        prompts = dataset["prompt"][:]
        tokenized = tokenize(trainer, [prompts[row] for row in with_text], [texts[row] for row in with_text], limit)
        self.rows: list[tuple[Tensor, Tensor] | None] = [None] * len(texts)
        for row, ids in zip(with_text, tokenized, strict=True):
            self.rows[row] = ids
        self._some = with_text[0]

    def __len__(self) -> int:
        return len(self.rows)

    def stream_batch(self, count: int) -> Batch:
        """This micro-batch's share of the `count` demonstrations of the current optimizer step."""
        trainer = self.trainer
        accumulation, processes = trainer.current_gradient_accumulation_steps, trainer.accelerator.num_processes
        chosen = indices_of_step(len(self.rows), count, trainer.state.global_step, trainer.args.seed)
        tokens = sum(len(self.rows[row][1]) for row in chosen) / processes  # DDP averages over processes
        share = (trainer._step % accumulation) * processes + trainer.accelerator.process_index
        return self.batch(chosen[share :: accumulation * processes], tokens)

    def own_columns(self, inputs: list[dict], mask: Tensor | None = None) -> dict[str, Tensor]:
        """What `own_batch` needs, to be added to the output of `_generate_and_score_completions(inputs)`.

        `mask` (n,) is above 0 for the rollouts whose prompt's demonstration is learned (None: all). A prompt counts by
        the mean of its group's mask: 0 or 1 where the mask is the same within the group.
        """
        device = self.trainer.accelerator.device
        rows = [row["row"] for row in inputs]
        lengths = torch.tensor([0 if self.rows[i] is None else len(self.rows[i][1]) for i in rows], device=device)
        mask = (torch.ones_like(lengths) if mask is None else mask.to(device)) * (lengths > 0)
        tokens = self.trainer.accelerator.gather((lengths * mask).sum() / self.trainer.num_generations).sum()
        return {
            "row": torch.tensor(rows, device=device),
            "demonstration_mask": mask.float(),
            "demonstration_tokens": tokens,  # of all that was generated together, over all processes
        }

    def own_batch(self, inputs: dict) -> Batch:
        """The demonstrations that the rollouts of a micro-batch ask for, a group that was split in shares.

        Without any there is still one row, of weight 0: every process must go through the model as often.
        """
        trainer = self.trainer
        rows, place = inputs["row"].unique(return_inverse=True)
        weights = torch.zeros(len(rows), device=rows.device).index_add(0, place, inputs["demonstration_mask"])
        rows, weights = rows[weights > 0].tolist(), weights[weights > 0] / trainer.num_generations
        if not rows:
            rows, weights = [self._some], torch.zeros(1, device=weights.device)
        window = trainer.current_gradient_accumulation_steps / trainer.args.steps_per_generation
        tokens = inputs["demonstration_tokens"].item() * (window / trainer.accelerator.num_processes)
        return self.batch(rows, tokens, weights)

    def batch(self, rows: list[int], tokens: float, weights: Tensor | None = None) -> Batch:
        """The demonstrations of these rows, each of weight 1 or of its weight (B,). Tokens of 0 divide nothing by 1."""
        device = self.trainer.accelerator.device
        tensors = padded([self.rows[row] for row in rows], self.trainer._tokenizer.pad_token_id)
        ids, attention, response = (x.to(device) for x in tensors)
        if weights is not None:
            response = response * weights[:, None]
        return Batch(ids, attention, response, tokens or 1.0, torch.tensor(rows, device=device))

    def per_row(self, batch: Batch, inputs: dict, name: str) -> Tensor:
        """`inputs[name]` (n, ...), alike within a group, for each of the batch's rows: (B, ...).

        0 for a row that no rollout of the micro-batch has, which is the one of weight 0."""
        same = batch.rows[:, None] == inputs["row"][None]
        values = inputs[name][same.int().argmax(1)]
        return values * same.any(1).view(-1, *[1] * (values.dim() - 1))

    def forward(self, model, batch: Batch, **options) -> tuple[Tensor, Tensor | None]:
        """log p (B, T) of the response tokens in nats, and with compute_entropy=True the entropies (B, T)."""
        return self.trainer._get_per_token_logps_and_entropies(
            model, batch.ids, batch.attention, batch.response.size(1), **options
        )[:2]

    def logps(self, model, batch: Batch) -> Tensor:
        """log p (B, T) of the response tokens in nats, counted: what a method calls once for each micro-batch."""
        self.count(batch)
        return self.forward(model, batch)[0]

    def count(self, batch: Batch) -> None:
        """Log how many rows and tokens the step's demonstrations are.

        A row and its tokens count by its weight: a group that was split over micro-batches, or over processes, is one
        row of the step.
        """
        trainer = self.trainer
        weights = batch.response.amax(1)
        tokens = (batch.attention.sum(1) * weights).sum()
        for name, count in (("tokens", tokens), ("rows", weights.sum())):
            of_all = trainer.accelerator.gather(count).sum() * trainer.current_gradient_accumulation_steps
            trainer._metrics["train"][f"demonstration_{name}"].append(of_all.item())
