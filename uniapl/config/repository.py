"""A repository outside the checkout, with scales, experiments and methods of its own.

`snakemake --config scale=mine repository=/path/to/mine` names it; jobs find it in UNIAPL_REPOSITORY. Its scales.py has
`SCALES`, its experiments/ and baselines/ have files like the checkout's. They are imported as `experiments.x` and
`baselines.x`, so that they can import ours, and ours stay what they are: a name that both have is refused.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from uniapl.errors import UserError
from uniapl.provenance import ROOT

VARIABLE = "UNIAPL_REPOSITORY"
PACKAGES = ("experiments", "baselines")
SUBMISSIONS = "submissions"  # of the checkout: the repositories that came with published sets, each by its set's name
MARK = "repository.txt"  # in a scale's results: the repository that they are of


def repository() -> Path | None:
    """The repository of this process, where one is named."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def choose_repository(named: str | None) -> None:
    """Make this the repository of this process and of its jobs. Raises UserError where it has no scales.py."""
    os.environ.pop(VARIABLE, None)
    if named is None:
        return
    folder = Path(named).expanduser().absolute()
    if not (folder / "scales.py").is_file():
        raise UserError(f"repository={named}: no file {folder}/scales.py; examples/own_method has one to start from")
    os.environ[VARIABLE] = str(folder)


def path_named_by_scale(name: str) -> Path:
    """A file or folder that a scale names: absolute, or as seen from the repository, or from the checkout."""
    return (repository() or ROOT) / Path(name).expanduser()


def join_packages() -> None:
    """Let `experiments` and `baselines` have the repository's files too. Raises UserError for a name that both have."""
    folder = repository()
    for package in PACKAGES if folder else ():
        search = importlib.import_module(package).__path__
        if str(folder / package) in search:
            continue
        ours = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
        for path in sorted((folder / package).glob("*.py")):
            if path.stem in ours:
                raise UserError(f"{path}: the checkout has {package}/{path.name} too: rename yours")
        search.append(str(folder / package))


def leave_packages(folder: Path) -> None:
    """Let `experiments` and `baselines` be as they were before this repository joined them."""
    for package in (sys.modules[name] for name in PACKAGES if name in sys.modules):
        own = str(folder / package.__name__)
        if own in package.__path__:
            package.__path__.remove(own)
        for path in (folder / package.__name__).glob("*.py"):
            sys.modules.pop(f"{package.__name__}.{path.stem}", None)
            vars(package).pop(path.stem, None)


@contextlib.contextmanager
def repository_of(published: Path) -> Iterator[None]:
    """Within it the repository is the one that came with a published set, in submissions/ (docs/submit.md).

    Where none came it stays what it is. Raises UserError like `choose_repository`.
    """
    own, before = ROOT / SUBMISSIONS / published.resolve().name, os.environ.get(VARIABLE)
    if not own.is_dir():
        yield
        return
    choose_repository(str(own))
    try:
        yield
    finally:
        leave_packages(own)
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before


def experiment_files() -> dict[str, Path]:
    """The repository's experiments: name -> file."""
    folder = repository()
    return {path.stem: path for path in sorted((folder / "experiments").glob("*.py"))} if folder else {}


def check_results(folder: Path) -> None:
    """Raise UserError where these results are another repository's, or the checkout's: sets never mix."""
    mark = folder / MARK
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    of_whom = mark.read_text(encoding="utf-8").strip() if mark.is_file() else str(ROOT)
    if of_whom != str(repository() or ROOT):
        raise UserError(
            f"{folder}: holds results of {of_whom} (by its {MARK}; without one they are the checkout's): rename this "
            "repository's scale, or move them away"
        )


def mark_results(folder: Path) -> None:
    """Write into a scale's results whose they are."""
    if repository():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(f"{repository()}\n", encoding="utf-8")
