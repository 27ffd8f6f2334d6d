"""Figures draw what `analyse` writes: the same data give the same bytes, and captions say what is shown."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.places import ROOT
from support.synthetic_results import (
    ARMS,
    LAMBDAS,
    OTHERS,
    chains,
    write_all,
)

from baselines import grpo, sft, uniapl
from figures import recipes, style
from figures.arms import FAMILIES, family
from figures.recipes import chains as real_chains
from uniapl.config import Arm, Experiment, load_experiment
from uniapl.config import figures as config_figures
from uniapl.config.figures import needs_of_figures
from uniapl.errors import UserError

FIGURES = {  # the CSV that each figure cannot do without, and one of its columns
    "scores": ("headline/main.csv", "low"),
    "differences": ("headline/comparisons.csv", "p_holm"),
    "curves": ("headline/curves.csv", "step"),
    "lengths": ("headline/lengths.csv", "density"),
    "logprobs": ("headline/logprobs.csv", "bin_left"),
    "arms": ("reward_shaping/curves.csv", "value"),
    "staged": ("unified/main.csv", "n_prompts"),
    "lambda_sweep": ("lambda_sweep/diversity.csv", "estimate"),
    "switch": ("switch/main.csv", "high"),
    "demonstrations": ("demonstrations/main.csv", "estimate"),
    "teachers": ("teachers/distances.csv", "wasserstein"),
    "constrained": ("constrained/curves.csv", "value"),
    "discriminators": ("discriminators/curves.csv", "seed"),
    "mu": ("mu_schedule/main.csv", "n_seeds"),
    "mixtures": ("mixtures/cost.csv", "tokens_generated"),
    "pareto": ("unified/cost.csv", "tokens_trained"),
    "diversity": ("lambda_sweep/diversity.csv", "n_responses"),
    "claims": ("constrained/claims.csv", "detectable"),
}


def draw(name: str, results: Path, out: Path) -> dict[str, bytes]:
    """Draw one figure and return the bytes of its three files by suffix."""
    fig, caption, tables = importlib.import_module(f"figures.{name}").draw(results)
    style.save(fig, str(out / name), caption, results, tables)
    return {path.suffix: path.read_bytes() for path in sorted(out.glob(f"{name}.*"))}


@pytest.fixture(autouse=True, scope="module")
def settings():
    """The experiments' files may not say what these synthetic results show."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "chains", chains)
        yield


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("results") / "tiny")


@pytest.fixture(scope="module")
def drawn(results, tmp_path_factory):
    """Every figure's files by name and suffix."""
    out = tmp_path_factory.mktemp("out")
    return {name: draw(name, results, out) for name in FIGURES}


def test_every_figure_of_the_workflow_is_tested_with_the_experiments_that_it_needs():
    assert FIGURES.keys() == needs_of_figures().keys()
    assert all(csv.split("/")[0] in needs_of_figures()[name] for name, (csv, _) in FIGURES.items())


def test_another_process_draws_the_same_bytes(results, drawn, tmp_path):
    program = (
        "import runpy, sys\n"
        "results, out, *names = sys.argv[1:]\n"
        "for name in names:\n"
        "    sys.argv = [name, '--results', results, '--out', f'{out}/new/{name}']\n"
        "    runpy.run_module(f'figures.{name}', run_name='__main__')\n"
    )
    alike = [name for name, needs in needs_of_figures().items() if "headline" in needs or name in ("staged", "mu")]
    command = [sys.executable, "-c", program, str(results), str(tmp_path), *alike]
    subprocess.run(command, check=True, cwd=ROOT)
    for name in alike:
        again = {path.suffix: path.read_bytes() for path in sorted((tmp_path / "new").glob(f"{name}.*"))}
        assert again == drawn[name], name


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_fills_two_columns_with_truetype_text_and_names_its_data_and_commit(name, drawn, tmp_path):
    files = drawn[name]
    assert set(files) == {".pdf", ".png", ".txt"}
    assert b"/FontFile2" in files[".pdf"] and b"/Type3" not in files[".pdf"]
    assert b"CreationDate" not in files[".pdf"]
    (tmp_path / "a.png").write_bytes(files[".png"])
    with Image.open(tmp_path / "a.png") as png:
        assert png.width == style.TWO_COLUMNS * style.DPI
        assert len(png.convert("RGB").getcolors(maxcolors=2**24)) > 50  # not blank
        source = png.text["Source"]
    assert re.fullmatch("data sha256 [0-9a-f]{64}; commit .+", source)
    assert files[".txt"].decode().splitlines()[-1] == source


