"""The published prompts and the teacher that a public scale takes its data from. Imports nothing that is slow."""

from dataclasses import dataclass
from typing import ClassVar

from uniapl.data.teach import Teacher


@dataclass(frozen=True)
class Public:
    """Sizes, in prompts, and the seed of what is drawn from the data sets; `teacher` demonstrates.

    `train`: prompts that the teacher is asked to answer; those without an accepted answer are left out.
    `prompt_tokens`: the longest prompt, in the student's tokens (ours: one prompt of 3,073 would end every training,
    and a step is padded to its longest).
    """

    train: int
    validation: int
    prompt_tokens: int = 1_024
    teacher: Teacher = Teacher()
    seed: int = 0
    kind: ClassVar[str] = "public"
