"""How every claim was worded when its runs were first analysed: claims.lock.json beside the analysis.

A later analysis adds the claims that are new and never changes an entry. A published lock is where a fresh one begins,
so that deleting results/local does not make a claim look as if it had been written before the results were known. A
claim that is new where the experiment has been analysed already is recorded as late.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from uniapl.analyse.claims import LATE, fingerprint, statement
from uniapl.config import Claim
from uniapl.errors import UserError
from uniapl.provenance import commit

LOCK = "claims.lock.json"


def first_statements(folder: Path, published: Path, claims: Sequence[Claim], *, late: bool = False) -> dict[str, dict]:
    """Claim id -> its fields at its first analysis, with those no longer claimed.

    Writes the lock, an empty one too, where a claim is new or there is no lock yet.

    `folder`: of this analysis; `published`: of the published analysis of the same experiment, if there is one; `late`:
    its runs have been analysed before, by another experiment.
    Raises UserError for a lock that is not one.
    """
    recorded = _read(folder / LOCK)
    entries = _read(published / LOCK) | recorded
    analysed = late or (folder / LOCK).is_file() or (published / "claims.csv").is_file()
    for claim in claims:
        if claim.id not in entries:
            entry = {"fingerprint": fingerprint(claim), "commit": commit(), "claim": statement(claim)}
            entries[claim.id] = entry | ({LATE: True} if analysed else {})
    if entries != recorded or not (folder / LOCK).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOCK).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return _statements(entries)


def recorded_statements(folder: Path) -> dict[str, dict]:
    """Claim id -> its fields at its first analysis, by the lock in this folder. Raises UserError like the above."""
    return _statements(_read(folder / LOCK))


def _statements(entries: Mapping[str, dict]) -> dict[str, dict]:
    return {id: entry["claim"] | ({LATE: True} if entry.get(LATE) else {}) for id, entry in entries.items()}


def _read(path: Path) -> dict[str, dict]:
    if not path.is_file():
        return {}
    try:
        return {
            id: entry | {"claim": dict(entry["claim"])}
            for id, entry in json.loads(path.read_text(encoding="utf-8")).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a record of claims ({error}); restore it from version control") from error
