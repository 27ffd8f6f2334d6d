"""The published prompts and the teacher that a public scale takes its data from. Imports nothing that is slow."""

from dataclasses import dataclass
from typing import ClassVar

from uniapl.data.teach import Teacher


@dataclass(frozen=True)
class Public:
    """Sizes, in prompts, and the seed of what is drawn from the data sets; `teacher` demonstrates.

    `train`: prompts that the teacher is asked to answer; those without an accepted answer are left out.
    """

    train: int
    validation: int
    teacher: Teacher = Teacher()
    seed: int = 0
    kind: ClassVar[str] = "public"
