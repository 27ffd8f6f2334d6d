"""Files that other tools wrote or saved: read as what they mean, or one line that says what became of them."""

import json
import re

import pandas as pd
import pytest
from support.two_prompts import EXPECTED, PROMPTS, RESPONSES

from uniapl.data.conversations import LONGEST_CELL, read_conversations
from uniapl.data.prompts import read_prompts
from uniapl.errors import UserError
from uniapl.generate.suite import rows as rows_of_suite
from uniapl.jsonl import read_json, read_jsonl
from uniapl.scorers import score
from uniapl.scorers.command import main

LINES = "".join(json.dumps(row) + "\n" for row in PROMPTS)


def saved(tmp_path, content: str | bytes, name: str = "p.jsonl"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + LINES,
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n", "\r"),
        LINES.rstrip("\n"),
        LINES.replace("\n", "\n\n \n"),
        json.dumps(PROMPTS),
        "\n" + json.dumps(PROMPTS, indent=2),
        LINES.replace('"key": 7', '"key": 7.0').replace('"key": 3', '"key": 3.0'),
        LINES.replace('"key": 7', '"key": 0.7E+01'),
        LINES.replace("{}", '{"keywords": NaN, "num_words": null}'),
    ],
    ids="mark crlf cr no-end blank array indented floats exponents nan".split(),
)
def test_what_other_tools_make_of_a_file_is_read_as_the_same_prompts(content, tmp_path):
    frame = score(read_prompts(saved(tmp_path, content)), RESPONSES)
    assert [tuple(row) for row in frame.itertuples(index=False)] == EXPECTED


def test_numbers_that_a_table_made_floats_are_whole_in_arguments_keys_and_turns(tmp_path):
    row = {"key": 5.0, "prompt": "p", "instruction_id_list": ["length_constraints:number_words"]}
    row["kwargs"] = [{"num_words": 2.0, "relation": "at least"}]
    (read,) = read_prompts(saved(tmp_path, json.dumps(row)))
    assert read["key"] == 5 and read["kwargs"] == [{"num_words": 2, "relation": "at least"}]
    pd.DataFrame({"key": [5.0], "response": ["two words"]}).to_parquet(tmp_path / "r.parquet")
    assert score([read], tmp_path / "r.parquet")["strict"].tolist() == [1]
    with pytest.raises(UserError, match="num_words must be a whole number of at least 1, not 2.5"):
        read_prompts(saved(tmp_path, json.dumps(row).replace("2.0", "2.5")))


@pytest.mark.parametrize(
    "content, line",
    [
        (LINES.encode("utf-16"), ":1: not UTF-8, which JSON is: save the file as UTF-8"),
        (LINES.encode() + '{"key": "\u00e9"}\n'.encode("latin-1"), ":3: not UTF-8"),
        (
            '"' + json.dumps(PROMPTS[0]).replace('"', '""') + '"\n',
            ":1: not JSON: .*; a spreadsheet has put it in quotes",
        ),
        ('"{""key"": 7"," ""prompt"": ""a""}"\n', ":1: not JSON: .*; a spreadsheet has put it in quotes"),
        (LINES.replace("}\n", "},\n", 2), ":1: not JSON: .*; it ends in a comma"),
        (json.dumps(PROMPTS[0], indent=1), ":1: not JSON: .*; an object must stand on one line"),
        (LINES[:-30], ":2: not JSON: .*; an object must stand on one line"),
        ("key,prompt\n7,a\n", ":1: not JSON: .*; a table, as CSV, is not read here"),
        (LINES + "\0" * 9, ":3: not JSON: .*; zeros, as a machine leaves them that stopped while it wrote"),
        ("<<<<<<< HEAD\n" + LINES, ":1: not JSON: .*; a merge left its marks"),
        ("<!DOCTYPE html>\n<html>", ":1: not JSON: .*; a web page or XML: download the file itself"),
        ("version https://git-lfs.github.com/spec/v1\n", ":1: not JSON: .*; a pointer of Git LFS .*: git lfs pull"),
        (repr(PROMPTS[0]) + "\n", ":1: not JSON: .*; Python's own form: write it with json.dumps"),
        ('[{"key": 7},\n {"key": 8},]', ":2: not JSON: "),
        ('[{"key": 7}, 3]', ": row 2: a row must be a JSON object, not int"),
        (LINES.replace('"key": 7', '"key": "1.23E+05"'), ": row 1, .*: a spreadsheet has rounded the key 1.23E[+]05"),
        (LINES.replace('"key": 7', '"key": 7.5'), ": row 1, key 7.5: key is missing or of a wrong type"),
        (LINES.replace('"key": 7', '"key": NaN'), ": row 1, .*: key is missing or of a wrong type"),
    ],
)
def test_what_cannot_be_read_is_named_with_file_and_line_and_remedy(content, line, tmp_path):
    with pytest.raises(UserError, match=f"p.jsonl{line}") as raised:
        read_prompts(saved(tmp_path, content))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "rows, line",
    [
        ([{"key": 7, "output": "a"}], "have no text in their field response (they have key, output): key 7"),
        ({"data": RESPONSES}, "(they have data): a row with neither key nor prompt, but data"),
        ([{}], "(they have nothing): a row with neither key nor prompt, but nothing"),
        ([{"key": 7, "response": None}], "no text in their field response: key 7"),
    ],
)
def test_responses_that_have_no_text_are_named_by_what_they_have(rows, line, tmp_path):
    with pytest.raises(UserError, match=re.escape(line)):
        score(PROMPTS, saved(tmp_path, json.dumps(rows), "r.jsonl"))


