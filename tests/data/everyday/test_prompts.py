"""Prompts of our own: what is drawn, what goes together, what they share with no other set."""

import json
import random
from collections import Counter

import pytest

from uniapl import checkers
from uniapl.data.everyday import evaluation, instructions, prompts
from uniapl.data.everyday.instructions import HELD_OUT, TRAINED, TYPES, ask, compatible, demanding, draw
from uniapl.data.everyday.topics import FORMS, NEW_TOPICS, OLD_TOPICS
from uniapl.data.everyday.world import World
from uniapl.data.prompts import read_prompts
from uniapl.data.public import overlap
from uniapl.errors import UserError

PUBLISHED = [  # in the place of the package's 841 rows
    {
        "key": "ifeval/1",
        "prompt": "Write a blog post about growing tomatoes on a balcony. Do not use any commas.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{}],
        "benchmark": "trained",
    }
]
SMALL = World(train=120, validation=10, test=10)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small world's files and its summary."""
    folder = tmp_path_factory.mktemp("prompts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "read_all", lambda: PUBLISHED)
        summary = prompts.build(SMALL, folder)
    return folder, summary


def rows(folder, name: str) -> list[dict]:
    return read_prompts(folder / f"{name}.jsonl")


def test_the_splits_have_their_sizes_their_benchmarks_and_their_topics(built):
    folder, summary = built
    train, validation = rows(folder, "train_prompts"), rows(folder, "validation_prompts")
    test = rows(folder, "test")
    assert (len(train), len(validation), len(test)) == (120, 10, 11) == tuple(summary["rows"].values())
    assert summary["benchmarks"] == {"trained": 1, "new_topics": 10}
    assert {row["benchmark"] for row in train + validation} == {"trained"}
    assert {row["topic"] for row in train + validation} <= set(OLD_TOPICS) and not set(OLD_TOPICS) & set(NEW_TOPICS)
    ours = [row for row in test if row["benchmark"] == "new_topics"]
    assert all(any(topic in row["prompt"] for topic in NEW_TOPICS) for row in ours)


def test_no_type_of_a_held_out_kind_is_in_a_prompt_of_our_own(built):
    folder = built[0]
    own = rows(folder, "train_prompts") + rows(folder, "validation_prompts") + rows(folder, "test")
    assert not set(HELD_OUT) & {name for row in own for name in row["instruction_id_list"]}
    assert len(HELD_OUT) >= 4 and len(TRAINED) >= 18
    assert {len(row["instruction_id_list"]) for row in own} == {1, 2, 3}


def test_most_prompts_cannot_be_followed_in_a_sentence(built):
    train = rows(built[0], "train_prompts")
    long = sum(any(map(demanding, row["instruction_id_list"], row["kwargs"])) for row in train)
    assert long == built[1]["training prompts that demand length"] and long / len(train) > SMALL.demanding - 0.1


def test_prompts_have_as_many_instructions_as_ifevals(built):
    """One, two or three: chi-square of the training prompts' counts stays below its 99.9 % bound."""
    counts = Counter(len(row["instruction_id_list"]) for row in rows(built[0], "train_prompts"))
    shares = [n / sum(SMALL.instructions) for n in SMALL.instructions]
    expected = [share * counts.total() for share in shares]
    statistic = sum((counts[n] - e) ** 2 / e for n, e in enumerate(expected, start=1))
    assert set(counts) == {1, 2, 3} and statistic < 13.8


def test_no_prompt_overlaps_with_an_evaluation_prompt_or_with_another_split(built):
    folder = built[0]
    validation, test = rows(folder, "validation_prompts"), rows(folder, "test")
    apart = overlap.index([*validation, *test])
    assert not [row["key"] for row in rows(folder, "train_prompts") if overlap.find(row["prompt"], apart)]
    assert not [row["key"] for row in validation if overlap.find(row["prompt"], overlap.index(test))]


def test_the_same_seed_gives_the_same_files_and_another_seed_others(built, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "read_all", lambda: PUBLISHED)
    small = World(train=8, validation=2, test=2)
    first, again = (prompts.build(small, tmp_path / name)["sha256"] for name in ("a", "b"))
    other = prompts.build(World(seed=1, train=8, validation=2, test=2), tmp_path / "c")["sha256"]
    assert first == again and not set(first.values()) & set(other.values())
    assert json.loads((tmp_path / "a" / "summary.json").read_text())["sha256"] == first


def test_more_prompts_than_there_are_is_one_line(monkeypatch):
    monkeypatch.setattr(prompts, "GIVE_UP", 0)
    with pytest.raises(UserError, match="5 test prompts cannot be drawn: 0 could be; ask for fewer"):
        prompts.Draw(SMALL, []).rows(5, "test", NEW_TOPICS, "new_topics", overlap.index([]))


@pytest.mark.parametrize("name", TRAINED)
def test_every_wording_names_every_argument_that_a_checker_takes(name):
    rng = random.Random(0)
    assert len(TYPES[name][1]) >= 3
    texts = set()
    for _ in range(200):
        given = draw(name, ("pot", "soil", "seed", "leaf", "water", "sun"), rng)
        checkers.build(name, given)  # raises for a missing or impossible argument
        text = ask(name, given, rng)
        texts.add(text)
        for value in given.values():
            words = value if isinstance(value, list) else [value]
            shown = [str(word) for word in words]
            if isinstance(value, int) and value < len(instructions.WRITTEN):
                assert shown[0] in text or instructions.WRITTEN[value] in text
            else:
                assert all(word in text for word in shown)
    assert len(texts) >= 3


@pytest.mark.parametrize(
    ("ids", "kwargs", "fits"),
    [
        (["startend:quotation", "startend:end_checker"], [{}, {}], False),
        (["change_case:english_capital", "change_case:english_lowercase"], [{}, {}], False),
        (
            ["length_constraints:number_words", "detectable_format:number_bullet_lists"],
            [{"relation": "less than", "num_words": 40}, {"num_bullets": 5}],
            False,
        ),
        (
            ["length_constraints:number_words", "detectable_format:number_bullet_lists"],
            [{"relation": "at least", "num_words": 40}, {"num_bullets": 5}],
            True,
        ),
        (
            ["keywords:forbidden_words", "keywords:existence"],
            [{"forbidden_words": ["pot"]}, {"keywords": ["pot"]}],
            False,
        ),
        (["keywords:forbidden_words", "punctuation:no_comma"], [{"forbidden_words": ["pot"]}, {}], True),
    ],
)
def test_what_goes_together(ids, kwargs, fits):
    assert compatible(ids, kwargs) == fits


def test_every_topic_has_six_keywords_that_are_one_word_each():
    for topic, words in {**OLD_TOPICS, **NEW_TOPICS}.items():
        assert len(set(words)) == len(words) == 6, topic
        assert all(word.isalpha() and word.islower() for word in words), topic
    assert len(OLD_TOPICS) >= 80 and len(NEW_TOPICS) >= 16 and len(FORMS) == 20


def test_every_type_can_be_asked_for_in_every_split():
    counts: Counter = Counter()
    rng = random.Random(3)
    while counts.total() < 150:
        form, topic = rng.choice(FORMS), rng.choice(list(OLD_TOPICS))
        row = prompts.draw_row(form, topic, OLD_TOPICS[topic], rng.randint(1, 3), 0.85, rng)
        counts.update(row["instruction_id_list"] if row else ())
    assert set(TRAINED) - set(counts) <= {"detectable_content:number_placeholders"}  # asked for in few forms
