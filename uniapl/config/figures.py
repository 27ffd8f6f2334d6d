"""What each figure reads. A figure is a file of figures/ that says `NEEDS = ("headline",)`: experiments by name.

The files are read, not imported: importing one loads matplotlib.
"""

import ast
import functools
from collections.abc import Iterable

from uniapl.errors import UserError
from uniapl.provenance import ROOT

FIGURES = ROOT / "figures"
RUN = "if __name__ == '__main__':\n    style.main(draw)"  # the last statement of every figure


@functools.cache
def _module(name: str) -> ast.Module:
    return ast.parse((FIGURES / f"{name}.py").read_text(encoding="utf-8"))


def _needs(name: str) -> tuple[str, ...]:
    """The experiments of one file; none where it says no NEEDS, as the files that figures share."""
    for statement in _module(name).body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["NEEDS"]:
            try:
                needs = ast.literal_eval(statement.value)
            except ValueError:
                needs = None
            if not isinstance(needs, tuple) or not needs or not all(isinstance(need, str) for need in needs):
                where = f"figures/{name}.py:{statement.lineno}"
                raise UserError(f'{where}: NEEDS must be a tuple of experiments, as in NEEDS = ("headline",)')
            if ast.unparse(_module(name).body[-1]) != RUN:
                raise UserError(f"figures/{name}.py: a figure must end in {RUN.replace(chr(10), '')!r}, which draws it")
            return needs
    return ()


@functools.cache
def needs_of_figures() -> dict[str, tuple[str, ...]]:
    """Figure -> the experiments whose analyses it reads; those of few experiments first. UserError for bad NEEDS."""
    needs = {path.stem: _needs(path.stem) for path in FIGURES.glob("*.py")}
    return {name: needs[name] for name in sorted(needs, key=lambda name: (len(needs[name]), name)) if needs[name]}


def figures_of(experiments: Iterable[str]) -> list[str]:
    """The figures that can be drawn where these experiments, and no others, are analysed."""
    return [name for name, needs in needs_of_figures().items() if set(needs) <= set(experiments)]


def files_of_figure(name: str) -> list[str]:
    """The files of figures/ that draw a figure: its own, and those that it imports, directly or not."""
    files, waiting = [], [name]
    while waiting:
        name = waiting.pop(0)
        if f"figures/{name}.py" in files:
            continue
        files.append(f"figures/{name}.py")
        for statement in ast.walk(_module(name)):
            if isinstance(statement, ast.ImportFrom) and statement.module == "figures":
                waiting += [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("figures."):
                waiting.append(statement.module.removeprefix("figures."))
    return files
