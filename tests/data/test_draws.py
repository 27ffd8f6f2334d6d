"""Data of a miniature world for trainings of several seeds: other lessons, the same examination."""

import pytest

from uniapl.data.miniature import rows as data
from uniapl.data.miniature.world import World
from uniapl.jsonl import read_jsonl

WORLD = World(corpus=200, train=40, validation=8, test=12, comparisons=60)
SAME, OTHER = ("validation", "test", "expert"), ("train", "teachers", "corpus", "comparisons")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Seed -> the folder of its data."""
    folders = {seed: tmp_path_factory.mktemp("data") for seed in (0, 3, 4)}
    for seed, folder in folders.items():
        data.build(WORLD, folder, seed)
    return folders


@pytest.mark.parametrize("seeds", [(0, 3), (3, 4)])
def test_another_seed_is_tested_on_the_same_prompts_and_trained_on_others(seeds, drawn):
    def differ(name: str) -> bool:
        first, second = ((drawn[seed] / name).read_bytes() for seed in seeds)
        return first != second

    assert not any(differ(f"{name}.jsonl") for name in SAME)
    assert all(differ(f"{name}.jsonl") for name in OTHER)


def test_another_seed_starts_from_other_weights(tmp_path, monkeypatch):
    """Whatever its vocabulary is: sizes alone would change the draws as well."""
    seeds = []
    monkeypatch.setattr(data, "write_scratch", lambda folder, texts, size, seed: seeds.append(seed) or {})
    for seed in (0, 3, 4):
        data.build(WORLD, tmp_path / str(seed), seed)
    assert len(set(seeds)) == 3


@pytest.mark.parametrize("seed", [0, 3])
def test_no_prompt_of_a_test_is_drawn_for_a_training(seed, drawn):
    trained = {row["prompt"] for row in read_jsonl(drawn[seed] / "train.jsonl")}
    tested = {row["prompt"] for name in SAME[:2] for row in read_jsonl(drawn[seed] / f"{name}.jsonl")}
    assert len(trained) == WORLD.train and not trained & tested
