"""Stage report: one file that loads nothing, says what is missing, and shows the numbers of the tables."""

import functools
import json
import re
import sys

import pandas as pd
import pytest
from support.analysis_files import CLAIM
from support.places import ROOT
from support.report_pages import Parsed, build, published, write_figures

from uniapl import tables
from uniapl.config import load_scale
from uniapl.config.figures import figures_of
from uniapl.errors import UserError
from uniapl.provenance import checksums
from uniapl.report import page, records, sections
from uniapl.report.read import read
from uniapl.tables import overview

PUBLISHED = sorted((ROOT / "results/published").glob("*/manifest.json"))
read_once = functools.cache(read)  # of the published set, which no test here changes
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


# What it says -------------------------------------------------------------------------------------


def test_claims_come_first_then_experiments_runs_settings_and_environment(local, tmp_path):
    built = build(local, write_figures(tmp_path / "figures"))
    parts = [a["id"] for a in Parsed(built).all("section")]
    assert parts[:2] == ["claims-section", "headline"]
    assert parts[-3:] == ["runs-section", "settings-section", "environment-section"]
    assert built.index('id="claims"') < built.index('id="headline-claims"') < built.index('id="headline-main"')
    assert len(Parsed(built).all("img")) == len(figures_of(["headline"]))
    assert {a["alt"] for a in Parsed(built).all("img")} == {"What it shows."}


def test_a_claim_has_its_verdict_interval_and_reason(local, tmp_path):
    text = Parsed(build(local, tmp_path)).text
    assert "13.80 [7.34, 20.47] points over seeds [6.40, 21.20]" in text
    assert "supported" in text and "not decided 2 of 3 seeds of uniapl" in text


def test_the_first_sentence_says_what_was_found():
    overview, _ = sections.claims(read_once(ROOT / "results/published/tiny"))
    counts, said = sections.verdicts(overview), sections.sentence(overview)
    assert f"Of {sum(counts.values())} claims, after Holm's adjustment: {counts['supported']} supported" in said
    for verdict in ("supported", "contradicted"):  # a sentence for each, without the claims' sources
        named = said.partition(f"{verdict.capitalize()}: ")[2].partition(". ")[0].split("; ")
        assert len(named) == counts[verdict]
    assert "[" not in said and "(ours)" not in said, said
    assert sections.sentence(None) == ""


def test_grpos_curve_stands_beside_each_claim_against_it(local, tmp_path):
    """Only there: a claim about UniAPL alone has no use for it, nor a page without the figure."""
    path = local / "tables/headline/claims.csv"
    claims = pd.read_csv(path)
    claims.loc[1, "against"] = "sft"  # C1 is against grpo
    claims.to_csv(path, index=False)
    checksums.record(path)
    built = build(local, write_figures(tmp_path / "figures"))
    rows = [row for row in built.split("<tr>") if re.search(r'<th scope="row">\s*(<a [^>]*>)?C\d', row)]
    assert ["#figure-curves" in row for row in rows] == [True, False] * 2  # of all claims, and of the experiment's
    assert built.count('<figure id="figure-curves">') == 1
    assert "figure-curves" not in build(local, tmp_path)


def test_what_a_set_lacks_is_named_and_never_zero(local, tmp_path):
    (local / "tables/headline/cost.csv").unlink()
    text = Parsed(build(local, tmp_path)).text
    for said in (
        "tables/headline/cost.csv",
        "figure scores.png",
        "no run card of uniapl/seed0",
        "the summary of the data",
    ):
        assert said in text
    results = read(local)
    overview, _ = sections.claims(results)
    lacking = [
        (row, mark)
        for row, mark in zip(overview.view.rows, overview.marks, strict=True)
        if mark.experiment != "headline"
    ]
    assert {mark.experiment for _, mark in lacking} >= {"unified", "staged"}
    assert all(row[2:] == ["not measured", "", "", "", "missing"] and mark.glyph is None for row, mark in lacking)


def test_a_set_without_claims_says_so(local, tmp_path):
    (local / "tables/headline/claims.csv").write_text(",".join([*CLAIM, "x"]) + "\n")
    overview, of_each = sections.claims(read(local))
    assert of_each == {} and {mark.verdict for mark in overview.marks} == {"missing"}


