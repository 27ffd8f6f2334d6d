"""The teacher's answers joined with the prompts: the files of the stage data, and which prompts are left out."""

import hashlib
import json

import pytest

from uniapl.data.miniature import rows as data
from uniapl.data.miniature.world import World
from uniapl.data.public import join
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl, write_jsonl

NO_COMMA = ["punctuation:no_comma"]
STAGE = ("train", "validation", "test", "expert")  # of every world
OURS = (*STAGE, "unsolved")


def prompt(key: str, benchmark: str = "trained") -> dict:
    row = {"key": key, "prompt": f"Say {key}", "instruction_id_list": NO_COMMA, "kwargs": [{}]}
    return row | {"benchmark": benchmark}


def answer(key: str, response: str = "It is said", passed: bool = True) -> dict:
    return {"key": key, "response": response, "passed": passed, "tokens": 3}


PROMPTS = {
    "train_prompts": [prompt("t/1"), prompt("t/2"), prompt("t/3")],
    "validation_prompts": [prompt("t/4")],
    "test": [prompt("ifeval/1"), prompt("ifbench/1", "new_types")],
}
KEYS = [row["key"] for rows in PROMPTS.values() for row in rows]


@pytest.fixture
def folder(tmp_path):
    """The prompts, a summary, and one accepted answer to each prompt."""
    for name, rows in PROMPTS.items():
        write_jsonl(tmp_path / f"{name}.jsonl", rows)
    (tmp_path / "summary.json").write_text('{"seed": 3}')
    write_jsonl(tmp_path / "answers.jsonl", [answer(key) for key in reversed(KEYS)])
    return tmp_path


def joined(folder, *answers) -> dict:
    if answers:
        write_jsonl(folder / "answers.jsonl", answers)
    return join.join(folder, [folder / "answers.jsonl"], folder / "data")


def others(*keys: str) -> list[dict]:
    """Accepted answers to the prompts except these."""
    return [answer(key) for key in KEYS if key not in keys]


def test_the_summary_names_the_teacher(folder):
    (folder / "answers.summary.json").write_text('{"record": {"model": "some/teacher"}}')
    assert joined(folder)["teachers"] == [{"record": {"model": "some/teacher"}}]


def test_the_files_are_those_of_the_stage_data(folder, tmp_path):
    summary = joined(folder)
    files = {name: read_jsonl(folder / f"data/{name}.jsonl") for name in STAGE}
    assert sorted(path.name for path in (folder / "data").glob("[!.]*")) == sorted(
        [*(f"{name}.jsonl" for name in OURS), "summary.json"]
    )
    assert files["train"] == [{**row, "demonstration": "It is said"} for row in PROMPTS["train_prompts"]]
    assert files["validation"] == PROMPTS["validation_prompts"] and files["test"] == PROMPTS["test"]
    assert files["expert"] == [{"key": key, "response": "It is said"} for key in ("t/4", "ifeval/1", "ifbench/1")]
    assert summary["rows"] == {"train": 3, "unsolved": 0, "validation": 1, "test": 2, "expert": 3}
    assert summary["prompts"] == {"seed": 3}
    for name in OURS:
        content = (folder / f"data/{name}.jsonl").read_bytes()
        assert summary["sha256"][f"{name}.jsonl"] == hashlib.sha256(content).hexdigest()
    assert json.loads((folder / "data/summary.json").read_text()) == summary


def test_the_miniature_world_has_the_same_files_and_fields(folder, tmp_path):
    joined(folder)
    data.build(World(corpus=20, train=4, validation=2, test=2, comparisons=6), tmp_path / "tiny")
    for name in STAGE:
        ours, tiny = (set(read_jsonl(path / f"{name}.jsonl")[0]) for path in (folder / "data", tmp_path / "tiny"))
        assert ours == tiny - {"topic"}


