"""Where a world of files finds them. Imports nothing that is slow."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from uniapl.config.repository import path_named_by_scale


@dataclass(frozen=True)
class Files:
    """JSON Lines files, absolute or as seen from the repository that has the scale.

    train       prompts in IFEval's form (key, prompt, instruction_id_list, kwargs), all with a `demonstration` or none
    validation  prompts of the same form; `benchmark` is "trained" where a row names none
    test        the same; other benchmarks are reported beside it
    expert      key, response: to each validation and test prompt; without it no response is held against an expert's
    """

    train: str
    validation: str
    test: str
    expert: str | None = None
    kind: ClassVar[str] = "files"

    @property
    def paths(self) -> dict[str, Path]:
        """Name -> file."""
        names = {"train": self.train, "validation": self.validation, "test": self.test, "expert": self.expert}
        return {name: path_named_by_scale(file) for name, file in names.items() if file}