def test_captions_carry_the_numbers_of_the_data(drawn):
    caption = {name: files[".txt"].decode() for name, files in drawn.items()}
    assert all("seeds per arm: 3" in text for text in caption.values())
    for name in ("scores", "lengths", "logprobs"):
        assert "seeds per arm: 3 (base: 1)" in caption[name]
    for name in ("scores", "differences"):
        assert "trained types 37, new types 37, new topics 37" in caption[name]
        assert "hierarchical bootstrap over seeds and prompts" in caption[name]
    assert "UniAPL 111, expert 37" in caption["lengths"]
    assert "UniAPL 111" in caption["logprobs"] and f"UniAPL {111 * 40:,}" in caption["logprobs"]
    assert "SFT 400; GRPO 300; SFT→GRPO 160; UniAPL 400" in caption["curves"]


def test_captions_of_the_experiments_say_what_is_shown(drawn):
    caption = {name: files[".txt"].decode() for name, files in drawn.items()}
    assert "Lambda of each arm: CHORD 0, UniAPL 0.1; the others" in caption["lambda_sweep"]
    assert "the targets (ε low 0.9, ε high 1.8)" in caption["constrained"]
    assert "GRPO 300" in caption["arms"] and "A-SFT→A-GRPO 400" in caption["arms"]
    for name in ("staged", "lambda_sweep", "switch", "demonstrations", "teachers", "discriminators", "mu"):
        assert "trained types 12" in caption[name] and "hierarchical bootstrap over seeds and prompts" in caption[name]


def shown(name: str, results: Path) -> tuple[list, str]:
    """A figure's panels and its caption, without its files, which take longest."""
    fig, caption, _ = importlib.import_module(f"figures.{name}").draw(results)
    return fig.axes, " ".join(caption.split())


def axes_of(name: str, results: Path) -> list:
    return shown(name, results)[0]


def marked(ax) -> dict[float, float]:
    """x -> y of the single markers of a panel."""
    lines = [line for line in ax.get_lines() if len(line.get_xdata()) == 1]
    return {float(line.get_xdata()[0]): float(line.get_ydata()[0]) for line in lines}


def test_a_sweep_places_every_arm_at_its_setting_and_height(results):
    main = pd.read_csv(results / "analyse/lambda_sweep/main.csv")
    main = main[(main.metric == "prompt_strict") & (main.decoding == "greedy") & (main.benchmark == "trained")]
    rate, curves = main.set_index("arm").estimate, pd.read_csv(results / "analyse/lambda_sweep/curves.csv")
    accuracy, auc, entropy, bigrams = axes_of("lambda_sweep", results)
    assert marked(accuracy) == pytest.approx({lam: rate[arm] for arm, lam in LAMBDAS.items()})
    ends = curves[(curves.quantity == "probe_auc") & (curves.step == 400) & (curves.arm == "lambda_1")]
    assert len(ends) == 3 and marked(auc)[1.0] == pytest.approx(ends.value.mean())
    assert sorted(marked(entropy)) == sorted(marked(bigrams)) == sorted(LAMBDAS.values())
    switched = pd.read_csv(results / "analyse/switch/main.csv").query(
        "metric == 'prompt_strict' and decoding == 'greedy' and benchmark == 'trained'"
    )
    at = marked(axes_of("switch", results)[0])
    # at 100 stands SFT, and not sft_25, the first stage of switch_25
    assert sorted(at) == [0, 10, 25, 50, 75, 100] and at[100] == switched.set_index("arm").estimate["sft"]
    at = sorted(marked(axes_of("demonstrations", results)[2]))
    assert at == pytest.approx([n for n in (24, 96, 384, 1536) for _ in "ab"], rel=0.08)