def test_training_prompts_without_an_accepted_response_are_left_out_and_counted(folder):
    summary = joined(folder, answer("t/1", "Said, and broken", passed=False), *others("t/1", "t/3"))
    assert [row["key"] for row in read_jsonl(folder / "data/train.jsonl")] == ["t/2"]
    assert read_jsonl(folder / "data/unsolved.jsonl") == [prompt("t/1"), prompt("t/3")]
    assert summary["rows"]["unsolved"] == 2
    assert summary["training prompts left out"] == {"no response": 1, "response breaks its instructions": 1}


def test_the_expert_answers_every_prompt_accepted_or_not(folder):
    summary = joined(folder, answer("ifeval/1", "One, two", passed=False), *others("ifeval/1"))
    assert {"key": "ifeval/1", "response": "One, two"} in read_jsonl(folder / "data/expert.jsonl")
    assert (summary["rows"]["expert"], summary["expert accepted"]) == (3, 2)


def test_of_several_answers_the_first_that_passed_counts_else_the_first(folder):
    tries = [answer("t/1", "Broken, once", passed=False), answer("t/1", "Second"), answer("t/1", "Third")]
    never = [answer("ifeval/1", f"Broken, {n}", passed=False) for n in ("first", "second")]
    joined(folder, *tries, *never, *others("t/1", "ifeval/1"))
    assert read_jsonl(folder / "data/train.jsonl")[0]["demonstration"] == "Second"
    assert {"key": "ifeval/1", "response": "Broken, first"} in read_jsonl(folder / "data/expert.jsonl")


def test_several_files_share_the_prompts(folder):
    rows = [answer(key) for key in KEYS]
    write_jsonl(folder / "a.jsonl", rows[:4])
    write_jsonl(folder / "b.jsonl", rows[4:])
    assert join.join(folder, [folder / "a.jsonl", folder / "b.jsonl"], folder / "data")["rows"]["train"] == 3


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            others("t/4", "ifbench/1"),
            "2 validation and test prompts have no response; generate them too: t/4, ifbench/1",
        ),
        ([*others(), answer("t/9")], "1 responses answer no prompt: t/9"),
        ([{"key": "t/1", "response": "x"}], "answers.jsonl: row 1, key t/1: passed is missing or no bool"),
        ([answer("t/1") | {"passed": 1}], "row 1, key t/1: passed is missing or no bool"),
        ([answer("t/1") | {"response": None}], "row 1, key t/1: response is missing or no str"),
        ([answer(3)], "row 1, key 3: key is missing or no str"),
        ([answer("t/1", "a, b"), *others("t/1")], "key t/1: the response is marked as passed and does not follow"),
        (
            [*(answer(f"t/{i}", passed=False) for i in (1, 2, 3)), *others("t/1", "t/2", "t/3")],
            "no training prompt has an accepted response: {'no response': 0, 'response breaks its instructions': 3}",
        ),
    ],
)
def test_an_error_is_one_line_and_writes_nothing(folder, answers, message):
    joined(folder)
    before = {path.name: path.read_bytes() for path in (folder / "data").iterdir()}
    with pytest.raises(UserError) as error:
        joined(folder, *answers)
    assert message in str(error.value)
    assert {path.name: path.read_bytes() for path in (folder / "data").iterdir()} == before


def test_prompts_that_share_a_key_or_lack_their_summary_are_refused(folder):
    (folder / "summary.json").unlink()
    with pytest.raises(UserError, match="summary.json: .*make the prompts again: python -m uniapl.data.public"):
        joined(folder)
    write_jsonl(folder / "test.jsonl", [prompt("t/4")])
    with pytest.raises(UserError, match="1 prompts share a key with another: t/4"):
        joined(folder)


def test_the_command_line(folder, capsys):
    arguments = ["--prompts", str(folder), "--demonstrations", str(folder / "answers.jsonl")]
    join.main([*arguments, "--out", str(folder / "data")])
    assert json.loads(capsys.readouterr().out)["rows"]["train"] == 3
    (folder / "answers.jsonl").write_text("")
    with pytest.raises(SystemExit) as exit:
        join.main([*arguments, "--out", str(folder / "data")])
    assert exit.value.code == 2 and capsys.readouterr().err.endswith("answers.jsonl: holds no rows\n")
