"""Models and data of the paper scale, each at one revision of the Hugging Face hub: `hub.lock.json` says which.

    python -m uniapl.data.hub list           every id: revision, licence, what it is for, whether it is here
    python -m uniapl.data.hub fetch ID...    download; prints a folder per id
    python -m uniapl.data.hub pin ID         write the commit that the hub has now into hub.lock.json

    from uniapl.data import hub
    hub.folder("Qwen/Qwen3-0.6B"), hub.record("Qwen/Qwen3-0.6B")

The environment variable UNIAPL_HUB names a directory that stands for the hub: `$UNIAPL_HUB/<org>/<name>` is used as it
is and nothing is downloaded. A mirror stands for it by HF_ENDPOINT, a cache of earlier downloads by HF_HOME.

Only the files that the lock names are downloaded: weights as safetensors, data as Parquet, JSON Lines or CSV, and no
code. Weights that are published as pickles only (`pickles` in the lock: POLAR) are read by PyTorch's restricted
unpickler and written as safetensors once (uniapl/data/pickles.py). No remote code is needed: POLAR is read as a Llama
(uniapl/discriminators/polar.py).
"""

import argparse
import errno
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from uniapl.config import choose
from uniapl.config.repository import path_named_by_scale
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.provenance import ROOT, sha256_of

LOCK = ROOT / "hub.lock.json"
VARIABLE = "UNIAPL_HUB"
COMMIT = re.compile("[0-9a-f]{40}")
HASHED = 100_000_000  # bytes: of larger files only the name and the size are in a record


@dataclass(frozen=True)
class Entry:
    """An id of the lock. `revision`: 40 hexadecimal digits, or None where nobody has pinned it yet.

    `files` and `pickles`: patterns of the files that are used, and of those that are rewritten as safetensors first.
    """

    id: str
    kind: str  # model or dataset
    revision: str | None
    licence: str
    gated: bool
    files: tuple[str, ...]
    pickles: tuple[str, ...]
    use: str

    @property
    def page(self) -> str:
        """Where people read its card and accept its licence."""
        return f"https://huggingface.co/{'datasets/' if self.kind == 'dataset' else ''}{self.id}"


def lock() -> dict[str, Entry]:
    """Every entry of hub.lock.json by its id. Raises UserError where the file cannot be read or lacks a field."""
    try:
        fields_by_id = json.loads(LOCK.read_text(encoding="utf-8"))
        entries = {
            id: Entry(id, **fields | {"files": tuple(fields["files"]), "pickles": tuple(fields["pickles"])})
            for id, fields in fields_by_id.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{LOCK}: {error!r}") from error
    for entry in entries.values():
        if entry.kind not in ("model", "dataset") or not (entry.revision is None or COMMIT.fullmatch(entry.revision)):
            raise UserError(
                f"{LOCK}: {entry.id}: kind must be model or dataset, revision 40 hexadecimal digits or null"
            )
    return entries


def entry(id: str) -> Entry:
    """The entry of this id. Raises UserError where the lock has none."""
    entries = lock()
    return entries[choose("hub id", id, entries)]


def _local_hub() -> Path | None:
    """The directory that stands for the hub, where one does. Raises UserError where it is none."""
    if not os.environ.get(VARIABLE):
        return None
    root = Path(os.environ[VARIABLE]).absolute()
    if not root.is_dir():
        raise UserError(f"{VARIABLE}={root}: no such directory; name one that holds <org>/<name>, or unset it")
    return root


def _files(entry: Entry, folder: Path) -> list[str]:
    """Names of the files of a folder that the lock asks for, sorted; a pickle is never among them."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if any(fnmatch(name, pattern) for pattern in entry.files))


def _complete(entry: Entry, folder: Path) -> Path:
    """The folder, once it holds what the entry is used for: weights or data. Raises UserError."""
    needed = "*.safetensors" if entry.kind == "model" else entry.files[0]
    if not any(fnmatch(name, needed) for name in _files(entry, folder)):
        raise UserError(f"{folder}: has no {needed}, which {entry.id} must have")
    return folder


def folder(id: str) -> Path:
    """A folder with the files of this id: `$UNIAPL_HUB/<org>/<name>`, or the hub's at the pinned revision, downloaded
    where they are not in the cache yet.

    Raises UserError, one line and no token in it: the id is not in the lock or not pinned; the local hub lacks it; the
    hub no longer has the revision, wants a licence accepted, cannot be reached, or fails; the disk is full.
    """
    locked, root = entry(id), _local_hub()
    if root:
        if not (root / id).is_dir():
            raise UserError(f"{VARIABLE}={root}: has no {id}; put it there, or unset {VARIABLE} to ask the hub")
        return _complete(locked, root / id)
    if locked.revision is None:
        raise UserError(f"{id}: is not pinned; write its commit into {LOCK.name}: python -m uniapl.data.hub pin {id}")
    if locked.pickles:
        from uniapl.data.pickles import as_safetensors

        return _complete(locked, as_safetensors(locked, lambda: _download(locked)))
    return _complete(locked, _download(locked))


def _download(entry: Entry) -> Path:
    """The snapshot of the entry's files, its pickles too. Raises UserError."""
    from huggingface_hub import snapshot_download

    patterns = [*entry.files, *entry.pickles]
    try:
        return Path(snapshot_download(entry.id, repo_type=entry.kind, revision=entry.revision, allow_patterns=patterns))
    except Exception as error:
        raise UserError(_problem(entry, error)) from None


def _problem(entry: Entry, error: Exception) -> str:
    """What the hub's error means and what to do. Its own text is left out: it may quote a request with its token.

    Raises the error itself where it is not of the hub, the network or the disk.
    """
    import httpx
    from huggingface_hub import constants, errors

    if isinstance(error, errors.RevisionNotFoundError):
        return (
            f"{entry.id}: the hub no longer has revision {entry.revision}; what replaced it is on "
            f"{entry.page}/commits/main; then: python -m uniapl.data.hub pin {entry.id}"
        )
    if isinstance(error, errors.GatedRepoError):
        where = f"accept its licence ({entry.licence}) on {entry.page}"
        return f"{entry.id}: {where} and set HF_TOKEN to a token of that account"
    if isinstance(error, errors.RepositoryNotFoundError):
        causes = "it is gone, or HF_TOKEN is missing, wrong or has no access"
        return f"{entry.id}: the hub shows no such {entry.kind}; {causes}"
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError | httpx.TransportError):
        return (
            f"{entry.id}: not complete in the cache ({constants.HF_HUB_CACHE}), and the hub cannot be reached "
            f"({type(error).__name__}); go online, or set {VARIABLE} to a directory that has it"
        )
    if isinstance(error, errors.HfHubHTTPError):
        return f"{entry.id}: the hub answered {error.response.status_code}; try again later"
    if isinstance(error, OSError):
        return full_disk(entry.id, error, Path(constants.HF_HUB_CACHE))
    raise error