def test_an_arm_that_is_missing_leaves_a_gap_and_no_zero(results, tmp_path):
    shutil.copytree(results / "analyse/lambda_sweep", tmp_path / "analyse/lambda_sweep")
    for path in (tmp_path / "analyse/lambda_sweep").iterdir():
        table = pd.read_csv(path)
        table[table.arm != "lambda_03"].to_csv(path, index=False)
    for ax in axes_of("lambda_sweep", tmp_path):
        assert sorted(marked(ax)) == [0, 0.03, 0.1, 1.0] and min(marked(ax).values()) > 0


def test_one_seed_is_drawn_without_intervals_over_seeds(results, tmp_path):
    for name in ("discriminators", "lambda_sweep", "constrained"):
        shutil.copytree(results / "analyse" / name, tmp_path / "analyse" / name)
        for path in (tmp_path / "analyse" / name).iterdir():
            table = pd.read_csv(path)
            if "seed" in table:
                table = table[table.seed == 0]
            else:
                table["n_seeds"] = 1
                if path.stem != "main":  # there the bootstrap over prompts stays
                    table[["low", "high"]] = np.nan
            table.to_csv(path, index=False)
        assert "per arm: 1" in draw(name, tmp_path, tmp_path)[".txt"].decode()


def test_every_arm_of_the_default_experiments_has_a_row_of_its_family():
    families = {name: [arm for arm in ARMS | OTHERS if family(arm) == name] for name in FAMILIES}
    assert sum(map(len, families.values())) == len(ARMS | OTHERS)
    assert families["rewards"] == ["grpo", "a_grpo", "grpo_reward_shaped"]
    assert {"a_sft_then_a_grpo", "switch_10"} <= set(families["two stages"]) and "chord" in families["one stage"]


def test_a_recipe_is_read_from_the_settings_of_an_arm_and_of_those_it_starts_from(monkeypatch):
    first = Arm("sft_x", sft, changes={"steps": 30, "demonstrations": 96, "teacher": "noise20"})
    arms = (
        first,
        Arm("x", grpo, start="sft_x", changes={"steps": 90, "demonstrations": 200}),
        Arm("chord", uniapl),
    )
    asked = Experiment("x", "?", "", (*arms[:2], Arm("chord", uniapl, changes={"lam": 0.0})), ())
    monkeypatch.setattr(recipes, "load_experiment", lambda name: asked if name == "x" else load_experiment(name))
    monkeypatch.setattr("uniapl.config.resolution.experiments_of", lambda scale: [asked])
    found = real_chains(Path("results/local/tiny"), "x")
    assert [run.arm for run in found["x"]] == ["x", "sft_x"] and [run.arm for run in found["chord"]] == ["chord"]
    assert recipes.sft_share(found["x"]) == 25 and recipes.sft_share(found["sft_x"]) == 100
    assert recipes.sft_share(found["chord"]) is None
    assert (recipes.demonstrations(found["x"]), recipes.teacher(found["x"])) == (96, "noise20")
    everything = found["chord"][0].world.train
    assert (recipes.demonstrations(found["chord"]), recipes.teacher(found["chord"])) == (everything, "expert")
    assert (recipes.lam(found["chord"]), recipes.lam(found["x"])) == (0.0, None)


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_or_file_is_one_clear_line_and_writes_nothing(name, results, tmp_path, monkeypatch, capsys):
    csv, column = FIGURES[name]
    spoilt = tmp_path / "tiny"
    for needed in needs_of_figures()[name]:
        shutil.copytree(results / "analyse" / needed, spoilt / "analyse" / needed)
    path = spoilt / "analyse" / csv
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    monkeypatch.setattr(sys, "argv", ["x", "--results", str(spoilt), "--out", str(tmp_path / "out" / name)])
    for fault in (f"no column '{column}'", "no such file"):
        with pytest.raises(SystemExit) as stop:
            style.main(importlib.import_module(f"figures.{name}").draw)
        (line,) = capsys.readouterr().err.splitlines()
        assert stop.value.code == 2 and csv in line and fault in line
        assert not (tmp_path / "out").exists()
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["curves", "arms"])
def test_curves_of_a_scale_without_a_discriminator_leave_it_out(name, results, drawn, tmp_path):
    for needed in needs_of_figures()[name]:
        shutil.copytree(results / "analyse" / needed, tmp_path / "analyse" / needed)
        path = tmp_path / "analyse" / needed / "curves.csv"
        curves = pd.read_csv(path)
        curves[~curves.quantity.isin(["probe_auc", "probe_score"])].to_csv(path, index=False)
    axes, caption = shown(name, tmp_path)
    titles = {" ".join(ax.get_title().split()) for ax in axes}
    assert "prompts followed (%)" in titles and not [title for title in titles if "AUC" in title or "score" in title]
    assert "discriminator" not in caption
    assert [title for ax in axes_of(name, results) if "AUC" in (title := ax.get_title())]
    assert "the discriminator cannot tell" in drawn[name][".txt"].decode()