def test_a_training_with_other_settings_than_the_checkout_has_is_named(local, tmp_path):
    path = local / "train/grpo/seed0/run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"start_arm": "other"}))
    assert "or not at all: grpo/seed0" in Parsed(build(local, tmp_path)).text


def test_arms_and_settings_are_those_of_the_overview_which_reads_the_cards(local, tmp_path):
    path = local / "train/grpo/seed0/run.json"
    card = json.loads(path.read_text())
    card["settings"] |= {"group": 5}
    path.write_text(json.dumps(card))
    assert "overview/arms.csv" in Parsed(build(local, tmp_path)).text
    overview.render(local, load_scale("smoke"), local / "overview")
    text = Parsed(build(local, tmp_path)).text
    assert "grpo base baselines.grpo group 5 (else 4) the run card; experiments/ now say 4" in text
    assert "sft base baselines.sft nothing" in text
    assert "baselines.grpo prompts_per_step 4 scale smoke" in text


def test_a_published_and_a_local_set_show_the_same_tables(local, tmp_path):
    before = read(local)
    after = read(published(local))
    assert (before.kind, after.kind) == ("local", "published")
    assert before.tables["headline"]["main"].csv == after.tables["headline"]["main"].csv
    assert [card["fingerprint"] for card in before.cards] == [card["fingerprint"] for card in after.cards]
    assert before.absent == after.absent == ["uniapl/seed0"]


def test_equal_inputs_give_equal_files(local, tmp_path):
    figures = write_figures(tmp_path / "figures")
    assert build(local, figures) == build(local, figures)


@pytest.mark.parametrize("manifest", PUBLISHED, ids=lambda path: path.parent.name)
def test_the_published_set_shows_what_its_tables_say(manifest, tmp_path):
    results = read_once(manifest.parent)
    built = page.render(results, tmp_path)
    assert len(built) < 8_000_000
    shown = Parsed(built)
    for experiment, stored in results.tables.items():
        assert f'id="{experiment}"' in built
        for name in stored:
            table = sections.table(name, experiment, stored[name])
            folder = manifest.parent / "tables" / experiment
            assert tables.markdown(table.view) == (folder / f"{name}.md").read_text()
            assert table.tex == (folder / f"{name}.tex").read_text()
            assert table.tex in shown.inline["template"] or not table.view.rows


LONG = "then_grpo_group16_no_kl_lr3e5_and_a_warmup_of_ten_steps_without_any_decay"


