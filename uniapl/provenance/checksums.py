"""What a stage wrote is what the next one reads: the SHA-256 of a file, kept beside it in `.NAME.sha256`.

    record(path, ...)     the stage that wrote a file, or all files of a folder
    check(path, ...)      whoever reads it: UserError where its bytes are not those that were recorded

The line is `sha256sum`'s own, so that `sha256sum -c .NAME.sha256` checks it too. Of a published set, manifest.json has
the checksums. A file without one, as everybody's own, is read as it is.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path

from uniapl.errors import UserError
from uniapl.provenance import sha256_of

DEPTH = 4  # how far above a file a published set's manifest is looked for


def beside(path: Path) -> Path:
    """Where the checksum of a file stands."""
    return path.with_name(f".{path.name}.sha256")


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files among these, and those that lie in the folders among these; no hidden one, and no link."""
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
                yield file


@functools.lru_cache(maxsize=4096)
def _sha256_of(path: Path, changed: int, size: int) -> str:
    return sha256_of(path)


def record(*paths: Path) -> None:
    """Keep the checksums of these files, and of all files that lie in these folders."""
    for path in _files(paths):
        beside(path).write_text(f"{sha256_of(path)}  {path.name}\n")


def forget(path: Path) -> None:
    """Drop the checksum of a file that is about to grow."""
    beside(path).unlink(missing_ok=True)


@functools.lru_cache(maxsize=64)
def _manifest(path: Path, changed: int) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}  # whoever reads the manifest says so
    found = found.get("sha256") if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _recorded(path: Path) -> tuple[str, str] | None:
    """Where the checksum of a file stands, and the checksum; None where there is none."""
    if beside(path).is_file():
        return beside(path).name, "".join(beside(path).read_text(errors="replace").split()[:1])
    for folder in path.absolute().parents[:DEPTH]:
        manifest = folder / "manifest.json"
        if manifest.is_file():
            known = _manifest(manifest, manifest.stat().st_mtime_ns).get(str(path.absolute().relative_to(folder)))
            return (str(manifest), known) if known else None
    return None


def check(*paths: Path) -> None:
    """Raise UserError for a file, of these and of those that lie in these folders, that is not as it was written."""
    for path in _files(paths):
        if recorded := _recorded(path):
            where, known = recorded
            now = path.stat()
            if _sha256_of(path, now.st_mtime_ns, now.st_size) != known:
                raise UserError(
                    f"{path}: not as it was written ({where} has its SHA-256): restore it, or remove it and run again "
                    "what wrote it"
                )
