"""Thinking before an answer is cut; an answer that mentions the tags stays whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniapl.checkers.thinking import CLOSING, OPENING, strip_thinking


@pytest.mark.parametrize(
    ("response", "left"),
    [
        ("<think>\nwell, hm\n</think>\n\nThe sea.", "The sea."),
        (" \n<think>well</think>The sea.\n", "The sea.\n"),
        ("<think>\n\n</think>\n\nThe sea.", "The sea."),  # Qwen3 without thinking
        ("<think>a<think>b</think>c", "c"),
        ("<think>well</think>", ""),
        ("<think>well</think>\nA `<think>` opens, a `</think>` closes.", "A `<think>` opens, a `</think>` closes."),
        ("the template opened it\n</think>\n\nThe sea.", "The sea."),
        ("the template opened it\n </think> \nThe sea.", "The sea."),
        ("the template opened it\n</think>", ""),
        ("\n</think>\n\nThe sea.", "The sea."),
    ],
)
def test_a_section_before_the_answer_is_cut(response, left):
    assert strip_thinking(response) == left


@pytest.mark.parametrize(
    "response",
    [
        "Use the `<think>` tag. It opens the part that readers skip.",
        "Use `<think>` and `</think>`, in this order.",
        "The sea.<think>one</think> A wave.<think>two</think> A gull.",
        "A `</think>` ends it.",
        "It ends with `</think>`\nand goes on.",
        "For example:\n```\n<think>\nhm\n</think>\nThe sea.\n```",
        "<think>it never ends",
        "The sea.<think>it never ends",
        "<thinking>hm</thinking> The sea.",
        "  The sea.\n",
        "",
    ],
)
def test_anything_else_stays(response):
    assert strip_thinking(response) == response


@given(st.lists(st.sampled_from([OPENING, CLOSING, "a", " ", "\n", "`"]), max_size=12).map("".join))
def test_what_is_left_is_the_end_of_the_response_and_no_text_without_a_closing_tag_changes(response):
    left = strip_thinking(response)
    assert response.endswith(left)
    assert left == response or CLOSING in response[: len(response) - len(left)]


def test_cutting_is_linear():
    for unit in (OPENING, CLOSING, CLOSING + "\n", "\n", " "):
        text = unit * 200_000
        assert text.endswith(strip_thinking(text))
