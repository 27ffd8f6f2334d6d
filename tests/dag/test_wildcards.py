"""What a job reads, by its wildcards: data, start, base and discriminator are those of its seed."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from uniapl.config import load_scale
from uniapl.config.runs import Runs
from uniapl.dag.wildcards import Wildcards, of_seeds_and_decodings


class Named(dict):
    """Snakemake's wildcards, which have their names as attributes and as keys."""

    __getattr__ = dict.__getitem__


TINY, SMALL = (Wildcards(Runs(load_scale(name))) for name in ("tiny", "small"))


@pytest.mark.parametrize("seed, draw", [(0, ""), (3, "/seed3")])
def test_in_a_miniature_world_everything_that_a_training_reads_is_of_its_seed(seed, draw):
    base, grpo = (SimpleNamespace(arm=arm, seed=str(seed)) for arm in ("base", "grpo"))
    train, data = "results/local/tiny/train", f"results/local/tiny/data{draw}"
    assert TINY.data(grpo) == TINY.data(base) == data
    assert TINY.start(base) == f"{data}/scratch" and TINY.start(grpo) == f"{train}/base/seed{seed}/model"
    assert TINY.cards_before(grpo) == [f"{train}/{arm}/seed{seed}/run.json" for arm in ("base", "discriminator")]
    assert TINY.cards_before(base) == [] and TINY.probe(base) == ""
    before = (f"--{arm} {train}/{arm}/seed{seed}/model" for arm in ("base", "discriminator"))
    assert TINY.probe(grpo) == " ".join(before)


def test_a_batch_of_checkpoints_is_held_against_the_base_of_each_seed():
    batch = SimpleNamespace(arm="grpo", seeds="0_1_4")
    assert TINY.bases("model")(batch) == [f"results/local/tiny/train/base/seed{k}/model" for k in (0, 1, 4)]
    assert SMALL.bases("model")(batch) == ["results/local/small/train/base/seed0/model"] * 3  # fetched once


def test_settings_are_chosen_by_greedy_answers_and_nothing_else_is_made_for_it():
    template = "{arm}/seed{seed}/{decoding}.csv"
    splits = ("test", "validation")
    test, choice = (Named(arm="grpo", seeds="0", split=split) for split in splits)
    assert of_seeds_and_decodings(template)(test) == ["grpo/seed0/greedy.csv", "grpo/seed0/sampled.csv"]
    assert of_seeds_and_decodings(template)(choice) == ["grpo/seed0/greedy.csv"]
    assert (SMALL.limits(test), SMALL.limits(choice)) == ("", "--decodings greedy")


def test_an_analysis_is_made_again_for_whatever_it_reads_of_its_experiment():
    def asked(**changes) -> str:
        runs = Runs(load_scale("tiny"))
        runs.experiments["headline"] = replace(runs.experiments["headline"], **changes)
        return Wildcards(runs).asked(SimpleNamespace(experiment="headline"))

    changed = ({"against": ("grpo",)}, {"decoding": "sampled"}, {"claims": ()}, {"most_seeds": 2})
    assert len({asked(), *(asked(**change) for change in changed)}) == 5
    assert asked() == asked(question="?", expectation="!")


def test_where_data_are_not_drawn_every_seed_reads_the_same():
    grpo = SimpleNamespace(arm="grpo", seed="2")
    assert SMALL.data(grpo) == "results/local/small/data" and SMALL.start(grpo).endswith("train/base/seed0/model")


def test_the_draws_of_a_scale_are_those_of_its_seeds_and_of_the_search():
    assert TINY.runs.draws == [1, 2, 3, 4, 100]
    assert SMALL.runs.draws == []
