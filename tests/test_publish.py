"""What the README shows is what was published, and what was published is what the manifest says."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from uniapl.errors import UserError
from uniapl.publish import BEGIN, END, LARGEST, with_table

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = sorted((ROOT / "results/published").glob("*/manifest.json"))


def test_the_table_replaces_what_stands_between_the_markers():
    assert with_table(f"a\n{BEGIN}\nold\n{END}\nb", "| new |") == f"a\n{BEGIN}\n\n| new |\n\n{END}\nb"
    with pytest.raises(UserError, match="markers"):
        with_table("no markers", "| new |")


def test_the_readme_shows_the_published_table():
    readme = (ROOT / "README.md").read_text()
    assert with_table(readme, (ROOT / "results/published/tiny/tables/main.md").read_text()) == readme


def test_every_interval_in_the_prose_of_the_readme_is_in_a_published_table():
    readme = (ROOT / "README.md").read_text()
    prose = readme.split(END, 1)[1]
    tables = "".join(path.read_text() for path in (ROOT / "results/published/tiny/tables").glob("*.md"))
    intervals = re.findall(r"-?\d+\.\d \[-?\d+\.\d, -?\d+\.\d\]", prose)
    assert len(intervals) >= 4
    assert [text for text in intervals if text not in tables] == []


@pytest.mark.parametrize("manifest", PUBLISHED, ids=lambda path: path.parent.name)
def test_every_published_file_is_the_one_of_the_manifest(manifest):
    recorded = json.loads(manifest.read_text())
    files = [p for p in manifest.parent.rglob("*") if p.is_file() and p != manifest]
    found = {str(p.relative_to(manifest.parent)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    assert found == recorded["sha256"]
    assert all(p.stat().st_size <= LARGEST for p in files)
    assert not any(c.endswith("-dirty") or c == "unknown" for c in [recorded["commit"], *recorded["commits_of_runs"]])
