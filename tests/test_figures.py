"""Figures draw what `analyse` writes: the same data give the same bytes, and captions say what is shown."""

import importlib
import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from figures import style
from uniapl.analyse import SPENT, Inputs, Plan, analyse
from uniapl.errors import UserError

FIGURES = {  # the CSV that each figure cannot do without, and one of its columns
    "scores": ("main.csv", "low"),
    "differences": ("comparisons.csv", "p_holm"),
    "curves": ("curves.csv", "step"),
    "lengths": ("lengths.csv", "density"),
    "logprobs": ("logprobs.csv", "bin_left"),
}
ARMS = {"base": 0.28, "sft": 0.63, "grpo": 0.46, "sft_then_grpo": 0.65, "uniapl": 0.62}  # pass rates
EASE = {"trained": 1.0, "new_types": 0.55, "new_topics": 0.93}
WORDS = {"base": (38, 20), "sft": (60, 9), "grpo": (33, 14), "sft_then_grpo": (56, 11), "uniapl": (58, 9)}
LAST_STEP = {"sft": 400, "grpo": 300, "sft_then_grpo": 160, "uniapl": 400}
PROBES = {  # at the start and at the end of training, for a policy that is perfect
    "probe_reward": (0.28, 1.0),
    "probe_kl": (0.0, 1.5),
    "probe_entropy": (1.4, 0.1),
    "probe_score": (-0.9, 1.5),
    "probe_auc": (0.97, 0.3),
    "probe_length": (60.0, 90.0),
    "reward": (0.0, 1.0),
}


