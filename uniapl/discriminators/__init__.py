"""What scores a response against the expert's: the protocol, and one way to load each kind.

kind        score                                                          reads the reference   changes in training
miniature   the miniature POLAR that the DAG trains (miniature.py)         yes                   no
layers      the policy's own first layers, trained by the DAG (layers.py)  yes                   no
polar       internlm/POLAR-1_8B or -7B (polar.py)                          yes                   no
cotrained   Bradley-Terry, expert above rollout (cotrained.py)             no                    yes
random      noise: what any score of this size does (controls.py)          no                    no
length      nearness to the reference's length alone (controls.py)         yes                   no

Imports no torch, so that settings can be read without it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from uniapl.config import choose
from uniapl.config.method import CONTROLS
from uniapl.errors import UserError
from uniapl.jsonl import read_json
from uniapl.provenance import checksums

if TYPE_CHECKING:
    from torch import Tensor

    from uniapl.config.job import Job

KINDS = ("miniature", "layers", "polar", "cotrained", *CONTROLS)


class Discriminator(Protocol):
    """Row i of the three lists is one pair; the score is higher the more a response resembles the expert's."""

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> "Tensor":
        """Scores (N,), float32, on the CPU, without gradient; equal texts give equal scores up to rounding."""
        ...


@runtime_checkable
class Learner(Discriminator, Protocol):
    """A discriminator that is trained beside the policy, and so belongs into its checkpoint."""

    def learn(self, prompts: list[str], references: list[str], responses: list[str]) -> dict[str, float]:
        """One gradient step on these rollouts and references; returns what is logged."""
        ...

    def state_dict(self) -> dict:
        """All that `learn` changes."""
        ...

    def load_state_dict(self, state: dict) -> None:
        """Continue as the discriminator that gave `state`."""
        ...


def load(kind: str, folder: Path | None, *, seed: int) -> Discriminator:
    """The discriminator of this kind. Raises UserError for an unknown one.

    `folder` holds the trained checkpoint (miniature, layers), POLAR's checkpoint (polar), or the base policy's
    checkpoint (cotrained); random and length need none. `seed` matters to cotrained and random. "No
    discriminator" is no kind: it is lambda = 0.
    """
    choose("discriminator", kind, KINDS)
    if folder is not None:
        checksums.check(folder)
    if kind == "miniature":
        from uniapl.discriminators import miniature

        return miniature.load(folder)
    if kind == "layers":
        from uniapl.discriminators import layers

        return layers.load(folder)
    if kind == "polar":
        from uniapl.discriminators import polar

        return polar.load(folder)
    if kind == "cotrained":
        from uniapl.discriminators.cotrained import Cotrained

        return Cotrained(folder, seed)
    from uniapl.discriminators.controls import Length, Random

    return Random(seed) if kind == "random" else Length()


def kind_of(folder: Path) -> str:
    """ "polar", "layers" or "miniature": whose checkpoint a frozen discriminator's folder holds."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder} holds no discriminator: no config.json; finish the run that writes it first")
    config = read_json(path)
    if "InternLM2ForRewardModel" in (config.get("architectures") or []):
        return "polar"
    return config.get("discriminator", "miniature")


def folder_of(job: "Job", kind: str | None) -> Path | None:
    """The folder from which the run reads a discriminator of this kind (None: a frozen one); controls need none.

    Raises UserError where the run has no such folder.
    """
    option = "base" if kind == "cotrained" else "discriminator"
    folder = getattr(job, option)
    if folder is None and kind not in CONTROLS:
        raise UserError(f"arm {job.run.arm} needs --{option}, the folder of a checkpoint")
    return folder


def load_discriminator(job: "Job", kind: str | None = None) -> Discriminator:
    """The run's discriminator of this kind; without one, the frozen one of its folder. POLAR may be behind a URL.

    Raises UserError for an unknown kind and for a folder without a checkpoint of it.
    """
    kind = choose("discriminator", kind or kind_of(folder_of(job, None)), KINDS)
    folder = folder_of(job, kind)
    if kind not in ("cotrained", *CONTROLS) and kind != (held := kind_of(folder)):
        raise UserError(
            f"arm {job.run.arm} asks for the discriminator {kind!r}, and {folder} holds {held!r}: choose it"
        )
    if kind == "polar" and job.polar:
        from uniapl.discriminators import polar

        return polar.Endpoint(job.polar, model="polar", tokens=polar.load_tokens(folder))
    return load(kind, folder, seed=job.run.seed)


def validated_scores(scores: "Tensor | Sequence[float]", n: int) -> "Tensor":
    """`scores` (a tensor, an array, a list; floats or integers) as (N,) float32 on the CPU.

    Raises ValueError where they are not `n` finite real numbers without gradient.
    """
    import torch

    if not isinstance(scores, torch.Tensor):
        try:
            scores = torch.as_tensor(scores)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = type(scores).__name__
            raise ValueError(f"the discriminator returned a {kind} that is no list of numbers: {error}") from error
    if scores.is_complex() or scores.dtype == torch.bool:
        raise ValueError(f"the discriminator returned {scores.dtype}, and scores are real numbers")
    if tuple(scores.shape) != (n,):
        raise ValueError(f"the discriminator returned scores of shape {tuple(scores.shape)} for {n} responses")
    if scores.requires_grad:
        raise ValueError("the discriminator returned scores with a gradient: it must not be differentiated")
    scores = scores.to("cpu", torch.float32)
    bad = (~scores.isfinite()).nonzero().flatten().tolist()
    if bad:
        raise ValueError(
            f"the discriminator returned a score that is not finite: {scores[bad[0]].item()} for response {bad[0]} "
            f"({len(bad)} of {n})"
        )
    return scores
