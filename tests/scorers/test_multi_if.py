"""Multi-IF: rows of the published form, one answer to every turn, counts by the response's language, scores by turn."""

import json

import pandas as pd
import pytest
from support.two_conversations import NO_COMMA, QUOTATION, RESPONSES, ROWS, WORDS, write_csv

from uniapl import checkers
from uniapl.data.conversations import LANGUAGES, Turn, messages, read_conversations
from uniapl.errors import UserError
from uniapl.scorers import multi_if


@pytest.fixture(params=["csv", "jsonl"])
def path(request, tmp_path):
    if request.param == "csv":
        return write_csv(tmp_path / "multi_if.csv", ROWS)
    found = tmp_path / "multi_if.jsonl"
    found.write_text("".join(json.dumps(one) + "\n" for one in ROWS), encoding="utf-8")
    return found


# Files --------------------------------------------------------------------------------------------


def test_a_file_of_the_published_form_is_read(path):
    english, french = read_conversations(path)
    assert (english.key, english.language, len(english.turns)) == ("1:1:en", "English", 3)
    assert (french.key, french.language, len(french.turns)) == ("2:1:fr", "French", 2)
    assert english.turns[2] == Turn(
        "say 3, é", (NO_COMMA, QUOTATION, WORDS), ({}, {}, {"num_words": 3, "relation": "at least"})
    )
    assert [one.key for one in read_conversations(path, languages=["French"])] == ["2:1:fr"]


def test_the_text_of_the_published_file_is_json_within_json_within_csv(tmp_path):
    path = tmp_path / "multi_if.csv"
    path.write_text(
        "turns,responses,turn_1_prompt,turn_1_instruction_id_list,turn_1_kwargs,turn_2_prompt,"
        "turn_2_instruction_id_list,turn_2_kwargs,turn_3_prompt,turn_3_instruction_id_list,turn_3_kwargs,"
        "key,turn_index,language\n"
        ',,"{""role"": ""user"", ""content"": ""Say \\""rain\\"".""}","[""startend:end_checker""]",'
        '"[""{\\""end_phrase\\"": \\""the end\\""}""]",,,,,,,9:2:en,0,English\n',
        encoding="utf-8",
    )
    (one,) = read_conversations(path)
    assert one.turns == (Turn('Say "rain".', ("startend:end_checker",), ({"end_phrase": "the end"},)),)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"language": "Thai"}, "no rules for 'Thai': choose languages among English, Chinese"),
        ({"language": ""}, "language is missing"),
        ({"turn_1_prompt": ""}, r"has a prompt for the turns \[2, 3\]"),
        ({"turn_2_prompt": "None"}, r"has a prompt for the turns \[1, 3\]"),
        ({"turn_1_prompt": "say"}, "turn 1: not in the form of Multi-IF's file"),
        ({"turn_1_prompt": '{"role": "user"}'}, "turn 1: not in the form of Multi-IF's file: KeyError"),
        ({"turn_1_prompt": '{"content": 3}'}, "turn 1: the prompt must be text, not 3"),
        ({"turn_2_kwargs": '["{}"]'}, "turn 2: 2 in instruction_id_list but 1 in kwargs"),
        ({"turn_2_kwargs": '["{}", "3"]'}, "turn 2: needs in kwargs an object of arguments"),
        ({"turn_1_instruction_id_list": "[]", "turn_1_kwargs": "[]"}, "turn 1: needs at least one instruction"),
        ({"turn_1_instruction_id_list": '["a:b"]'}, "turn 1: a:b: unknown instruction"),
        ({"turn_3_kwargs": '["{}", "{}", "{}"]'}, "turn 3: length_constraints:number_words: missing argument"),
    ],
)
def test_a_broken_row_is_named_with_its_key_and_turn(tmp_path, changes, problem):
    path = write_csv(tmp_path / "multi_if.csv", [ROWS[1], {**ROWS[0], **changes}])
    with pytest.raises(UserError, match=f"multi_if.csv: row 2, key 1:1:en.*{problem}"):
        read_conversations(path)


