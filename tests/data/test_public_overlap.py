"""Which training prompts occur in an evaluation set: the exact rule, and the share of words in common 8-grams."""

import random

import pytest

from uniapl.data.public import overlap

TWENTY = " ".join(f"w{i}" for i in range(20))


def rows(*texts: str) -> list[dict]:
    return [{"key": f"set/{i}", "prompt": text} for i, text in enumerate(texts)]


def prefix(n: int, rest: int = 30) -> str:
    """The first n words of TWENTY, between other words."""
    return " ".join([f"a{i}" for i in range(rest)] + TWENTY.split()[:n] + [f"b{i}" for i in range(rest)])


@pytest.mark.parametrize(
    "text",
    ["Use  NO commas!", "use no commas", "  Use\nno, commas. ", "ｕｓｅ no commas"],
)
def test_the_same_words_are_an_exact_match_however_short(text):
    assert overlap.find(text, overlap.index(rows("Use no commas."))) == ("exact", "set/0", 1.0)


def test_texts_without_words_match_only_themselves():
    against = overlap.index(rows("???", "!"))
    assert overlap.find(" ??? ", against) == ("exact", "set/0", 1.0)
    assert overlap.find("...", against) is None


@pytest.mark.parametrize(
    ("n", "share"),
    [
        (7, None),  # no 8-gram
        (8, None),  # one 8-gram: 8 of 20 words, 0.40
        (10, None),  # three 8-grams: words 0 to 9, 0.50, which is not more than half
        (11, 0.55),  # 11 of 20
        (20, 1.0),
    ],
)
def test_more_than_half_of_the_evaluation_prompts_words_is_an_overlap(n, share):
    found = overlap.find(prefix(n), overlap.index(rows(TWENTY)))
    assert found == (None if share is None else ("overlap", "set/0", share))


def test_the_share_is_of_the_evaluation_prompt_and_not_of_the_training_prompt():
    against = overlap.index(rows(prefix(20)))
    assert overlap.find(TWENTY, against) is None  # all of the training prompt, but 20 of 80 words: 0.25
    assert overlap.find(prefix(20, rest=3000), overlap.index(rows(TWENTY))) == ("overlap", "set/0", 1.0)


def test_parts_of_two_evaluation_prompts_are_not_added_up():
    other = " ".join(f"v{i}" for i in range(20))
    text = " ".join(TWENTY.split()[:10] + other.split()[:9])  # 0.50 of the first, 0.45 of the second
    assert overlap.find(text, overlap.index(rows(TWENTY, other))) is None


def test_two_parts_of_one_evaluation_prompt_are_added_up():
    found = overlap.find(" ".join(TWENTY.split()[:8] + ["x"] + TWENTY.split()[12:]), overlap.index(rows(TWENTY)))
    assert found == ("overlap", "set/0", 0.8)  # 8 words, and 8 others, of 20


def test_the_largest_share_is_reported():
    near, exact = TWENTY + " more words here", TWENTY + " tail"
    assert overlap.find(exact + " and on", overlap.index(rows(near, exact))).key == "set/1"


def by_definition(text: str, evaluation: str) -> float:
    """The share of the evaluation prompt's words in an 8-gram that the text has too, word by word."""
    words, test = text.split(), evaluation.split()
    grams = [words[i : i + 8] for i in range(len(words) - 7)]
    covered = [any(test[i : i + 8] in grams for i in range(max(0, at - 7), at + 1)) for at in range(len(test))]
    return sum(covered) / len(test)


def test_random_texts_of_few_words_agree_with_the_definition():
    rng = random.Random(0)
    found = []
    for _ in range(300):
        evaluation = " ".join(rng.choices("abc", k=12))
        cut = rng.randrange(5, 13)
        text = " ".join(rng.choices("abc", k=3) + evaluation.split()[:cut] + rng.choices("abc", k=3))
        expected, match = by_definition(text, evaluation), overlap.find(text, overlap.index(rows(evaluation)))
        assert (match.share if match else 0.0) == (expected if expected > 0.5 else 0.0)
        found.append(match is not None)
    assert 30 < sum(found) < 270  # both outcomes occur
