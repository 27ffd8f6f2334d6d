"""The score stage reproduces known figures, and writes nothing unless every prompt has one response."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from support.places import PUBLISHED_DATA, ROOT, WITHOUT_DATA
from support.two_prompts import EXPECTED, PROMPTS, RESPONSES, write

from uniapl.data.prompts import read_prompts, valid_prompts
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl
from uniapl.scorers.command import main
from uniapl.scorers.match import Pairs
from uniapl.scorers.responses import each_response
from uniapl.scorers.verdicts import score, summary

DATA = PUBLISHED_DATA / "ifeval"
UNANSWERED = "(joined by key; answer them, or score a prompts file without them)"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=WITHOUT_DATA)


def without(rows: list[dict], *fields: str) -> list[dict]:
    return [{name: value for name, value in row.items() if name not in fields} for row in rows]


def match(prompts: list[dict], responses: list[dict]) -> list[str]:
    """The response to each prompt, in the order of the prompts."""
    with Pairs(prompts) as pairs:
        pairs.answer(responses)
        return [response for _, response in pairs]


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command on rows; returns what it printed and the file it wrote."""

    def run(prompts=PROMPTS, responses=RESPONSES, out="scores.csv"):
        files = write(tmp_path / "p.jsonl", prompts), write(tmp_path / "r.jsonl", responses)
        main(["--prompts", str(files[0]), "--responses", str(files[1]), "--out", str(tmp_path / out)])
        return json.loads(capsys.readouterr().out), tmp_path / out

    return run


def test_one_row_per_instruction_and_four_figures(run):
    printed, out = run()
    frame = pd.read_csv(out)
    assert list(frame) == ["key", "index", "instruction_id", "strict", "loose"]
    assert [tuple(row) for row in frame.itertuples(index=False)] == EXPECTED
    assert printed == {
        "prompt_strict": {"passed": 0, "total": 2, "accuracy": 0.0},
        "inst_strict": {"passed": 2, "total": 4, "accuracy": 0.5},
        "prompt_loose": {"passed": 1, "total": 2, "accuracy": 0.5},
        "inst_loose": {"passed": 3, "total": 4, "accuracy": 0.75},
    }


def test_csv_and_parquet_hold_the_same_rows(run):
    pd.testing.assert_frame_equal(pd.read_csv(run()[1]), pd.read_parquet(run(out="new/scores.parquet")[1]))


@pytest.mark.parametrize("fields", [("key",), ("prompt",), ()])
def test_responses_join_by_key_or_by_text_in_any_order(run, fields):
    assert [tuple(row) for row in pd.read_csv(run(responses=without(RESPONSES, *fields))[1]).values] == EXPECTED


def test_one_response_without_key_makes_all_join_by_text():
    mixed = [{**RESPONSES[0], "key": 7}, {**RESPONSES[1], "key": None}]
    assert match(PROMPTS, mixed) == ["It is rain.", 'Here it is:\n"To be"']


def test_a_key_that_became_text_still_joins():
    as_text = [{"key": str(row["key"]), "response": row["response"]} for row in RESPONSES]
    assert match(PROMPTS, as_text) == match(PROMPTS, RESPONSES)


def test_responses_may_be_parquet(run, tmp_path, capsys):
    pd.DataFrame(RESPONSES).assign(tokens=[[1], [2]]).to_parquet(tmp_path / "r.parquet")
    expected, out = run()
    prompts, responses, out = str(tmp_path / "p.jsonl"), str(tmp_path / "r.parquet"), str(tmp_path / "s.csv")
    main(["--prompts", prompts, "--responses", responses, "--out", out])
    assert json.loads(capsys.readouterr().out) == expected
    assert list(each_response(responses)) == RESPONSES


@pytest.fixture
def several(tmp_path, capsys):
    """Run the command on several responses files at once; returns what it printed, by line, and the files."""

    def several(*responses, outs=None):
        prompts = write(tmp_path / "p.jsonl", PROMPTS)
        files = [write(tmp_path / f"r{i}.jsonl", rows) for i, rows in enumerate(responses)]
        outs = [tmp_path / name for name in outs or [f"s{i}.csv" for i in range(len(files))]]
        main(["--prompts", str(prompts), "--responses", *map(str, files), "--out", *map(str, outs)])
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()], outs

    return several