def test_a_language_without_rules_may_be_left_out(tmp_path):
    path = write_csv(tmp_path / "multi_if.csv", [{**ROWS[0], "language": "Thai"}, ROWS[1]])
    assert len(read_conversations(path, languages=LANGUAGES)) == 1
    with pytest.raises(UserError, match="has no conversation in German"):
        read_conversations(path, languages=["German"])


def test_keys_are_unique_and_files_have_rows(tmp_path):
    with pytest.raises(UserError, match="1 keys of .*multi_if.csv are there twice: 1:1:en"):
        read_conversations(write_csv(tmp_path / "multi_if.csv", [ROWS[0], ROWS[0]]))
    (tmp_path / "empty.csv").write_text("key,language\n")
    with pytest.raises(UserError, match="empty.csv: holds no rows"):
        read_conversations(tmp_path / "empty.csv")
    with pytest.raises(UserError, match="absent.csv: "):
        read_conversations(tmp_path / "absent.csv")


def test_the_chat_has_the_models_own_answers(path):
    one = read_conversations(path)[0]
    assert messages(one, []) == [{"role": "user", "content": "say 1, é"}]
    assert messages(one, ["a", "b"]) == [
        {"role": "user", "content": "say 1, é"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "say 2, é"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "say 3, é"},
    ]
    with pytest.raises(UserError, match="key 1:1:en: has 3 turns, no turn 4"):
        messages(one, ["a", "b", "c"])


# Scores -------------------------------------------------------------------------------------------


@pytest.fixture
def frame(path):
    conversations = read_conversations(path)
    return multi_if.score(conversations, multi_if.join(conversations, RESPONSES))


def test_responses_are_joined_by_key_and_turn(path):
    assert multi_if.join(read_conversations(path), RESPONSES) == {
        "1:1:en": ("one", '"a, b"', "Sure:\n“one two three”"),
        "2:1:fr": ("a", '"b"'),
    }


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (RESPONSES[1:], "1 turns have no response: key 2:1:fr, turn 2"),
        ([*RESPONSES, RESPONSES[0]], "1 turns have several responses: key 2:1:fr, turn 2"),
        ([*RESPONSES, {"key": "2:1:fr", "turn": 3, "response": ""}], "1 responses answer no turn: key 2:1:fr, turn 3"),
        ([{"key": "2:1:fr", "turn": 1}], "1 responses have a wrong response, or none, in the rows: 1"),
        ([{"key": "2:1:fr", "turn": "1", "response": ""}], "1 responses have a wrong turn, or none, in the rows: 1"),
        ([{"turn": 1, "response": ""}], "1 responses have a wrong key, or none, in the rows: 1"),
    ],
)
def test_every_turn_needs_exactly_one_response(path, rows, problem):
    with pytest.raises(UserError, match=f"^{problem}$"):
        multi_if.join(read_conversations(path), rows)


def test_each_turn_is_scored_on_its_own_response_by_all_instructions_so_far(frame):
    first = frame[frame.key == "1:1:en"]
    assert first[["turn", "index", "instruction_id", "strict", "loose"]].values.tolist() == [
        [1, 0, NO_COMMA, 1, 1],
        [2, 0, NO_COMMA, 0, 0],
        [2, 1, QUOTATION, 1, 1],
        [3, 0, NO_COMMA, 1, 1],
        [3, 1, QUOTATION, 0, 1],  # without its first line
        [3, 2, WORDS, 1, 1],
    ]


def test_a_blank_response_follows_nothing(path):
    conversations = read_conversations(path, languages=["French"])
    frame = multi_if.score(conversations, {"2:1:fr": ("", " \n")})
    assert isinstance(frame, pd.DataFrame) and frame[["strict", "loose"]].to_numpy().sum() == 0 < len(frame)
    assert checkers.all_strict(conversations[0].turns[0].checkers(), "a")
