"""Any number of responses is scored in the same memory, in pieces that change neither the rows nor the figures."""

import json
import random
import tracemalloc
from itertools import islice

import pandas as pd
import pytest
from support.two_prompts import PROMPTS, RESPONSES, write

from uniapl.errors import UserError
from uniapl.jsonl import each_row
from uniapl.scorers import match, verdicts
from uniapl.scorers.command import main
from uniapl.scorers.files import write_frame, writing
from uniapl.scorers.match import Pairs
from uniapl.scorers.responses import each_response
from uniapl.scorers.verdicts import Totals, score, summary

IDS = ["punctuation:no_comma", "startend:quotation"]
ANSWERS = ('"rain"', "rain", '"rain, snow"', "rain, snow")  # of both, of the first, of the second, of none


def prompts(n: int):
    for key in range(n):
        yield {"key": key, "prompt": f"Say {key}.", "instruction_id_list": IDS[: 1 + key % 2], "kwargs": None}


def responses(n: int):
    for key in random.Random(0).sample(range(n), n):
        yield {"key": key, "response": ANSWERS[key % 4]}


def files(folder, n: int, form: str = "jsonl") -> tuple[str, str]:
    """Of n prompts and of the responses to them."""
    asked, answers = folder / f"p{n}.jsonl", folder / f"r{n}.{form}"
    write(asked, prompts(n))
    if form == "parquet":
        pd.DataFrame(responses(n)).to_parquet(answers)
    else:
        write(answers, responses(n))
    return str(asked), str(answers)


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    """Score n responses in pieces of `piece` prompts; returns what was printed and the file."""

    def command(n: int, piece: int, name: str = "scores.csv", form: str = "jsonl"):
        monkeypatch.setattr(verdicts, "PIECE", piece)
        asked, answers, out = files(tmp_path, n, form) + (tmp_path / name,)
        main(["--prompts", asked, "--responses", answers, "--out", str(out)])
        return json.loads(capsys.readouterr().out), out

    return command


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_the_size_of_a_piece_changes_nothing(command, name):
    whole, out = command(100, 100, name)
    frame = (pd.read_parquet if name.endswith("parquet") else pd.read_csv)(out)
    written = out.read_bytes()
    assert frame["key"].tolist() == [key for key in range(100) for _ in range(1 + key % 2)]
    assert whole == summary(frame)
    assert {name: figure["passed"] for name, figure in whole.items()} == {
        "prompt_strict": 25,  # 0, 4, ...
        "inst_strict": 50,  # the first of 1, 5, ... too
        "prompt_loose": 25,
        "inst_loose": 50,
    }
    pieces, out = command(100, 7, name)
    assert pieces == whole
    if name.endswith("csv"):
        assert out.read_bytes() == written
    else:
        pd.testing.assert_frame_equal(pd.read_parquet(out), frame)


def test_a_file_of_one_piece_is_what_pandas_writes(tmp_path):
    frame = score(prompts(20), responses(20))
    for name, write_by_pandas in (("a.csv", frame.to_csv), ("a.parquet", frame.to_parquet)):
        write_by_pandas(tmp_path / name, index=False)
        write_frame(frame, tmp_path / f"b{name}")
        assert (tmp_path / f"b{name}").read_bytes() == (tmp_path / name).read_bytes()


def traced(action) -> int:
    """The most bytes that an action has at a time."""
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_memory_does_not_grow_with_the_number_of_responses(tmp_path, form, monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "PIECE", 100)
    monkeypatch.setattr("uniapl.scorers.responses.BATCH", 100)
    peaks = []
    for n in (100, 200, 1200):  # the first for what is loaded once
        asked, answers = files(tmp_path, n, form)
        options = ["--prompts", asked, "--responses", answers, "--out", str(tmp_path / "out.csv")]
        peaks.append(traced(lambda options=options: main(options)))
    rows = traced(lambda: list(each_row(asked)))  # what holding the prompts alone would take
    assert peaks[2] - peaks[1] < rows / 4, (peaks, rows)


def test_rows_are_read_as_they_are_asked_for(tmp_path):
    rows = write(tmp_path / "r.jsonl", [*RESPONSES, {"key": 1}])
    (tmp_path / "r.jsonl").open("a").write("no JSON\n")
    assert list(islice(each_row(rows), 3))[2] == {"key": 1}
    assert list(islice(each_response(rows), 2)) == RESPONSES
    with pytest.raises(UserError, match="r.jsonl:4: not JSON"):
        list(each_response(rows))


def test_totals_of_turns_are_those_of_the_whole_frame():
    rows = [(key, turn, key % 3 > turn % 2, True) for key in range(9) for turn in range(1, 2 + key % 3)]
    frame = pd.DataFrame(rows, columns=["key", "turn", "strict", "loose"]).astype(int)
    totals = Totals()
    for key in (8, *range(8)):
        totals.add(frame[frame.key == key])
    assert totals.summary() == summary(frame)
    assert list(totals.summary()) == ["turn_1", "turn_2", "turn_3", "conversation"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    frame = score(PROMPTS, RESPONSES)
    (tmp_path / ".a.csv.1.part").write_text("of a killed process")
    with pytest.raises(UserError, match="in the middle"), writing(tmp_path / "a.csv") as add:
        add(frame)
        assert not (tmp_path / "a.csv").exists()
        raise UserError("in the middle")
    assert list(tmp_path.iterdir()) == []
    with writing(tmp_path / "a.csv") as add:
        add(frame)
        add(frame)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert len(pd.read_csv(tmp_path / "a.csv")) == 2 * len(frame)


def test_an_error_in_the_second_file_leaves_the_first_as_it_was(tmp_path, capsys):
    asked = str(write(tmp_path / "p.jsonl", PROMPTS))
    answers = [write(tmp_path / f"{name}.jsonl", rows) for name, rows in (("a", RESPONSES), ("b", RESPONSES[:1]))]
    outs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    outs[0].write_text("old")
    with pytest.raises(SystemExit):
        main(["--prompts", asked, "--responses", *map(str, answers), "--out", *map(str, outs)])
    assert "b.jsonl: 1 of 2 prompts have no response" in capsys.readouterr().err
    assert outs[0].read_text() == "old"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".jsonl", ".jsonl", ".jsonl"]


def test_a_temporary_folder_without_room_is_one_line(monkeypatch):
    monkeypatch.setattr(match, "TABLES", match.TABLES + "PRAGMA max_page_count = 20;")
    with pytest.raises(UserError, match="^temporary folder: database or disk is full: set TMPDIR to a folder that has"):
        Pairs(prompts(2000))


def test_pairs_are_joined_anew_for_each_file():
    by_text = [{"prompt": row["prompt"], "response": "by text"} for row in PROMPTS]
    with Pairs(PROMPTS) as pairs:
        for rows, first in ((RESPONSES, "It is rain."), (by_text, "by text"), (RESPONSES, "It is rain.")):
            pairs.answer(rows)
            assert next(iter(pairs))[1] == first
            assert [asked.key for asked, _ in pairs] == [7, 3] and len(pairs) == 2