def test_several_responses_files_are_scored_as_each_alone(run, several):
    better = [{**row, "response": "rain and snow"} for row in RESPONSES]
    alone = [(printed, out.read_text()) for printed, out in (run(responses=rows) for rows in (better, RESPONSES))]
    printed, outs = several(better, RESPONSES)
    assert list(zip(printed, (out.read_text() for out in outs), strict=True)) == alone and alone[0] != alone[1]


@pytest.mark.parametrize(
    "responses, outs, message",
    [
        ([RESPONSES, RESPONSES], ["s0.csv"], "2 --responses and 1 --out: name an output for each"),
        ([RESPONSES, RESPONSES], ["s.csv", "s.csv"], "s.csv: is an input or another output"),
        ([RESPONSES, RESPONSES[:1]], None, f"1 of 2 prompts have no response {UNANSWERED}: key 7"),
    ],
)
def test_a_mistake_in_one_of_several_writes_none(several, tmp_path, capsys, responses, outs, message):
    with pytest.raises(SystemExit):
        several(*responses, outs=outs)
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.jsonl", "r0.jsonl", "r1.jsonl"]


def test_the_benchmark_is_copied(run):
    _, out = run(prompts=[{**PROMPTS[0], "benchmark": "new_types"}, {**PROMPTS[1], "benchmark": "trained"}])
    frame = pd.read_csv(out)
    assert list(frame)[:3] == ["key", "benchmark", "index"]
    assert list(frame["benchmark"]) == ["new_types"] * 3 + ["trained"]


def test_a_prompt_passes_only_where_all_its_instructions_do():
    frame = pd.DataFrame({"key": [1, 1, 2], "strict": [1, 0, 1], "loose": [1, 1, 1]})
    assert summary(frame)["prompt_strict"] == {"passed": 1, "total": 2, "accuracy": 0.5}
    assert summary(frame)["prompt_loose"]["passed"] == 2