@pytest.mark.parametrize("length", [33, 70])
def test_no_column_is_as_wide_as_a_long_name(local, tmp_path, length):
    name = f"sft_{LONG}"[:length]
    for path in local.glob("tables/headline/*.csv"):
        path.write_text(re.sub(r"\b(grpo|new_types)\b", name, path.read_text()))
    built = build(local, tmp_path)
    cells = re.findall(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", built, re.DOTALL)
    together = [re.sub(r"<(?!wbr)[^>]*>", "", cell) for cell in cells]
    assert sum(cell.replace("<wbr>", "").strip() == name for cell in together) > 3  # an arm, in several tables
    assert sum(name in cell.replace("<wbr>", "") and name != cell for cell in together) > 3  # and in heads
    pieces = {piece for cell in together for piece in re.split(r"<wbr>|[\s-]", cell) if "_" in piece}
    assert max(map(len, pieces)) < 33, max(pieces, key=len)


def test_short_names_stay_whole_and_what_is_broken_stays_text():
    assert page.broken("a_sft_then_a_grpo_noise") == "a_sft_then_a_grpo_noise"
    pieces = "then_grpo_group16_<wbr>no_kl_lr3e5_and_<wbr>a_warmup_of_ten_<wbr>steps_without_any_decay"
    assert page.broken(f"{LONG}<br>&amp;") == f"{pieces}&lt;br&gt;&amp;amp;"


# What it must not do ------------------------------------------------------------------------------


def test_nothing_is_loaded_and_only_the_hashed_style_and_script_are_there(local, tmp_path):
    built = Parsed(build(local, write_figures(tmp_path / "figures")))
    policies = [a["content"] for a in built.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [page.policy(built.inline["style"], built.inline["script"])]
    assert policies[0].startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert len(built.all("style")) == len(built.all("script")) == 1
    for tag, attributes in built.tags:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (tag, attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (tag, attributes)


def test_hostile_texts_stay_text(local, tmp_path):
    for path in local.glob("tables/headline/*.csv"):
        quoted = '"' + HOSTILE.replace('"', '""') + '"'
        path.write_text(path.read_text().replace("\ngrpo,", f"\n{quoted},").replace("UniAPL beats GRPO.", quoted))
    path = local / "train/grpo/seed0/run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"device": HOSTILE, "commit": HOSTILE}))
    built = build(local, write_figures(tmp_path / "figures", caption=HOSTILE))
    parsed = Parsed(built)
    assert len(parsed.all("script")) == 1 and parsed.inline["script"] == (page.HERE / "script.js").read_text()
    assert all(a["src"].startswith("data:") for a in parsed.all("img"))
    assert parsed.text.count("alert(1)") > 4
    assert "<script>alert" not in built


def test_a_card_imports_no_module_and_its_commit_is_no_option_of_git(local, tmp_path):
    """A downloaded set is anybody's text. `this` prints when it is imported."""
    path = local / "train/sft/seed0/run.json"
    option = f"--output={tmp_path / 'written'}"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"method": "this", "commit": option}))
    made = Parsed(build(local, tmp_path))
    assert "this" not in sys.modules and not (tmp_path / "written").exists()
    assert records.date_of(option) == "" and option in made.text


def test_ids_are_unique_and_every_link_leads_somewhere(local, tmp_path):
    parsed = Parsed(build(local, write_figures(tmp_path / "figures")))
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in parsed.all("a") if a["href"].startswith("#")]
    links += [a["popovertarget"] for a in parsed.all("button") if "popovertarget" in a]
    assert set(links) <= set(ids) and len(links) > 10


# What it refuses ----------------------------------------------------------------------------------


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(UserError, match="smoke: no such folder"):
        read(tmp_path / "smoke")
    (tmp_path / "smoke").mkdir()
    with pytest.raises(UserError, match=r"no tables/\*/\*.csv; run the stages"):
        read(tmp_path / "smoke")


def test_a_file_that_is_not_the_manifest_s_is_refused(local):
    root = published(local)
    path = root / "tables/headline/main.csv"
    path.write_text(path.read_text().replace("46.5", "64.5"))
    with pytest.raises(UserError, match="main.csv: is not the file of the manifest .SHA-256.; publish the set again"):
        read(root)


def test_a_card_without_a_key_or_that_is_not_json_is_refused(local):
    path = local / "train/grpo/seed0/run.json"
    path.write_text('{"arm": "grpo"}')
    with pytest.raises(UserError, match=r"grpo/seed0/run.json: no key seed, .*it has arm"):
        read(local)
    path.write_text("{")
    with pytest.raises(UserError, match="grpo/seed0/run.json:1: not JSON"):
        read(local)


def test_a_table_without_a_column_is_refused(local, tmp_path):
    path = local / "tables/headline/main.csv"
    path.write_text(path.read_text().replace("n_seeds", "seeds", 1))
    with pytest.raises(UserError, match="tables/headline/main.csv: no column n_seeds"):
        read(local)
    path.write_text(path.read_text().replace("seeds", "n_seeds", 1).replace("benchmark", "bench", 1))
    with pytest.raises(UserError, match="tables/headline/main.csv: .*benchmark"):
        page.render(read(local), tmp_path)


def test_a_figure_that_is_no_png_is_refused_and_nothing_is_written(local, tmp_path, capsys):
    figures = write_figures(tmp_path / "figures")
    (figures / "scores.png").write_text("not a picture")
    with pytest.raises(SystemExit) as ended:
        build(local, figures)
    assert ended.value.code == 2 and "scores.png: not a PNG file" in capsys.readouterr().err
    assert not (local.parent / "out").exists()
