"""Multi-IF's three turns: what the model is asked at each, and that its answers can be scored."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from support import public_files
from support.places import ROOT

from uniapl.config.suites import COLUMNS
from uniapl.data.conversations import read_conversations
from uniapl.generate import converse
from uniapl.jsonl import read_jsonl
from uniapl.scorers import multi_if


class Echo:
    """A model of lm-eval's interface that answers with the number of its call, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def apply_chat_template(self, chat):
        return [(message["role"], message["content"]) for message in chat]

    def generate_until(self, requests):
        self.asked.append([request.args[0] for request in requests])
        greedy = {"until": [], "do_sample": False, "max_gen_toks": 7}  # a blank line does not end an answer
        assert all(request.args[1] == greedy for request in requests)
        return [f"answer {len(self.asked)}.{i}" for i, _ in enumerate(requests)]


@pytest.fixture(scope="module")
def conversations(tmp_path_factory):
    path = tmp_path_factory.mktemp("multi_if") / "multi_if.csv"
    return public_files.write_csv(path, public_files.MULTI_IF_ROWS)


def test_each_turn_is_asked_after_the_models_own_answers(conversations):
    lm, read = Echo(), read_conversations(conversations)
    rows = converse.converse(lm, read, 7)
    prompts = [turn.prompt for turn in read[0].turns]
    assert lm.asked[0][0] == [("user", prompts[0])]
    assert lm.asked[2][0] == [
        ("user", prompts[0]),
        ("assistant", "answer 1.0"),
        ("user", prompts[1]),
        ("assistant", "answer 2.0"),
        ("user", prompts[2]),
    ]
    assert [(row["turn"], row["response"]) for row in rows if row["key"] == read[1].key] == [
        (1, "answer 1.1"),
        (2, "answer 2.1"),
        (3, "answer 3.1"),
    ]


def test_a_conversation_of_two_turns_is_asked_twice(tmp_path):
    ended = {**public_files.MULTI_IF_ROWS[0], "turn_3_prompt": "None"}
    path = public_files.write_csv(tmp_path / "multi_if.csv", [ended, public_files.MULTI_IF_ROWS[1]])
    lm, read = Echo(), read_conversations(path)
    rows = converse.converse(lm, read, 7)
    assert [len(asked) for asked in lm.asked] == [2, 2, 1]
    assert [(row["key"], row["turn"]) for row in rows] == [
        *((read[0].key, turn) for turn in (1, 2)),
        *((read[1].key, turn) for turn in (1, 2, 3)),
    ]


def test_a_value_is_a_turns_by_all_instructions_so_far(conversations):
    read = read_conversations(conversations)
    # the first asks for no comma, fewer than 50 words, capitals: turn 2 breaks one of two, turn 3 two of three, and
    # none without its first line, which is the loose rule
    said = {
        read[0].key: ("rain falls", "rain, falls", "rain, falls\nRAIN FALLS"),
        read[1].key: ("дождь, дождь", "дождь", "дождь, дождь"),
    }
    found = converse.values(multi_if.score(read, said))
    assert list(found) == COLUMNS
    assert found.values.tolist() == [
        ["multi_if_turn_1", "1001:1:en", "prompt_strict", 1.0],
        ["multi_if_turn_1", "1001:1:en", "inst_strict", 1.0],
        ["multi_if_turn_2", "1001:1:en", "prompt_strict", 0.0],
        ["multi_if_turn_2", "1001:1:en", "inst_strict", 1 / 2],
        ["multi_if_turn_3", "1001:1:en", "prompt_strict", 0.0],
        ["multi_if_turn_3", "1001:1:en", "inst_strict", 1 / 3],
        ["multi_if_turn_1", "1002:1:ru", "prompt_strict", 0.0],
        ["multi_if_turn_1", "1002:1:ru", "inst_strict", 0.0],
        ["multi_if_turn_2", "1002:1:ru", "prompt_strict", 1.0],
        ["multi_if_turn_2", "1002:1:ru", "inst_strict", 1.0],
        ["multi_if_turn_3", "1002:1:ru", "prompt_strict", 0.0],
        ["multi_if_turn_3", "1002:1:ru", "inst_strict", 0.0],
    ]


def test_a_checkpoint_converses_and_its_answers_are_scored(conversations, policy, tmp_path):
    out, rows = tmp_path / "answers/responses.jsonl", tmp_path / "rows/values.csv"
    line = ["--conversations", conversations, "--model", policy, "--out", out, "--max-new-tokens", "5"]
    converse.main([str(part) for part in (*line, "--rows", rows)])
    assert [row["turn"] for row in read_jsonl(out)] == [1, 2, 3] * 2
    read = read_conversations(conversations)
    expected = converse.values(multi_if.score(read, multi_if.join(read, read_jsonl(out))))
    pd.testing.assert_frame_equal(pd.read_csv(rows), expected)
    line = ["--family", "multi_if", "--prompts", conversations, "--responses", out, "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "uniapl.score", *map(str, line)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize("option", ["--batch", "--max-new-tokens"])
def test_a_count_below_one_is_refused(option, capsys):
    with pytest.raises(SystemExit) as ended:
        converse.main(["--conversations", "absent.csv", "--model", "none", "--out", "out.jsonl", option, "0"])
    assert ended.value.code == 2 and capsys.readouterr().err == f"error: {option} 0: must be at least 1\n"


def test_rows_of_an_unknown_kind_are_refused_before_the_model_is_read(conversations, tmp_path, capsys):
    line = ["--conversations", conversations, "--model", "none", "--out", tmp_path / "out.jsonl", "--rows", "rows.json"]
    with pytest.raises(SystemExit):
        converse.main([str(part) for part in line])
    assert capsys.readouterr().err == "error: rows.json: must end in .csv or .parquet\n"


def test_equal_checkpoints_answer_equally(conversations, policy, tmp_path):
    from uniapl.generate.suite import load

    read = read_conversations(conversations)
    assert converse.converse(load(str(policy), 2), read, 5) == converse.converse(load(str(policy), 1), read, 5)
