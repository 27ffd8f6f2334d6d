"""The readers: published rows become the suite's, and broken ones are named (evaluation) or counted (training)."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from support.places import PUBLISHED_DATA, WITHOUT_DATA
from support.public_files import (
    FEW,
    IF_MULTI,
    IFBENCH,
    IFBENCH_ROWS,
    IFEVAL_LIKE,
    IFEVAL_ROWS,
    MULTI_IF_ROWS,
    NO_COMMA,
    if_multi,
    ifeval_like,
    parquet,
    write_csv,
    write_hub,
)

from uniapl import checkers
from uniapl.data.conversations import read_conversations
from uniapl.data.public import if_multi_constraints, ifbench, ifeval, multi_if
from uniapl.data.public import ifeval_like as ready_made
from uniapl.errors import UserError

TRAIN = "data/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_hub(tmp_path_factory.mktemp("hub"), n=3)


# evaluation sets ---------------------------------------------------------------------------------


def test_ifeval_is_the_benchmark_of_trained_types(root):
    first, second = ifeval.read(root / ifeval.ID)
    assert first == {
        "key": "ifeval/1000",
        "prompt": IFEVAL_ROWS[0]["prompt"],
        "instruction_id_list": NO_COMMA,
        "kwargs": [{}],
        "benchmark": "trained",
    }
    assert (second["key"], second["kwargs"]) == ("ifeval/1001", [{"num_words": 5, "relation": "at least"}, {}])


def test_ifbench_loses_its_padding_and_its_whole_floats(root):
    (row,) = ifbench.read(root / ifbench.ID)
    assert (row["key"], row["benchmark"]) == ("ifbench/0", "new_types")
    assert row["kwargs"] == [{"keyword": "moon", "n": 2, "m": 1}]
    assert {name: type(value) for name, value in row["kwargs"][0].items()} == {"keyword": str, "n": int, "m": int}


def test_multi_if_gives_first_turns_and_whole_conversations(root, tmp_path):
    first, second = multi_if.first_turns(root / multi_if.ID)
    assert first == {"key": "multi_if/1001:1:en", "prompt": "Sing about rain without commas"}
    assert second["prompt"] == "Расскажи о дожде без запятых"
    path = tmp_path / "multi_if.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in multi_if.conversations(root / multi_if.ID)))
    found = read_conversations(path)
    assert [one.key for one in found] == [first["key"], second["key"]]
    assert found[0].turns == read_conversations(root / multi_if.ID / multi_if.FILE)[0].turns
    assert [len(turn.instruction_id_list) for turn in found[0].turns] == [1, 2, 3]


def broken_ifeval(tmp_path, **changes):
    (tmp_path / "ifeval_input_data.jsonl").write_text(json.dumps(IFEVAL_ROWS[0] | changes) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instruction_id_list": ["punctuation:no_coma"]}, "punctuation:no_coma: unknown instruction, did you mean"),
        ({"instruction_id_list": ["count:numbers"], "kwargs": [{"N": 2}]}, "count:numbers belongs to ifbench"),
        ({"instruction_id_list": FEW}, "length_constraints:number_words: missing argument num_words, relation"),
        (
            {"instruction_id_list": FEW, "kwargs": [{"num_words": 0, "relation": "at least"}]},
            "length_constraints:number_words: num_words must be a whole number of at least 1, not 0",
        ),
        ({"kwargs": [{"num_words": 3}]}, "punctuation:no_comma: unexpected argument num_words"),
        ({"kwargs": []}, "1 in instruction_id_list but 0 in kwargs"),
        ({"kwargs": ["{"]}, "kwargs is text that is no JSON"),
        ({"kwargs": 3}, "kwargs is no list with an object for each instruction"),
        ({"instruction_id_list": []}, "needs at least one instruction"),
        ({"prompt": 3}, "prompt is missing or of a wrong type"),
    ],
)
def test_a_broken_row_of_ifeval_names_file_row_key_and_id(tmp_path, changes, message):
    with pytest.raises(UserError, match=f"ifeval_input_data.jsonl: row 1, key 1000: {message}"):
        ifeval.read(broken_ifeval(tmp_path, **changes))


def test_a_repeated_key_of_ifeval_is_refused(tmp_path):
    (tmp_path / "ifeval_input_data.jsonl").write_text((json.dumps(IFEVAL_ROWS[0]) + "\n") * 2)
    with pytest.raises(UserError, match="prompts of .*ifeval_input_data.jsonl share a key"):
        ifeval.read(tmp_path)


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ("key", pa.float64(), "column key holds double, not text or whole numbers"),
        ("instruction_id_list", pa.string(), "column instruction_id_list holds string, not lists of texts"),
        ("kwargs", pa.string(), "column kwargs holds string, not lists of objects"),
    ],
)
def test_a_column_of_ifbench_of_another_type_is_refused(tmp_path, column, kind, message):
    schema = IFBENCH.set(IFBENCH.get_field_index(column), pa.field(column, kind))
    parquet(tmp_path / TRAIN, [IFBENCH_ROWS[0] | {column: 1.5 if column == "key" else "x"}], schema)
    with pytest.raises(UserError, match=f"{TRAIN}: {message}"):
        ifbench.read(tmp_path)


def test_a_missing_column_and_a_file_that_is_no_table_are_refused(tmp_path):
    parquet(tmp_path / TRAIN, IFBENCH_ROWS, IFBENCH.remove(3))
    with pytest.raises(UserError, match="has no column kwargs; it has key, prompt, instruction_id_list"):
        ifbench.read(tmp_path)
    (tmp_path / TRAIN).write_text("not a table")
    with pytest.raises(UserError, match=f"{TRAIN}: "):
        ifbench.read(tmp_path)
    (tmp_path / TRAIN).unlink()
    with pytest.raises(UserError, match=r"has no data/train-\*.parquet"):
        ifbench.read(tmp_path)


def test_an_impossible_argument_of_ifbench_names_file_row_key_and_id(tmp_path):
    row = IFBENCH_ROWS[0] | {"kwargs": [{"keyword": "moon", "n": 2.0}]}
    parquet(tmp_path / TRAIN, [row], IFBENCH)
    with pytest.raises(UserError, match=f"{TRAIN}: row 1, key 0: words:keywords_specific_position: missing argument m"):
        ifbench.read(tmp_path)


def test_an_instruction_of_another_family_is_refused_in_ifbench(tmp_path):
    row = IFBENCH_ROWS[0] | {"instruction_id_list": NO_COMMA, "kwargs": [{}]}
    parquet(tmp_path / TRAIN, [row], IFBENCH)
    with pytest.raises(UserError, match=f"{TRAIN}: row 1, key 0: punctuation:no_comma belongs to ifeval"):
        ifbench.read(tmp_path)


def test_a_broken_turn_of_multi_if_names_file_row_key_turn_and_id(tmp_path):
    write_csv(tmp_path / multi_if.FILE, [MULTI_IF_ROWS[0] | {"turn_2_instruction_id_list": '["a:b", "c:d"]'}])
    with pytest.raises(UserError, match=f"{multi_if.FILE}: row 1, key 1001:1:en, turn 2: a:b: unknown instruction"):
        multi_if.first_turns(tmp_path)


@pytest.mark.skipif(not PUBLISHED_DATA.is_dir(), reason=WITHOUT_DATA)
def test_the_published_prompts_are_read_whole(tmp_path):
    (tmp_path / "ifeval_input_data.jsonl").write_bytes((PUBLISHED_DATA / "ifeval/ifeval_input.jsonl").read_bytes())
    rows = ifeval.read(tmp_path)
    assert (len(rows), sum(len(row["kwargs"]) for row in rows)) == (541, 834)
    published = [json.loads(line) for line in (PUBLISHED_DATA / "ifbench/ifbench_test.jsonl").read_text().splitlines()]
    parquet(tmp_path / TRAIN, published)
    rows = ifbench.read(tmp_path)
    assert (len(rows), sum(len(row["kwargs"]) for row in rows)) == (300, 344)
    assert len({name for row in rows for name in row["instruction_id_list"]}) == 58


# training sets -----------------------------------------------------------------------------------

TALE = "Tell a tale without commas"


def training(tmp_path, *rows):
    parquet(tmp_path / TRAIN, list(rows), IF_MULTI)
    return if_multi_constraints.read(tmp_path)


def test_a_training_prompt_is_read_with_its_arguments(tmp_path):
    ids = ["count:count_unique", "length_constraints:number_words", "last_word:last_word_answer"]
    kwargs = [None, {"num_words": 9, "relation": "less than", "N": None}, {"last_word": "end"}]
    found = training(tmp_path, if_multi("a1", TALE, ids, kwargs))
    (row,) = found.rows
    assert row == {
        "key": "if_multi_constraints/a1",
        "prompt": TALE,
        "instruction_id_list": ids,
        "kwargs": [{}, {"num_words": 9, "relation": "less than"}, {"last_word": "end"}],
        "benchmark": "trained",
    }
    assert found.left_out == {}
    assert checkers.all_strict(checkers.build_all(row["instruction_id_list"], row["kwargs"]), "Once upon the end")


def test_rows_that_cannot_be_used_are_counted_by_reason_with_the_first_of_each(tmp_path):
    said = {"content": "Sure", "role": "assistant"}
    found = training(
        tmp_path,
        if_multi("a", TALE, NO_COMMA, [None]),
        if_multi("b", TALE, ["nosuch:verifier"], [None]),
        if_multi("c", TALE, [*NO_COMMA, "nosuch:verifier"], [None, None]),
        if_multi("d", TALE, FEW, [{"num_words": -1, "relation": "at least"}]),
        if_multi("e", TALE, FEW, [None]),
        if_multi("f", TALE, NO_COMMA, [None]) | {"ground_truth": "__import__('os').mkdir('x')"},
        if_multi("g", " ", NO_COMMA, [None]),
        if_multi("j", TALE, ["keywords:existence"], [{"keywords": ["\ud800"]}]),
        if_multi("k", TALE, ["keywords:existence"], [{"keywords": [b"x"]}]),
        if_multi("h", TALE, NO_COMMA, [None]) | {"messages": [{"content": TALE, "role": "user"}, said]},
        if_multi("i", TALE, NO_COMMA, [None]) | {"messages": None, "ground_truth": None},
    )
    assert [row["key"] for row in found.rows] == ["if_multi_constraints/a"]
    assert found.left_out == {
        "arguments that are no text": 2,
        "ground_truth not in the published form": 1,
        "impossible arguments of length_constraints:number_words": 2,
        "not one message of the user": 3,
        "unknown verifier nosuch:verifier": 2,
    }
    first = found.examples["impossible arguments of length_constraints:number_words"]
    assert f"{TRAIN}: row 4, key d: length_constraints:number_words: num_words must be" in first
    assert not (Path("x")).exists()


def test_a_key_that_repeats_is_numbered(tmp_path):
    found = training(tmp_path, *(if_multi(key, f"{TALE} {i}", NO_COMMA, [None]) for i, key in enumerate("aaba")))
    name = "if_multi_constraints"
    assert [row["key"] for row in found.rows] == [f"{name}/a", f"{name}/a~2", f"{name}/b", f"{name}/a~3"]


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ("messages", pa.list_(pa.string()), "column messages holds list.*, not lists of {content, role}"),
        ("ground_truth", pa.list_(pa.string()), "column ground_truth holds list.*, not text"),
    ],
)
def test_training_data_of_another_schema_is_refused(tmp_path, column, kind, message):
    schema = IF_MULTI.set(IF_MULTI.get_field_index(column), pa.field(column, kind))
    parquet(tmp_path / TRAIN, [if_multi("a", TALE, NO_COMMA, [None]) | {column: ["x"]}], schema)
    with pytest.raises(UserError, match=f"{TRAIN}: {message}"):
        if_multi_constraints.read(tmp_path)


def demonstrations(tmp_path, *rows, schema=IFEVAL_LIKE):
    parquet(tmp_path / "filtered/train-00000-of-00001.parquet", list(rows), schema)
    return ready_made.read(tmp_path)


def test_a_ready_made_demonstration_is_read_with_its_response(tmp_path):
    kwargs = [{"num_words": 3, "relation": "at least", "N": None}]
    found = demonstrations(tmp_path, ifeval_like(7, TALE, "Once upon a time", FEW, kwargs))
    assert found.rows == [
        {
            "key": "ifeval_like/7",
            "prompt": TALE,
            "instruction_id_list": FEW,
            "kwargs": [{"num_words": 3, "relation": "at least"}],
            "benchmark": "trained",
            "response": "Once upon a time",
        }
    ]


def test_ready_made_demonstrations_with_objects_as_arguments_are_read_too(tmp_path):
    kind = pa.list_(pa.struct({"num_words": pa.int64(), "relation": pa.string(), "letter": pa.string()}))
    schema = IFEVAL_LIKE.set(IFEVAL_LIKE.get_field_index("kwargs"), pa.field("kwargs", kind))
    row = ifeval_like(7, TALE, "Once", FEW, []) | {"kwargs": [{"num_words": 3, "relation": "at least"}]}
    assert demonstrations(tmp_path, row, schema=schema).rows[0]["kwargs"] == [{"num_words": 3, "relation": "at least"}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kwargs": "[{"}, "kwargs not in the published form"),
        ({"kwargs": "{}"}, "kwargs not in the published form"),
        ({"kwargs": "[{}, {}]"}, "kwargs not in the published form"),
        ({"kwargs": "[3]"}, "kwargs not in the published form"),
        ({"instruction_id_list": None}, "kwargs not in the published form"),
        ({"response": " "}, "no prompt or no response"),
        ({"prompt": None}, "no prompt or no response"),
        ({"instruction_id_list": ["a:b"]}, "unknown verifier a:b"),
        ({"kwargs": '[{"N": 3}]'}, "impossible arguments of punctuation:no_comma"),
    ],
)
def test_ready_made_demonstrations_that_cannot_be_used_are_counted(tmp_path, changes, reason):
    found = demonstrations(tmp_path, ifeval_like(7, TALE, "Once", NO_COMMA, [{}]) | changes)
    assert (found.rows, found.left_out) == ([], {reason: 1})
    assert "row 1, key 7: " in found.examples[reason]