BAD = {  # what is wrong: (prompts, responses, what the message says)
    "missing": (PROMPTS, RESPONSES[:1], f"1 of 2 prompts have no response {UNANSWERED}: key 7"),
    "missing by text": (
        PROMPTS,
        without(RESPONSES[:1], "key"),
        f"no response {UNANSWERED.replace('key', 'prompt')}: key 7",
    ),
    "extra": (PROMPTS[:1], RESPONSES, "1 of 2 responses answer no prompt (joined by key): key 3"),
    "extra by text": (
        PROMPTS[:1],
        without(RESPONSES, "key"),
        "1 of 2 responses answer no prompt (joined by prompt): prompt 'Quote something.'",
    ),
    "repeated": (PROMPTS, RESPONSES + RESPONSES[:1], "2 of 3 responses have the same key as another: key 3"),
    "repeated prompt": (PROMPTS + PROMPTS[:1], RESPONSES, "share a key: key 7"),
    "same text": (
        [*PROMPTS, {**PROMPTS[0], "key": 8}],
        without(RESPONSES, "key"),
        "2 of 3 prompts have the same prompt as another: key 7, key 8",
    ),
    "another release": (
        [PROMPTS[0], {**PROMPTS[1], "prompt": "Quote something else."}],
        RESPONSES,
        "1 of 2 prompts are not the text that was answered under their key: key 3",
    ),
    "nothing to join by": (PROMPTS, without(RESPONSES, "key", "prompt"), "2 of 2 responses have no prompt"),
    "no response": (PROMPTS, without(RESPONSES, "response"), "2 of 2 rows of"),
    "null response": (PROMPTS, [RESPONSES[0], {**RESPONSES[1], "response": None}], "1 of 2 rows of"),
    "unknown id": (
        [PROMPTS[0], {**PROMPTS[1], "instruction_id_list": ["startend:quotations"]}],
        RESPONSES,
        "row 2, key 3: startend:quotations: unknown instruction, did you mean 'startend:quotation'?",
    ),
    "bad argument": (
        [PROMPTS[0], {**PROMPTS[1], "kwargs": [{"language": "de"}]}],
        RESPONSES,
        "row 2, key 3: startend:quotation: unexpected argument language",
    ),
    "lengths": (
        [{**PROMPTS[0], "kwargs": [{}]}],
        RESPONSES,
        "key 7: 3 in instruction_id_list but 1 in kwargs",
    ),
    "no object of arguments": ([{**PROMPTS[1], "kwargs": [3]}], RESPONSES, "an object of arguments for each"),
    "no instruction": ([{**PROMPTS[0], "instruction_id_list": [], "kwargs": []}], RESPONSES, "at least one"),
    "no key": (
        without(PROMPTS, "key"),
        RESPONSES,
        "row 1, prompt 'Write about rain and snow.': key is missing",
    ),
    "mixed keys": ([PROMPTS[0], {**PROMPTS[1], "key": "a"}], RESPONSES, "all numbers or all text"),
    "benchmark": ([{**PROMPTS[0], "benchmark": ["a"]}, PROMPTS[1]], RESPONSES, "benchmark is ['a'], and must be text"),
    "half a pair": (
        [{**PROMPTS[0], "benchmark": "a"}, {**PROMPTS[1], "benchmark": "\ud800"}],
        RESPONSES,
        "p.jsonl: row 2, key 3: benchmark '\\ud800' has half a surrogate pair",
    ),
    "empty prompts": ([], RESPONSES, "p.jsonl: holds no rows"),
    "empty responses": (PROMPTS, [], "r.jsonl: holds no rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_line_and_leaves_the_old_scores(run, case, tmp_path, capsys):
    old = tmp_path / "scores.csv"
    old.write_text("old")
    prompts, responses, message = BAD[case]
    with pytest.raises(SystemExit) as stopped:
        run(prompts, responses)
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1 and message in printed.err, printed.err
    assert old.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.jsonl", "r.jsonl", "scores.csv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"key": 1}\n{"key": 2\n', ":2: not JSON"),
        (b'{"key": 1}\n\n[1, 2]\n', ":3: a row must be a JSON object, not list"),
        (b"\n \n", "holds no rows"),
        (b"\xff\xfe", ":1: not UTF-8"),
    ],
)
def test_malformed_json_lines_name_file_and_line(tmp_path, text, message):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text)
    with pytest.raises(UserError, match=f"rows.jsonl.*{message}"):
        read_jsonl(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"arm": 1,\n bad}', ":2: not JSON: Expecting property name"),
        (b"", ":1: not JSON"),
        (b"[1]", ": must be a JSON object, not list"),
        (b'{"arm": 1}', ": no key seed, cost; it has arm"),
        (b"\xff", ": .*decode"),
        (b"[" * 100_000, ": .*recursion"),
    ],
)
def test_a_malformed_json_file_is_one_line_that_says_what_to_do(tmp_path, text, message):
    path = tmp_path / "run.json"
    path.write_bytes(text)
    with pytest.raises(UserError, match=f"run.json{message}.*; restore it, or run what wrote it again"):
        read_json(path, ("arm", "seed", "cost"))
    with pytest.raises(UserError, match="absent.json: No such file"):
        read_json(tmp_path / "absent.json")


