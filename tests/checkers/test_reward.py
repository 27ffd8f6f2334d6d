"""The reward is the scorer: all instructions, strictly, or nothing."""

import json

from uniapl.checkers.reward import follows_all

ASKED = json.dumps([["punctuation:no_comma", "keywords:existence"], [{}, {"keywords": ["sea"]}]])


def says(text):
    return [{"role": "assistant", "content": text}]


def test_all_instructions_or_nothing():
    completions = [says("the sea"), says("the sea, calm"), says("a lake"), says("")]
    assert follows_all(completions=completions, instructions=[ASKED] * 4) == [1.0, 0.0, 0.0, 0.0]


def test_padding_of_arguments_with_none_changes_nothing():
    padded = json.dumps([["punctuation:no_comma"], [{"keywords": None, "num_words": None}]])
    assert follows_all(completions=[says("the sea")], instructions=[padded]) == [1.0]


def test_the_expert_earns_every_reward_and_silence_none():
    from support import miniature

    rows = miniature.rows()
    asked = [json.dumps([r["instruction_id_list"], r["kwargs"]]) for r in rows]
    assert follows_all(completions=[says(r["response"]) for r in rows], instructions=asked) == [1.0] * len(rows)
    assert follows_all(completions=[says(" ")] * len(rows), instructions=asked) == [0.0] * len(rows)
