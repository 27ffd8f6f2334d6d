"""The site's pages: every link leads somewhere, every claim has an anchor, nothing is large or from elsewhere."""

import json
import re
import runpy
import shutil
import sys
from pathlib import Path, PurePosixPath

import pandas as pd
import pytest
from support.places import ROOT
from support.report_pages import write_figures

from uniapl import tables
from uniapl.config import load_scale, repository
from uniapl.errors import UserError
from uniapl.provenance import sha256_of
from uniapl.publish.publish import CARD
from uniapl.report import site
from uniapl.report.site import LINK, documents, framed, relinked

TINY = ROOT / "results/published/tiny"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    figures = tmp_path_factory.mktemp("figures")
    write_figures(figures / "tiny")
    return site.build(ROOT, figures)


def test_every_link_leads_to_a_page_or_a_file_of_the_site(built):
    pages, _ = built
    there = set(pages.pages) | set(pages.files)
    for name, text in pages.pages.items():
        prose = site.CODE.sub("", text)
        for _, _, target in LINK.findall(prose):
            if re.match(r"https?:|mailto:|#", target):
                continue
            path = (Path("/") / PurePosixPath(name).parent / target.partition("#")[0]).resolve().relative_to("/")
            assert str(path) in there, f"{name}: {target}"


def test_every_claim_has_an_anchor_its_verdict_and_a_way_to_cite_it(built):
    pages, _ = built
    text = pages.pages["sets/tiny/claims.md"]
    claims = pd.concat(pd.read_csv(path) for path in TINY.glob("tables/*/claims.csv"))
    for claim in claims.itertuples():
        assert re.search(rf"^### {claim.id} {{ #{claim.id} }}\n\n\*\*{claim.verdict}", text, re.MULTILINE), claim.id
    assert "Cite a claim by its set and name: UniAPL-repro, set `tiny-" in text


def test_every_claim_against_grpo_leads_to_its_training_curve(built):
    text, target = built[0].pages["sets/tiny/claims.md"], "(headline.md#figure-curves)"
    claims = pd.concat(pd.read_csv(path) for path in TINY.glob("tables/*/claims.csv"))
    told = {part.partition(" ")[0]: part for part in text.split("\n### ")[1:]}
    for claim in claims.itertuples():
        assert (target in told[claim.id]) == bool({claim.arm, claim.against} & {"grpo", "sft_then_grpo"}), claim.id
    assert "{ #figure-curves }" in built[0].pages["sets/tiny/headline.md"]


def test_every_experiment_has_its_question_tables_and_the_csv_of_each(built):
    pages, nav = built
    for folder in TINY.glob("tables/*"):
        text = pages.pages[f"sets/tiny/{folder.name}.md"]
        assert (folder / "main.md").read_text().splitlines()[2] in text
        assert pages.files[f"sets/tiny/tables/{folder.name}-main.csv"] == folder / "main.csv"
        assert any(line.endswith(f"sets/tiny/{folder.name}.md") for line in nav)
    assert "figures/scores.png" in pages.pages["sets/tiny/headline.md"]


def test_the_leaderboard_ranks_only_what_is_decided(built):
    rows = re.findall(r"^\| ([\d -]+) \| (\w+) \| tiny-", built[0].pages["leaderboard.md"], re.MULTILINE)
    assert len(rows) == 5 and dict((arm, rank) for rank, arm in rows)["sft_then_grpo"] != "1"  # -6.2 is not decided


def test_a_submitted_set_is_read_by_its_own_repository_and_needs_no_headline(tmp_path, analysis, monkeypatch):
    monkeypatch.setattr(repository, "ROOT", tmp_path)
    came_with_it = tmp_path / "submissions/mine"
    shutil.copytree(ROOT / "examples/own_method", came_with_it, ignore=shutil.ignore_patterns("policy"))
    folder = tmp_path / "results/published/mine"
    tables.render(analysis.rename(analysis.with_name("dr_grpo")), folder / "tables/dr_grpo")
    (folder / "runs.jsonl").write_text(json.dumps(dict.fromkeys(CARD, "") | {"settings": {}, "cost": {}}) + "\n")
    sha256 = {str(p.relative_to(folder)): sha256_of(p) for p in folder.rglob("*.*")}
    manifest = {"id": "mine-c0ffee-0", "scale": "mine", "commit": "c0ffee", "experiments": ["dr_grpo"], "versions": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"sha256": sha256}))
    for name in site.PAGES:
        (tmp_path / name).write_text("")
    pages = site.build(tmp_path, tmp_path / "figures")[0].pages
    assert "Do the normalisations of GRPO" in pages["sets/mine/dr_grpo.md"] and "sets/mine/claims.md" in pages
    assert "## mine" not in pages["leaderboard.md"]
    assert repository.repository() is None and "experiments.dr_grpo" not in sys.modules
    with pytest.raises(UserError, match="unknown scale 'mine'"):
        load_scale("mine")


def test_pages_are_small_and_hold_no_picture(built):
    pages, nav = built
    assert max(len(text.encode()) for text in pages.pages.values()) < 300_000  # MkDocs doubles or trebles it
    assert not [name for name, text in pages.pages.items() if "data:image" in text or "<script" in text]
    listed = "\n".join(nav)
    assert all(page in listed for page in pages.pages)


def test_links_and_tables_are_changed_in_prose_alone(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("")
    (tmp_path / "docs/p.png").write_bytes(b"")
    text = "[a](docs/a.md#b) [b](src/x.py) ![p](docs/p.png) [c](https://x.org)\n\n    [a](docs/a.md)\n"
    files = {}
    found = relinked(text, "README.md", "index.md", documents(tmp_path), files, tmp_path)
    assert found == "[a](a.md#b) b ![p](images/p.png) [c](https://x.org)\n\n    [a](docs/a.md)\n"
    assert files == {"images/p.png": tmp_path / "docs/p.png"}
    table = "| a |\n| - |\n| 1 |\n"
    indented = table.replace("|", "    |", 1).replace("\n|", "\n    |")
    assert framed(f"{table}\n{indented}").count('tabindex="0"') == 1


def test_the_search_has_a_name_on_every_page_and_other_files_stay():
    hooks = runpy.run_path(str(ROOT / "docs/site/hooks.py"))
    theme = '<div class="md-search" role="dialog"><input></div>'
    for page in (hooks["on_post_page"](theme), hooks["on_post_template"](theme, template_name="404.html")):
        assert page == theme.replace(">", ' aria-label="Search">', 1)
    assert hooks["on_post_template"](theme, template_name="sitemap.xml") == theme