def test_lines_end_only_where_json_lines_end(tmp_path):
    row = {"response": "a\u2028b\x85c\nd"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\r\n\n", encoding="utf-8")
    assert read_jsonl(path) == [row]


@pytest.mark.parametrize("name", ["absent.jsonl", "absent.parquet", "text.parquet", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(UserError, match=f"{tmp_path / name}: "):
        list(each_response(tmp_path / name))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("scores.txt", "must end in .csv or .parquet"),
        ("p.jsonl/scores.csv", "File exists|Not a directory"),
        ("folder.csv", "directory"),
    ],
)
def test_an_output_that_cannot_be_written_is_named(run, tmp_path, capsys, out, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SystemExit):
        run(out=out)
    error = capsys.readouterr().err
    assert re.search(message, error) and out in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.csv", "p.jsonl", "r.jsonl"]


def test_an_input_is_never_overwritten(tmp_path, capsys):
    prompts = write(tmp_path / "p.jsonl", PROMPTS)
    pd.DataFrame(RESPONSES).to_parquet(responses := tmp_path / "r.parquet")
    before = responses.read_bytes()
    with pytest.raises(SystemExit):
        main(["--prompts", str(prompts), "--responses", str(responses), "--out", str(responses)])
    assert "is an input" in capsys.readouterr().err
    assert responses.read_bytes() == before


def test_half_a_surrogate_pair_in_a_prompt_or_a_response_is_scored(run):
    prompts = [{**PROMPTS[0], "prompt": "rain \udc00"}, PROMPTS[1]]
    responses = [{"key": 3, "response": '"To be\ud800"'}, {"key": 7, "response": "rain \udc00"}]
    assert run(prompts, responses)[0]["inst_strict"]["passed"] == 3
    with pytest.raises(UserError, match=r"p.jsonl: row 2, key .*: key '\\udc00' has half a surrogate pair"):
        valid_prompts([{**PROMPTS[0], "key": "a"}, {**PROMPTS[1], "key": "\udc00"}], "p.jsonl")


def test_a_version_to_record_needs_scores_to_stand_beside(tmp_path, capsys):
    files = write(tmp_path / "p.jsonl", PROMPTS), write(tmp_path / "r.jsonl", RESPONSES)
    with pytest.raises(SystemExit) as ended:
        main(["--prompts", str(files[0]), "--responses", str(files[1]), "--record"])
    assert ended.value.code == 2 and "--record needs --out" in capsys.readouterr().err


def test_the_command_runs_from_a_shell_without_torch_and_scipy(tmp_path):
    prompts, responses = write(tmp_path / "p.jsonl", PROMPTS), write(tmp_path / "r.jsonl", RESPONSES)
    out = tmp_path / "scores.csv"
    code = (
        "import sys; from uniapl.scorers.command import main; main(sys.argv[1:]);"
        "sys.exit(', '.join({'torch', 'scipy'} & set(sys.modules)) or 0)"
    )
    arguments = ["--prompts", str(prompts), "--responses", str(responses), "--out", str(out)]
    printed = subprocess.check_output([sys.executable, "-c", code, *arguments], cwd=ROOT, text=True)
    assert json.loads(printed)["inst_loose"]["passed"] == 3
    assert out.exists()


@needs_data
def test_text_bison_scores_exactly_as_with_lm_eval(tmp_path, capsys):
    prompts, responses = (
        DATA / "ifeval_input_textbison_matched.jsonl",
        DATA / "ifeval_textbison_responses.jsonl",
    )
    out = tmp_path / "scores.parquet"
    main(["--prompts", str(prompts), "--responses", str(responses), "--out", str(out)])
    printed = json.loads(capsys.readouterr().out)
    assert {name: (f["passed"], f["total"]) for name, f in printed.items()} == {
        "prompt_strict": (367, 541),
        "inst_strict": (549, 747),
        "prompt_loose": (384, 541),
        "inst_loose": (571, 747),
    }
    frame = pd.read_parquet(out)
    by_key = dict(list(frame.groupby("key")))
    for row in read_jsonl(DATA / "reference_verdicts_textbison.jsonl"):
        found = by_key[row["key"]].sort_values("index")
        assert list(found["instruction_id"]) == row["instruction_id_list"]
        assert list(found["strict"]) == row["strict"] and list(found["loose"]) == row["loose"], row["key"]


@needs_data
def test_the_responses_of_one_release_do_not_score_another():
    with pytest.raises(UserError, match="385 of 541 prompts have no response"):
        score(
            read_prompts(DATA / "ifeval_input.jsonl"),
            each_response(DATA / "ifeval_textbison_responses.jsonl"),
        )