def test_a_json_file_with_a_byte_order_mark_is_read(tmp_path):
    assert read_json(saved(tmp_path, "\ufeff{}", "a.json")) == {}


# lm-eval ------------------------------------------------------------------------------------------


def sample(row: dict, response: object, **more) -> dict:
    """What `lm_eval --log_samples` writes of a prompt, as of 0.4.0."""
    doc = next(prompt for prompt in PROMPTS if prompt["key"] == row["key"])
    return {"doc_id": 0, "doc": doc, "target": 0, "arguments": [], "resps": [["x"]], "filtered_resps": response} | more


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("wrap", [lambda text: [text], lambda text: [[text, "another"]]])
@pytest.mark.parametrize("more", [{}, {"doc_id": None}, {"filter": "none", "metrics": ["acc"], "acc": 1}])
def test_samples_of_any_lm_eval_are_responses(array, wrap, more, tmp_path, capsys):
    written = [sample(row, wrap(row["response"]), **more) for row in RESPONSES]
    text = json.dumps(written, indent=2) if array else "".join(json.dumps(row) + "\n" for row in written)
    files = saved(tmp_path, LINES), saved(tmp_path, text, "samples_ifeval.jsonl")
    main(["--prompts", str(files[0]), "--responses", str(files[1])])
    assert json.loads(capsys.readouterr().out)["inst_loose"] == {"passed": 3, "total": 4, "accuracy": 0.75}


@pytest.mark.parametrize(
    "change, line",
    [
        ({"filter": None}, "no filter: lm-eval before 0.4.7 wrote it; run 0.4.7 or newer"),
        ({"metrics": None}, "no metrics: lm-eval before 0.4.7"),
        ({"metrics": None, "filter": None}, "no metrics and no filter: lm-eval before 0.4.7"),
        ({"doc_id": [None]}, "doc_id is None, and must be the number of its prompt"),
        ({"metrics": ["absent"]}, "metrics must list names that the sample has, and are"),
        ({"metrics": 3}, "metrics must list names that the sample has, and are 3"),
    ],
)
def test_samples_that_name_too_little_for_a_suite_are_one_line(change, line):
    whole = {"doc_id": 4, "filter": "none", "metrics": ["acc"], "acc": 1.0}
    absent = [name for name, value in change.items() if value is None]
    changed = whole | {name: value[0] if value == [None] else value for name, value in change.items()}
    for name in absent:
        del changed[name]
    with pytest.raises(UserError, match=f"^arc: sample 2: {line}"):
        rows_of_suite({"samples": {"arc": [whole, changed]}})


# near matches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "responses, line",
    [
        (
            [{"prompt": row["prompt"] + " ", "response": ""} for row in RESPONSES],
            "2 of 2 prompts have a response whose prompt differs by blanks at its ends alone: make them one: key",
        ),
        (
            [{"key": f"{row['key']}.0", "response": ""} for row in RESPONSES],
            "2 of 2 prompts have a response whose key differs by blanks",
        ),
        (
            [{**row, "prompt": "\n" + row["prompt"]} for row in RESPONSES],
            "2 of 2 prompts differ from the text that was answered by blanks at their ends",
        ),
    ],
)
def test_a_match_that_lacks_a_blank_alone_is_named_as_such(responses, line):
    with pytest.raises(UserError, match=line):
        score(PROMPTS, responses)


# CSV ----------------------------------------------------------------------------------------------

HEADER = "key,language,turn_1_prompt,turn_1_instruction_id_list,turn_1_kwargs"
CELLS = ['"{""content"": ""Hi.""}"', '"[""punctuation:no_comma""]"', '"[{}]"']


def table(key: str = "1:1:en", cells=CELLS, sign: str = ",", header: str = HEADER) -> str:
    return header.replace(",", sign) + "\n" + sign.join([key, "English", *cells]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + table(),
        table().replace("\n", "\r\n"),
        table(header=HEADER + ",,", cells=[*CELLS, "", ""]),
        table(cells=[*CELLS, "", ""]),
    ],
    ids="mark crlf columns commas".split(),
)
def test_a_csv_file_that_a_spreadsheet_saved_is_read(text, tmp_path):
    (one,) = read_conversations(saved(tmp_path, text, "m.csv"))
    assert one.key == "1:1:en" and one.turns[0].prompt == "Hi."


@pytest.mark.parametrize(
    "text, line",
    [
        (table(sign=";"), ":1: no column key, language, turn_1_prompt: columns are parted by commas"),
        (table(sign="\t"), ":1: no column key"),
        (table().encode("utf-16"), ": not UTF-8: save it as CSV in UTF-8"),
        (table(key="1.00E+15"), ": row 1, key 1.00E[+]15: a spreadsheet has rounded the key 1.00E[+]15"),
        (
            table(cells=['"{""content"": ""' + "a" * (LONGEST_CELL - 13) + '"', *CELLS[1:]]),
            ":2: a spreadsheet has cut turn_1_prompt at 32767 characters",
        ),
    ],
    ids="semicolons tabs utf-16 rounded cut".split(),
)
def test_what_a_spreadsheet_breaks_is_named(text, line, tmp_path):
    with pytest.raises(UserError, match=f"m.csv{line}"):
        read_conversations(saved(tmp_path, text, "m.csv"))


def test_every_row_of_read_jsonl_is_the_object_of_its_line(tmp_path):
    assert read_jsonl(saved(tmp_path, '{"a": "\u2028"}\n{"a": NaN}\n'))[0] == {"a": "\u2028"}
