"""The effect of deviations: counts as docs/scorers.md states them, and the checkers count as the benchmark says."""

import pytest

from benchmarks import deviations
from uniapl import checkers

RAIN = "It rains \U0001f327\ufe0f. It snows."


@pytest.mark.parametrize(
    "text, here, there",
    [
        (deviations.MADE["emoji with U+FE0F"], 2, 4),
        (deviations.MADE["emoji without it"], 2, 2),
        (deviations.MADE["accents as marks"], 3, 2),
        (deviations.MADE["accents as letters"], 2, 2),
        (deviations.MADE["Hindi"], 3, 1),
        (RAIN, 4, 5),
    ],
)
def test_words_end_at_a_combining_mark_here_and_not_in_nltk_since_3_10(text, here, there):
    from nltk.tokenize import RegexpTokenizer

    assert (deviations.words(text), deviations.words_with_marks(text)) == (here, there)
    assert len(RegexpTokenizer(r"\w+").tokenize(text)) == there
    arguments = {"relation": "at least", "num_words": here}
    assert checkers.build("length_constraints:number_words", arguments)(text)
    assert not checkers.build("length_constraints:number_words", arguments | {"num_words": here + 1})(text)


def test_sentences_without_a_model_end_at_abbreviations():
    assert deviations.sentences(deviations.MADE["abbreviations"]) == 5