def test_words_in_a_column_of_numbers_and_an_empty_selection_are_refused(tmp_path):
    path = tmp_path / "main.csv"
    path.write_text("arm,metric,low\nsft,prompt_strict,a\n")
    with pytest.raises(UserError, match="'low' holds something that is not a number"):
        style.read(path, ("arm",), ("low",))
    path.write_text("arm,metric,low\nsft,prompt_strict,1\n")
    with pytest.raises(UserError, match="no rows with metric 'prompt_loose'"):
        style.read(path, ("arm",), ("low",), metric="prompt_loose")
    for content, fault in (("arm,metric,low\n", "no rows"), ("", "not a CSV file")):
        path.write_text(content)
        with pytest.raises(UserError, match=fault):
            style.read(path, ("arm",), ("low",))


def test_one_seed_and_a_missing_run_show_in_the_caption_and_not_as_zero(results, tmp_path):
    main, comparisons = (pd.read_csv(results / f"analyse/headline/{name}.csv") for name in ("main", "comparisons"))
    folder = tmp_path / "analyse/headline"
    folder.mkdir(parents=True)
    main.loc[main.arm == "uniapl", "n_seeds"] = 2
    main.to_csv(folder / "main.csv", index=False)
    assert "seeds per arm: 3 (base: 1; UniAPL: 2)" in shown("scores", tmp_path)[1]
    alone = comparisons.assign(seed_low=np.nan, seed_high=np.nan, n_seeds=1, n_seeds_against=1)
    alone.to_csv(folder / "comparisons.csv", index=False)
    assert "seeds per arm: 1." in shown("differences", tmp_path)[1]


# A set whose trainings had no probe -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["curves", "arms", "lambda_sweep", "discriminators"])
def test_without_a_probe_a_figure_shows_what_trainings_log_or_leaves_the_panel_out(name, results, drawn, tmp_path):
    bare = shutil.copytree(results, tmp_path / "tiny")
    for path in bare.glob("analyse/*/curves.csv"):
        table = pd.read_csv(path)
        table[~table.quantity.str.startswith("probe_")].to_csv(path, index=False)
    _, caption = shown(name, bare)
    before = " ".join(drawn[name][".txt"].decode().split())
    if name in ("curves", "arms"):
        assert "Logged by each training of its own rollouts" in caption and "the same validation prompts" in before
    else:
        assert "AUC" in before and "Entropy (mean" in caption or name == "discriminators"


def test_a_figure_of_curves_without_any_is_refused(results, tmp_path):
    bare = shutil.copytree(results, tmp_path / "tiny")
    path = bare / "analyse/headline/curves.csv"
    table = pd.read_csv(path)
    table[table.quantity == "lam"].to_csv(path, index=False)
    with pytest.raises(UserError, match="curves.csv: no rows with quantity probe_reward.*distance, auc"):
        draw("curves", bare, tmp_path)


def test_a_figure_that_would_draw_nothing_is_refused_with_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(config_figures, "FIGURES", tmp_path)
    (tmp_path / "without_end.py").write_text('NEEDS = ("headline",)\n')
    with pytest.raises(UserError, match="figures/without_end.py: a figure must end in .*style.main"):
        config_figures._needs("without_end")
