"""No text raises, strict implies loose, and time grows with the text's length, not faster."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.ifeval_examples import ALL, REPEATED, UNBOUNDED

from uniapl.checkers import all_strict, check, texts, variants

BUILT = list(ALL.values())
MARKS = "*-.[]<>\"' \n\r\u2028`{}1aZ\u00df,\ud800\x00"  # what the checkers look at, and what breaks codecs
HARD = {
    "right to left": "\u200f\u05e9\u05dc\u05d5\u05dd \u0639\u0631\u0628\u064a \u202eabc\u202c \u200e(1)\n* \u05d0\n",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea 1\ufe0f\u20e3 *\U0001f600*",
    "carriage returns": "* one\r\n* two\r\n\r\nP.S. end\r\n",
    "NUL": "a\x00b \x00\n\x00",
    "half a pair": "\ud800 \udc00 \udc00\ud800 [\ud83d] <<\ude00>>",
    "one long line": "rain. " * 3_000,
    "combining marks": "Z\u0351\u036b\u0343a\u0329\u0323 e\u0301 \u0939\u093f\u0928\u094d\u0926\u0940",
    "case without a twin": "\u01c5 \u0130I\u0131i \u1e9e\u00df \ufb03 \u0345",
}


def assert_verdicts_hold(response):
    verdicts = check(BUILT, response)
    assert all(type(v) is bool for v in verdicts.strict + verdicts.loose)
    assert all(loose or not strict for strict, loose in zip(verdicts.strict, verdicts.loose, strict=True))
    assert all_strict(BUILT, response) == all(verdicts.strict)
    assert response.strip() or not any(verdicts.loose), "a blank response follows nothing"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=()), max_size=60) | st.text(MARKS, max_size=60))
@example("")
@example("\x1c\x85\u3000")
def test_no_text_raises_and_strict_implies_loose(response):
    assert_verdicts_hold(response)


@pytest.mark.parametrize("name", HARD)
def test_hard_texts_have_verdicts(name):
    assert_verdicts_hold(HARD[name])


def test_carriage_returns_stay_inside_a_variant_and_go_at_its_ends():
    assert variants("a\r\nb\r\nc") == ("a\r\nb\r\nc", "b\r\nc", "a\r\nb", "b")


def cpu_seconds(follows, text: str) -> float:
    texts.likeliest_language.cache_clear()
    start = time.process_time()
    follows(text)
    return time.process_time() - start


@pytest.mark.parametrize("unit", REPEATED)
def test_ten_times_the_text_takes_at_most_twenty_times_as_long(unit):
    text = (unit * 100_000)[:100_000]
    for name, follows in UNBOUNDED.items():
        follows(text[:100])  # imports
        bound = 0.05 + 20 * min(cpu_seconds(follows, text[:10_000]) for _ in range(2))
        assert any(cpu_seconds(follows, text) < bound for _ in range(3)), name


def test_a_quadratic_checker_would_be_seen():
    def quadratic(text):
        return sum(text[i:].count("a") for i in range(0, len(text), 4)) < 0

    text = "a" * 100_000
    bound = 0.05 + 20 * cpu_seconds(quadratic, text[:10_000])
    assert cpu_seconds(quadratic, text) > bound


def test_language_detection_reads_10_000_characters():
    start = "the rain falls on the old town and then it stops. " * 200  # 10,000 characters
    for more in ("", "x", "der die das und " * 6_000, "\u05d0" * 90_000):
        assert texts.detect_language(start + more) == "en"
        assert len(texts.normal_letters(start + more)) <= 10_000
    assert texts.detect_language("der Regen f\u00e4llt auf die alte Stadt. " + start[:-1000]) == "en"
