"""A published set as files: where it is made, what its cards must say, how large it may be, what its manifest fixes."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from uniapl.config.runs import Runs
from uniapl.errors import UserError
from uniapl.provenance import sha256_of

LARGEST, LARGEST_SET = 5_000_000, 10_000_000  # bytes: of a file; of all files for each experiment of the set


def check_sizes(files: list[Path], experiments: int) -> None:
    """Raise UserError where a file, or all files of a set of so many experiments, are too large to be committed."""
    sizes = {path: path.stat().st_size for path in files}
    for path, size in sizes.items():
        if size > LARGEST:
            raise UserError(f"{path}: {size} bytes; published files stay below {LARGEST}")
    total, limit = sum(sizes.values()), LARGEST_SET * max(1, experiments)
    if total > limit:
        raise UserError(
            f"{len(files)} files of {total} bytes; a published set of {experiments} experiment(s) stays below {limit}"
        )


def check_card(card: dict, runs: Runs, where: str) -> None:
    """Raise UserError for a training from an uncommitted tree, and of settings that the experiments do not have."""
    if card["commit"] == "unknown" or card["commit"].endswith("-dirty"):
        raise UserError(f"{where}: trained from {card['commit']}; publish only runs of a committed tree")
    if card["arm"] not in runs.arms or card["fingerprint"] != runs.run(card["arm"], card["seed"]).fingerprint:
        run = f"{card['arm']}/seed{card['seed']}"
        raise UserError(f"{where}: {run} was trained with other settings than the arm has now; run snakemake again")


def fresh_folder_for(out: Path) -> Path:
    """A folder of the same name that takes its place when all is well: nothing is overwritten on error."""
    fresh = out.parent / ".new" / out.name
    shutil.rmtree(fresh.parent, ignore_errors=True)
    return fresh


def swap(out: Path, fresh: Path) -> None:
    """Put the sealed set in the place of the one before."""
    before = out.with_name(f".{out.name}.before")  # what a kill leaves here is the set
    if out.exists():
        shutil.rmtree(before, ignore_errors=True)
        out.rename(before)
    fresh.rename(out)
    shutil.rmtree(before, ignore_errors=True)
    fresh.parent.rmdir()


def changed_files(folder: Path, sha256: dict[str, str], manifest: str = "manifest.json") -> Iterator[str]:
    """A line for each file that is missing, extra or not the one of the manifest, which is the file of that name."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {manifest}
    for name in sorted(found | set(sha256)):
        if name not in found:
            yield f"{folder / name}: is in the manifest and does not exist"
        elif name not in sha256:
            yield f"{folder / name}: is not in the manifest"
        elif sha256_of(folder / name) != sha256[name]:
            yield f"{folder / name}: is not the file of the manifest (SHA-256)"


def contradictions(folder: Path, manifest: dict, name: str = "manifest.json") -> Iterator[str]:
    """A line where the id is not that of scale, commit and files, and for each file that is not the manifest's."""
    if manifest["id"] != (found := stable_id(manifest["scale"], manifest["commit"], manifest["sha256"])):
        yield f"{folder / name}: says id {manifest['id']}, its files have {found}"
    yield from changed_files(folder, manifest["sha256"], name)


def of_cards(cards: list[dict]) -> dict:
    """What a manifest says of the run cards of its set."""
    return {
        "commits_of_runs": sorted({card["commit"] for card in cards}),
        "devices": sorted({card["device"] for card in cards}),
        "fingerprints": {f"{card['arm']}/seed{card['seed']}": card["fingerprint"] for card in cards},
    }


def stable_id(scale: str, commit: str, sha256: dict[str, str]) -> str:
    """What a citation names: scale, commit and content; another content has another id."""
    content = json.dumps(sha256, sort_keys=True).encode()
    return f"{scale}-{commit[:12]}-{hashlib.sha256(content).hexdigest()[:12]}"
