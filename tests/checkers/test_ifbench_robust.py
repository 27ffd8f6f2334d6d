"""IFBench's checkers on any text: no exception, no dependence on order, no long wait."""

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ifbench_examples import ADVERSARIAL, EXAMPLES, FIXED

from uniapl.checkers import build, check, ifbench
from uniapl.checkers.ifbench.format import _EMOJI

ALL = {name: build(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items()}
GOOD = [good for _, good, _ in EXAMPLES.values()]
SIZE = 100_000
# The slowest needs about 50 ms (benchmarks/checkers.py). Quadratic time is minutes.
SECONDS = 1

TEXTS = st.text(st.characters(), max_size=60) | st.text(
    "*-.!?[]()<>/\"' \t\n\r\u2028`{}1aZß,\ud800\x00🌧\ufe0f", max_size=60
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    TEXTS
    | st.tuples(st.sampled_from(GOOD), TEXTS, st.integers(0, 60)).map(lambda t: t[0][: t[2]] + t[1] + t[0][t[2] :])
)
def test_no_text_raises_and_strict_implies_loose(response):
    verdicts = check(list(ALL.values()), response)
    assert all(type(v) is bool for v in verdicts.strict + verdicts.loose)
    assert all(loose or not strict for strict, loose in zip(verdicts.strict, verdicts.loose, strict=True))
    for name, (kwargs, *_) in FIXED.items():
        instruction = ifbench.FIXED[name]
        follows = instruction.follows(response, **{k: instruction.arguments[k].read(v) for k, v in kwargs.items()})
        assert type(follows) is bool


STARTS = {"": "", "a question": "Question 1.", "products": EXAMPLES["custom:csv_special_character"][1][:60] + '"'}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_100_kb_of_one_repeated_text_take_no_time(unit, start):
    text = (STARTS[start] + ADVERSARIAL[unit] * SIZE)[:SIZE] + "x"
    took = {}
    for name in (name for name in ALL if not start or name.startswith("custom:")):
        follows = ALL[name]
        begin = time.process_time()
        follows(text)
        took[name] = time.process_time() - begin
    slow = {name: f"{seconds:.2f} s" for name, seconds in took.items() if seconds > SECONDS}
    assert not slow


def test_single_characters_that_are_emoji_are_those_of_the_package_that_upstream_asks():
    emoji = pytest.importorskip("emoji", reason="only the test compares with it")
    ours = {c for c in map(chr, range(0x110000)) if _EMOJI.match(c)}
    assert ours == {c for c in emoji.EMOJI_DATA if len(c) == 1}, f"regex {regex.__version__}"