def experiment(n: int, seeds: int, seed: int) -> Inputs:
    """A synthetic experiment: `n` prompts per benchmark; one instruction each; the base has one seed."""
    rng = np.random.default_rng(seed)
    test = pd.DataFrame(
        [dict(key=f"{b}{i}", benchmark=b, instructions=1) for b in EASE for i in range(n)],
    )
    keys, trained = list(test.key), [f"trained{i}" for i in range(n)]
    ease = test.benchmark.map(EASE).to_numpy() * np.clip(rng.normal(1, 0.3, len(test)), 0, 1.5)
    texts = {key: int(words) for key, words in zip(trained, rng.normal(61, 8, n).clip(1), strict=True)}
    expert = pd.DataFrame([dict(key=key, response="word " * texts.get(key, 60)) for key in keys])
    scores, responses, logprobs, history, runs = [], [], [], [], []
    for arm, rate in ARMS.items():
        for s in range(1 if arm == "base" else seeds):
            run = dict(arm=arm, seed=s)
            skill = rate + rng.normal(0, 0.012)
            for decoding in ("greedy", "sampled"):
                passed = (rng.random(len(keys)) < skill * ease).astype(int)
                rows = pd.DataFrame(dict(key=keys, index=0, instruction_id="a:b", strict=passed, loose=passed))
                scores.append(rows.assign(decoding=decoding, **run))
            lengths = rng.normal(*WORDS[arm], n).clip(1).astype(int)
            responses.append(
                pd.DataFrame(dict(key=trained, response=["word " * int(k) for k in lengths])).assign(**run)
            )
            for key, (text, under) in itertools.product(
                trained, itertools.product(("own", "expert"), ("self", "base"))
            ):
                far = 0 if text == "own" and under == "self" else 3 * (0.7 - rate)
                logprobs.append(run | dict(key=key, text=text, under=under, logprobs=-rng.gamma(0.4, 0.8 + far, 40)))
            for step in range(0, LAST_STEP.get(arm, 0) + 1, LAST_STEP.get(arm, 20) // 20):
                t = rate * (1 - np.exp(-4 * step / LAST_STEP.get(arm, 1))) if arm != "sft_then_grpo" else rate
                noise = rng.normal(0, 0.012, len(PROBES))
                values = {q: a + (b - a) * (t + e) for (q, (a, b)), e in zip(PROBES.items(), noise, strict=True)}
                history += [run | dict(step=step) | values] if arm != "base" else []
            runs.append(run | dict.fromkeys(SPENT, 1) | dict(start="base", peak_memory_mb=1))
    frames = [pd.DataFrame(rows) for rows in (logprobs, history, runs)]
    return Inputs(test, expert, pd.concat(scores), pd.concat(responses), *frames)


def write(inputs: Inputs, folder: Path) -> Path:
    """The analysis of `inputs` as CSV files, as the stage writes them."""
    plan = Plan(tuple(ARMS), ("grpo", "sft_then_grpo"))
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in analyse(inputs, plan, rng=np.random.default_rng(0), resamples=199).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def draw(name: str, analysis: Path, out: Path) -> dict[str, bytes]:
    """Draw one figure and return the bytes of its three files by suffix."""
    fig, caption, tables = importlib.import_module(f"figures.{name}").draw(analysis)
    style.save(fig, str(out / name), caption, analysis, tables)
    return {path.suffix: path.read_bytes() for path in sorted(out.glob(f"{name}.*"))}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    return write(experiment(n=37, seeds=3, seed=0), tmp_path_factory.mktemp("analysis"))


@pytest.fixture(scope="module")
def drawn(analysis, tmp_path_factory):
    """Every figure's files by name and suffix."""
    out = tmp_path_factory.mktemp("out")
    return {name: draw(name, analysis, out) for name in FIGURES}


def test_another_process_draws_the_same_bytes(analysis, drawn, tmp_path):
    program = (
        "import runpy, sys\n"
        "analysis, out, *names = sys.argv[1:]\n"
        "for name in names:\n"
        "    sys.argv = [name, '--analysis', analysis, '--out', f'{out}/new/{name}']\n"
        "    runpy.run_module(f'figures.{name}', run_name='__main__')\n"
    )
    command = [sys.executable, "-c", program, str(analysis), str(tmp_path), *FIGURES]
    subprocess.run(command, check=True, cwd=Path(style.__file__).parent.parent)
    for name, files in drawn.items():
        again = {path.suffix: path.read_bytes() for path in sorted((tmp_path / "new").glob(f"{name}.*"))}
        assert again == files, name


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
        assert "trained types 37, new instruction types 37, new topics 37" in caption[name]
        assert "hierarchical bootstrap over seeds and prompts" in caption[name]
    assert "UniAPL 111, expert 37" in caption["lengths"]
    assert "UniAPL 111" in caption["logprobs"] and f"UniAPL {111 * 40:,}" in caption["logprobs"]
    assert "SFT 400; GRPO 300; SFT→GRPO 160; UniAPL 400" in caption["curves"]


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_or_file_is_one_clear_line_and_writes_nothing(name, analysis, tmp_path, monkeypatch, capsys):
    csv, column = FIGURES[name]
    for path in analysis.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    pd.read_csv(analysis / csv).drop(columns=column).to_csv(tmp_path / csv, index=False)
    monkeypatch.setattr(sys, "argv", ["x", "--analysis", str(tmp_path), "--out", str(tmp_path / "out" / name)])
    for fault in (f"no column '{column}'", "no such file"):
        with pytest.raises(SystemExit) as stop:
            style.main(importlib.import_module(f"figures.{name}").draw)
        (line,) = capsys.readouterr().err.splitlines()
        assert stop.value.code == 2 and csv in line and fault in line
        assert not (tmp_path / "out").exists()
        (tmp_path / csv).unlink(missing_ok=True)


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


def test_one_seed_and_a_missing_run_show_in_the_caption_and_not_as_zero(analysis, tmp_path):
    main, comparisons = (pd.read_csv(analysis / f"{name}.csv") for name in ("main", "comparisons"))
    main.loc[main.arm == "uniapl", "n_seeds"] = 2
    main.to_csv(tmp_path / "main.csv", index=False)
    assert "seeds per arm: 3 (base: 1; UniAPL: 2)" in draw("scores", tmp_path, tmp_path)[".txt"].decode()
    alone = comparisons.assign(seed_low=np.nan, seed_high=np.nan, n_seeds=1, n_seeds_against=1)
    alone.to_csv(tmp_path / "comparisons.csv", index=False)
    assert "seeds per arm: 1." in draw("differences", tmp_path, tmp_path)[".txt"].decode()


def test_the_arms_of_the_headline_have_fixed_and_distinct_looks():
    assert {arm: style.look(arm).colour for arm in (*ARMS, "expert")} == {
        "base": "#808080",
        "sft": "#56B4E9",
        "grpo": "#E69F00",
        "sft_then_grpo": "#0072B2",
        "uniapl": "#D55E00",
        "expert": "#000000",
    }
    assert len({look.marker for look in style.LOOKS.values()}) == len(style.LOOKS)
    assert len({(look.colour, look.line) for look in style.LOOKS.values()}) == len(style.LOOKS)


def test_an_unknown_arm_has_the_look_of_its_name_and_never_that_of_a_known_arm():
    assert style.look("uniapl_no_demonstrations") is style.look("uniapl_no_demonstrations")
    assert {look.colour for look in style.OTHERS}.isdisjoint(look.colour for look in style.LOOKS.values())


def test_arms_are_named_and_ordered_alike_in_every_figure():
    arms = style.in_order(["expert", "uniapl", "zeta", "sft_then_grpo", "grpo", "sft", "alpha_1", "base", "sft"])
    assert arms == ["base", "sft", "grpo", "sft_then_grpo", "alpha_1", "zeta", "uniapl", "expert"]
    names = ["base", "SFT", "GRPO", "SFT→GRPO", "alpha 1", "zeta", "UniAPL", "expert"]
    assert [style.label(arm) for arm in arms] == names
    assert style.label("a_sft_then_a_grpo") == "A-SFT→A-GRPO"
    assert style.label("uniapl_no_demonstrations") == "UniAPL no demonstrations"


def test_the_commit_is_that_of_the_manifest_where_there_is_one(tmp_path):
    (tmp_path / "manifest.json").write_text('{"commit": "0123abc"}')
    (tmp_path / "analyse" / "headline").mkdir(parents=True)
    assert style.commit(tmp_path / "analyse" / "headline") == "0123abc"
