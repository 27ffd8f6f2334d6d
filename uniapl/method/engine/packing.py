"""A padded batch of rollouts as one row of tokens without padding, each distinct prompt in it once.

TRL lays out B rows as [prompt, padded on the left | completion, padded on the right]. Packed, in this order:

    prefix of each distinct prompt     all its tokens but the last
    row, by length                     last token of its prompt, then its completion without the last token

The last token of a prompt stands at the head of each of its rows, because it predicts a token of each of them. A row's
last token predicts nothing and is left out. Every position has then one label, as TRL's head wants. The
log-probabilities are the same up to rounding for models whose positions are relative (RoPE): padding on the left, which
shifts a row, changes nothing there.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

SPREAD = 1.25  # rows whose attention is computed together differ by at most this factor, and 8 tokens


@dataclass(frozen=True)
class Block:
    """Consecutive packed tokens as a padded matrix (rows R, longest T) for attention.

    `slots` (R, T) has, for every cell, the packed token, counted from the block's first, that stands there (padding
    repeats the row's last token); `cells` (tokens,) has for every token its cell in the flattened matrix.
    """

    slots: Tensor
    cells: Tensor

    @property
    def tokens(self) -> int:
        return len(self.cells)


@dataclass(frozen=True)
class Rows:
    """Rows of a block and the prefix that each continues: `owner` (R,), `visible` (R, 1, T, P + T) bool."""

    block: Block
    owner: Tensor
    visible: Tensor
    biases: dict = field(default_factory=dict)

    def bias(self, dtype: torch.dtype) -> Tensor:
        """`visible` as what is added to attention's logits: 0 or minus infinity."""
        if dtype not in self.biases:
            zeros = torch.zeros(self.visible.shape, dtype=dtype, device=self.visible.device)
            self.biases[dtype] = zeros.masked_fill_(~self.visible, float("-inf"))
        return self.biases[dtype]


@dataclass(frozen=True)
class Packing:
    """The packed batch: ids, positions and labels (1, N), labels -100 where nothing is predicted; `prefixes` (None
    where every prompt has one token); `rows`, in packed order; `places` (labelled tokens,): the cell of the flattened
    (B, completion columns) matrix of each label, in packed order.
    """

    ids: Tensor
    positions: Tensor
    labels: Tensor
    prefixes: Block | None
    rows: list[Rows]
    places: Tensor

    def unpack(self, values: Tensor, shape: tuple[int, int]) -> Tensor:
        """Values (1, N) of the packed tokens as (B, completion columns); 0 where there is no token. Differentiable."""
        flat = values.new_zeros(shape[0] * shape[1])
        return flat.index_copy(0, self.places, values[self.labels != -100]).view(shape)


def block(lengths: list[int]) -> Block:
    """The block of consecutive sequences of these lengths, each at least 1."""
    sizes = torch.tensor(lengths)
    starts = sizes.cumsum(0) - sizes
    column = torch.arange(max(lengths))
    slots = starts[:, None] + torch.minimum(column[None], sizes[:, None] - 1)
    return Block(slots, (column[None] < sizes[:, None]).flatten().nonzero()[:, 0])


def runs(lengths: list[int]) -> list[slice]:
    """Ascending lengths cut into slices of which the longest is at most SPREAD times the shortest, and 8."""
    cuts = [0]
    for i, length in enumerate(lengths):
        if length > SPREAD * lengths[cuts[-1]] + 8:
            cuts.append(i)
    return [slice(a, b) for a, b in zip(cuts, [*cuts[1:], len(lengths)], strict=True) if b > a]


def pack(ids: Tensor, attention: Tensor, columns: int) -> Packing:
    """Pack ids and attention mask (B, P + `columns`) of a batch that TRL laid out; on the device of `ids`.

    A row without completion (TRL masks truncated ones whole) is left out. Raises ValueError where a row's tokens are
    not adjacent, or a prompt is empty.
    """
    device = ids.device
    ids, attention = ids.cpu(), attention.cpu().bool()
    border = ids.shape[1] - columns
    prompt_lengths, lengths = attention[:, :border].sum(1).tolist(), attention[:, border:].sum(1).tolist()
    steps = attention[:, 1:].int() - attention[:, :-1].int()
    if 0 in prompt_lengths or (steps[:, : border - 1] < 0).any() or (steps[:, border:] > 0).any():
        raise ValueError("a row is not [padding, prompt, completion, padding] with a prompt of at least one token")
    prompts = [row[border - n : border] for row, n in zip(ids, prompt_lengths, strict=True)]
    keys = [tuple(prompt.tolist()) for prompt in prompts]
    order = sorted((i for i, n in enumerate(lengths) if n), key=lambda i: (lengths[i], i))
    distinct = list(dict.fromkeys(keys[i] for i in sorted(order, key=lambda i: keys[i])))  # in any order of the rows
    distinct.sort(key=len)
    place = {prompt: i for i, prompt in enumerate(distinct)}
    none = torch.tensor([], dtype=torch.long)

    prefix_lengths = [len(prompt) - 1 for prompt in distinct]
    pieces = [torch.tensor(prompt[:-1], dtype=torch.long) for prompt in distinct]
    positions = [torch.arange(n) for n in prefix_lengths]
    labels = [torch.full((n,), -100) for n in prefix_lengths]
    places = [none]
    for i in order:
        completion = ids[i, border : border + lengths[i]]
        pieces += [prompts[i][-1:], completion[:-1]]
        positions.append(torch.arange(lengths[i]) + prompt_lengths[i] - 1)
        labels.append(completion)
        places.append(torch.arange(lengths[i]) + i * columns)

    longest = max(prefix_lengths, default=0)
    held = [prefix for prefix in prefix_lengths if prefix]  # sorted, so those of length 0 come first
    empty = len(prefix_lengths) - len(held)
    groups = []
    for run in runs([lengths[i] for i in order]):
        chosen = order[run]
        own = block([lengths[i] for i in chosen])
        owner = torch.tensor([place[keys[i]] for i in chosen])
        rows, width = own.slots.shape
        before = torch.tensor([prefix_lengths[o] for o in owner.tolist()])[:, None] > torch.arange(longest)
        causal = torch.ones(width, width, dtype=torch.bool).tril()
        visible = torch.cat([before[:, None].expand(rows, width, longest), causal.expand(rows, width, width)], dim=2)[
            :, None
        ]
        groups.append(Rows(_on(own, device), (owner - empty).clamp(min=0).to(device), visible.to(device)))

    def one_row(parts: list[Tensor]) -> Tensor:
        return torch.cat([none, *parts])[None].to(device)

    prefixes = _on(block(held), device) if held else None
    return Packing(one_row(pieces), one_row(positions), one_row(labels), prefixes, groups, torch.cat(places).to(device))


def _on(part: Block, device) -> Block:
    return Block(part.slots.to(device), part.cells.to(device))