def full_disk(id: str, error: OSError, place: Path) -> str:
    """What an error of the disk means for an id whose files go to `place`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{id}: no space left in {place}; free some or set HF_HOME to a larger disk, and run it again"
    return f"{id}: {place}: {error.strerror or type(error).__name__}"


def pinned(*ids: str) -> str:
    """id@revision of those of these ids that the lock has: what a stage that reads them has to be run again for."""
    entries = lock()
    return " ".join(f"{id}@{entries[id].revision}" for id in ids if id in entries)


def own_folder(model: str) -> Path | None:
    """The folder that a scale names in the place of a hub id; None where there is none of that name."""
    folder = path_named_by_scale(model) if model else None
    return folder if folder and folder.is_dir() and (folder / "config.json").is_file() else None


def source(model: str) -> str:
    """What a stage that reads this model has to be run again for: its pinned revision, or a digest of its folder.

    The digest is over names, sizes and times: weights of gigabytes are not read before every run.
    """
    folder = own_folder(model)
    if folder is None:
        return pinned(model)
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    facts = "".join(f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in stats)
    return f"{folder} {hashlib.sha256(facts.encode()).hexdigest()}"


def record(id: str) -> dict:
    """What a run card keeps: id, licence, and where the files are from.

    From the hub: `revision`. From a local hub: revision "local" and `sha256`, of a line per file that the lock asks
    for, in order of name: name, size in bytes and, of files below 100 MB, the SHA-256 of the content. So data and
    configurations are covered by their content, large weights by name and size. Raises UserError like `folder`.
    """
    locked, root = entry(id), _local_hub()
    if not root:
        if locked.revision is None:
            folder(id)  # says how to pin it
        return {"id": id, "licence": locked.licence, "revision": locked.revision}
    place, digest = folder(id), hashlib.sha256()
    for name in _files(locked, place):
        size = (place / name).stat().st_size
        content = sha256_of(place / name) if size < HASHED else ""
        digest.update(f"{name}\t{size}\t{content}\n".encode())
    return {"id": id, "licence": locked.licence, "revision": "local", "sha256": digest.hexdigest()}


def pin(id: str, revision: str = "main") -> str:
    """Write the commit that `revision` is now into hub.lock.json, and return it. Raises UserError like `folder`."""
    from huggingface_hub import HfApi

    locked = entry(id)
    try:
        repository = HfApi().repo_info(id, repo_type=locked.kind, revision=revision)
    except Exception as error:
        raise UserError(_problem(locked, error)) from None
    fields = read_json(LOCK)
    fields[id] |= {"revision": repository.sha, "gated": bool(repository.gated)}
    part = LOCK.with_suffix(".part")
    try:
        part.write_text(_lock_text(fields), encoding="utf-8")
        part.replace(LOCK)
    except OSError as error:
        raise UserError(
            f"{LOCK}: {error.strerror}; write the commit {repository.sha} of {id} into it by hand"
        ) from error
    return repository.sha


def _lock_text(fields: dict) -> str:
    """The lock as text: a line per field, so that a change of one revision is a change of one line."""
    blocks = []
    for id, values in fields.items():
        lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
        blocks.append(f"  {json.dumps(id)}: {{\n{lines}\n  }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _cache_state(entry: Entry) -> str:
    """`local hub`, `cached`, or nothing where it must be downloaded."""
    root = _local_hub()
    if root:
        return "local hub" if (root / entry.id).is_dir() else "missing in the local hub"
    from huggingface_hub import constants

    name = f"{entry.kind}s--{entry.id.replace('/', '--')}"
    snapshot = Path(constants.HF_HUB_CACHE) / name / "snapshots" / str(entry.revision)
    return "cached, perhaps in part" if snapshot.is_dir() else ""


def listing() -> str:
    """A line per id for people."""
    rows = [(e.id, e.kind, e.revision or "NOT PINNED", e.licence, e.use, _cache_state(e)) for e in lock().values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every id of the lock")
    pins = commands.add_parser("pin", help="write the commit that the hub has now into the lock")
    pins.add_argument("id")
    pins.add_argument("--revision", default="main", help="the branch, tag or commit to pin (default: main)")
    commands.add_parser("fetch", help="download").add_argument("id", nargs="+")
    args = parser.parse_args(argv)
    if args.command == "list":
        print(listing())
    elif args.command == "pin":
        print(f"{args.id}: {pin(args.id, args.revision)}")
    else:
        for id in args.id:
            print(folder(id))


if __name__ == "__main__":
    main()
