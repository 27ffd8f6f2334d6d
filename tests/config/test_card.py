"""The run card: what is written is what every later stage reads, and a card that lacks a part is refused."""

import dataclasses
import json

import pytest

from baselines import trapo
from experiments.scales import SMOKE
from uniapl.config import arm_of
from uniapl.config.card import LOCAL, PUBLISHED, REQUIRED, SPENT, Cost, RunCard, read_card
from uniapl.errors import UserError

RUN = arm_of(SMOKE, "sft_then_grpo", 0)
REST = dict(cost=Cost(optimizer_steps=6), heldout={}, weights_sha256="0", device="cpu", commit="c0ffee")


def test_a_card_says_which_run_it_is_of_and_leaves_out_what_is_not_known(tmp_path):
    RunCard.for_run(RUN, **REST).write(tmp_path / "run.json")
    card = read_card(tmp_path / "run.json")
    assert (card["arm"], card["seed"], card["start_arm"]) == ("sft_then_grpo", 0, "sft")
    assert card["method"] == "baselines.grpo" and card["fingerprint"] == RUN.fingerprint
    assert card["settings"]["learning_rate"] == 3e-4 and card["cost"]["optimizer_steps"] == 6
    assert {"source", "bytes", "versions", "devices"} & card.keys() == set()
    assert json.loads(json.dumps(RUN.describe())).items() <= card.items()


def test_a_run_describes_itself_as_its_file_will_have_it():
    """A setting that is a tuple would else differ from the list in the state of an unfinished run."""
    settings = trapo.Settings(**SMOKE.settings[trapo])
    run = dataclasses.replace(RUN, method=trapo, settings=settings)
    assert settings.groups == (4, 2, 1, 1) and run.describe()["settings"]["groups"] == [4, 2, 1, 1]
    assert json.loads(json.dumps(run.describe())) == run.describe()


def test_the_first_run_has_no_start_and_says_so(tmp_path):
    RunCard.for_run(arm_of(SMOKE, "base", 0), **REST).write(tmp_path / "run.json")
    card = read_card(tmp_path / "run.json")
    assert card["start_arm"] is None and card["start"] == "scratch"


def test_a_card_without_a_part_is_refused_by_name(tmp_path):
    RunCard.for_run(RUN, **REST).write(tmp_path / "run.json")
    card = json.loads((tmp_path / "run.json").read_text())
    for name in REQUIRED:
        (tmp_path / "run.json").write_text(json.dumps({k: v for k, v in card.items() if k != name}))
        with pytest.raises(UserError, match=name):
            read_card(tmp_path / "run.json")


def test_a_published_card_has_all_but_what_only_its_machine_needs():
    assert {*PUBLISHED, *LOCAL} == {field.name for field in dataclasses.fields(RunCard)}
    assert {"settings", "cost", "weights_sha256", "method", "versions"} <= {*PUBLISHED} and not {*LOCAL} & {*PUBLISHED}
    assert SPENT[0] == "optimizer_steps" and "peak_memory_mb" not in SPENT
