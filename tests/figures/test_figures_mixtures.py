"""The figure of all methods: every arm stands where its numbers say, and every number beside its own marker."""

import itertools
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation, Text
from support.layout import boxes, outside, overlapping

from figures import mixtures, placing, style
from uniapl.config import load_experiment
from uniapl.errors import UserError

ARMS = ("base", *(arm.name for arm in load_experiment("mixtures").arms))
TRAINED = {arm: 48.0 + 0.75 * place for place, arm in enumerate(ARMS)} | {"base": 28.0, "sft_then_grpo": 62.1}
UNSEEN = {arm: 10 + 5 * (place % 3) / 4 for place, arm in enumerate(ARMS)} | {"luffy": 22.0, "sft_then_grpo": 10.5}
METHOD = "hierarchical bootstrap over seeds and prompts"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Main and cost of all arms, crowded as such results are; nobody knows what SDFT cost."""
    folder = tmp_path_factory.mktemp("results") / "tiny/analyse/mixtures"
    folder.mkdir(parents=True)
    rows = [
        (arm, benchmark, "greedy", "prompt_strict", at[arm], at[arm] - 4, at[arm] + 4, 1 if arm == "base" else 5, n)
        for arm in ARMS
        for benchmark, at, n in (("trained", TRAINED, 384), ("new_types", UNSEEN, 192))
    ]
    head = "arm benchmark decoding metric estimate low high n_seeds n_prompts".split()
    pd.DataFrame(rows, columns=head).assign(method=METHOD).to_csv(folder / "main.csv", index=False)
    spent = [(arm, 1e6, None if arm == "sdft" else 1e5 * place) for place, arm in enumerate(ARMS) if arm != "base"]
    cost = pd.DataFrame(spent, columns=["arm", *mixtures.pareto.SPENT])
    cost.to_csv(folder / "cost.csv", index=False)
    return folder.parent.parent


@pytest.fixture(scope="module")
def drawn(results):
    return mixtures.draw(results)


def test_every_arm_stands_at_its_two_accuracies_and_the_lines_at_the_pipelines(drawn):
    ax, lines = drawn[0].axes[0], drawn[0].axes[0].get_lines()
    at = {(float(x.get_xdata()[0]), float(x.get_ydata()[0])) for x in lines if len(x.get_xdata()) == 1}
    assert at == {(TRAINED[arm], UNSEEN[arm]) for arm in ARMS}
    crossing = [line for line in lines if len(line.get_xdata()) == 2]
    assert [list(crossing[0].get_xdata()), list(crossing[1].get_ydata())] == [[62.1] * 2, [10.5] * 2]
    across, up = ax.collections
    assert {tuple(segment[:, 0]) for segment in across.get_segments()} == {(x - 4, x + 4) for x in TRAINED.values()}
    assert {tuple(segment[:, 1]) for segment in up.get_segments()} == {(y - 4, y + 4) for y in UNSEEN.values()}


def test_the_key_names_the_arms_by_number_the_most_accurate_first(drawn):
    in_order = sorted(ARMS, key=TRAINED.get, reverse=True)
    texts = [text.get_text() for text in drawn[0].axes[1].texts]
    assert texts[2:] == [
        x
        for place, arm in enumerate(in_order, start=1)
        for x in (str(place), style.label(arm), f"{TRAINED[arm]:.1f}", f"{UNSEEN[arm]:.1f}")
    ]
    numbered = {text.get_text(): text.xy for text in drawn[0].axes[0].texts}
    assert numbered == {str(i): (TRAINED[arm], UNSEEN[arm]) for i, arm in enumerate(in_order, start=1)}


def test_no_number_lies_over_another_or_over_a_marker_and_no_text_leaves_the_figure(drawn):
    fig, ax = drawn[0], drawn[0].axes[0]
    texts = boxes(fig)
    assert outside(fig, texts) == [] and overlapping(texts) == []
    numbers = [Text.get_window_extent(text) for text, _ in texts if isinstance(text, Annotation)]  # not its line
    assert len(numbers) == len(ARMS)
    for a, b in itertools.combinations(numbers, 2):
        assert min(a.x1, b.x1) - max(a.x0, b.x0) < 2 or min(a.y1, b.y1) - max(a.y0, b.y0) < 2
    for (x, y), box in itertools.product(ax.transData.transform([(TRAINED[a], UNSEEN[a]) for a in ARMS]), numbers):
        assert not (box.x0 < x < box.x1 and box.y0 < y < box.y1)


def test_a_long_name_takes_several_rows_of_the_key_and_lies_over_nothing(results, tmp_path):
    long = "grpo_group16_no_kl_lr3e5_and_a_warmup_of_ten_steps_without_decay_at_al"
    shutil.copytree(results, tmp_path / "long")
    for path in tmp_path.rglob("*.csv"):
        path.write_text(re.sub(r"^(luffy|chord),", rf"\1_{long},", path.read_text(), flags=re.MULTILINE))
    fig, _, _ = mixtures.draw(tmp_path / "long")
    texts = boxes(fig)
    assert sum("without decay" in text.get_text().replace("\n", " ") for text, _ in texts) == 2
    assert outside(fig, texts) == [] and overlapping(texts) == []


def test_the_caption_says_seeds_prompts_what_lies_beyond_the_pipeline_and_what_is_not_known(drawn):
    caption = " ".join(drawn[1].split())
    beyond = [arm for arm in sorted(ARMS, key=TRAINED.get, reverse=True) if TRAINED[arm] > 62.1 and UNSEEN[arm] > 10.5]
    assert f"whatever the intervals: {', '.join(map(style.label, beyond))}." in caption and beyond
    assert "Number of seeds per arm: 5 (base: 1). Number of prompts: trained types 384, new types 192." in caption
    assert "White: not known (SDFT). " in caption and METHOD in caption


def test_a_family_is_read_from_the_arms_names():
    found = {arm: mixtures.family(arm, set(ARMS)) for arm in ARMS}
    first, pipelines = (
        {arm for arm, name in found.items() if name == wanted} for wanted in ("first stage", "pipeline")
    )
    assert pipelines == {f"{arm}_then_grpo" for arm in first} and found["base"] == "base"
    assert first == {"sft", "sft_plateau", "dft", "psft", "trsft"} and found["luffy"] == "single stage"


def test_a_set_without_new_types_is_refused(results, tmp_path):
    folder = tmp_path / "analyse/mixtures"
    folder.mkdir(parents=True)
    main = pd.read_csv(results / "analyse/mixtures/main.csv")
    main[main.benchmark == "trained"].to_csv(folder / "main.csv", index=False)
    with pytest.raises(UserError, match="main.csv: no rows with benchmark 'new_types'"):
        mixtures.read(tmp_path)


def test_labels_of_markers_in_one_place_stand_apart_and_inside():
    at, sizes, box = [(50.0, 50.0)] * 9, [(9.0, 6.0)] * 9, (0.0, 0.0, 100.0, 100.0)
    found = placing.places(at, sizes, box, 3.5)
    for a, b in itertools.combinations(found, 2):
        assert abs(a[0] - b[0]) >= 9 or abs(a[1] - b[1]) >= 6
    assert (np.abs(found - 50) >= (0, 0)).all() and (found > 4).all() and (found < 96).all()
    assert np.array_equal(found, placing.places(at, sizes, box, 3.5))


def test_a_label_stands_nearest_to_its_own_marker():
    at = np.array([(20.0, 20.0), (32.0, 20.0), (26.0, 28.0)])
    found = placing.places(at, [(4.0, 6.0)] * 3, (0.0, 0.0, 60.0, 60.0), 3.5)
    apart = np.linalg.norm(found[:, None] - at[None], axis=2)
    assert apart.argmin(axis=1).tolist() == [0, 1, 2]
