"""The teacher: which answer becomes the demonstration, what is written, what is reported; with scripted samplers."""

import dataclasses
import json
import math

import pytest
from support import miniature

from uniapl.data.everyday import demonstrations, report, sampling
from uniapl.data.everyday.demonstrations import changed_share, demonstration, edit_all
from uniapl.data.everyday.sampling import Sample, Sampled
from uniapl.data.everyday.world import BASE, World
from uniapl.data.public.join import read_demonstrations, with_accepted
from uniapl.data.teach.collect import teach
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl, write_jsonl

GOOD = "Bread needs time. Let it rise."
BAD = "Bread needs time, flour, and water. Let it rise, slowly."


def prompt(key: str, *ids: str, **given) -> dict:
    kwargs = [given if i == 0 else {} for i in range(len(ids))]
    return {"key": key, "prompt": f"About bread. {key}", "instruction_id_list": list(ids), "kwargs": kwargs}


PROMPTS = [
    prompt("a", "punctuation:no_comma"),
    prompt("b", "punctuation:no_comma"),
    prompt("c", "detectable_format:title"),
]
TEACHER = dataclasses.replace(BASE, attempts=2, concurrency=2, max_tokens=50)


def answer_row(text: str, attempt: int = 0, finish: str = "stop", reason: str | None = "instructions") -> dict:
    return {
        "key": "a",
        "attempt": attempt,
        "model": "base",
        "response": text,
        "finish_reason": finish,
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "passed": reason is None,
        "reason": reason,
        "broken": [],
    }


def scripted(texts: dict):
    """A sampler, in place of a model, that answers a prompt by its key with one text after another."""
    asked = []

    def sample(prompts, seeds):
        asked.append(list(prompts))
        answers = []
        for text in prompts:
            key = text.split()[-1]
            said = texts[key]
            answers.append(Sample(said[min(sum(text in batch for batch in asked) - 1, len(said) - 1)], True, 7, 9))
        return answers

    return sample, asked


def test_best_of_n_edited(tmp_path):
    """a: the second answer follows as it is. b: neither does, the first is edited. c: nothing has a title."""
    more = "Flour, water, salt, and yes, more, all of it."
    sample, asked = scripted({"a": [BAD, GOOD], "b": [BAD, more], "c": [BAD]})
    samples, out = tmp_path / "d.samples.jsonl", tmp_path / "d.jsonl"
    sampled = teach(TEACHER, PROMPTS, Sampled(TEACHER, lambda: sample), samples, {"model": "base"})
    assert sampled["accepted"] == 1 and len(read_jsonl(samples)) == 6
    assert [len(batch) for batch in asked] == [2, 1, 2, 1]
    summary = edit_all(PROMPTS, samples, out, sampled["record"])
    a, b, c = read_jsonl(out)
    assert (a["response"], a["attempt"], a["edits"], a["changed"]) == (GOOD, 1, [], 0.0)
    assert b["response"] == "Bread needs time and flour and water. Let it rise slowly." and b["original"] == BAD
    assert (b["attempt"], b["edits"], b["passed"]) == (0, ["punctuation:no_comma"], True)
    assert (c["passed"], c["reason"], c["broken"]) == (False, "instructions", ["detectable_format:title"])
    assert summary["accepted"] == 2 and summary["accepted without edits"] == 1
    assert summary["instruction_types"]["punctuation:no_comma"] == {"prompts": 2, "accepted": 2, "edited": 1}
    before = out.read_bytes()
    again = teach(TEACHER, PROMPTS, Sampled(TEACHER, lambda: pytest.fail("asked again")), samples, {"model": "base"})
    assert again == sampled and edit_all(PROMPTS, samples, out, again["record"]) == summary
    assert out.read_bytes() == before


def test_the_rows_are_demonstrations_as_the_join_of_the_paper_scale_takes_them(tmp_path):
    rows = [demonstration(PROMPTS[0], [answer_row(BAD)])]
    write_jsonl(tmp_path / "d.jsonl", rows)
    found, left_out = with_accepted(PROMPTS[:1], read_demonstrations([tmp_path / "d.jsonl"]))
    assert found[0]["demonstration"] == rows[0]["response"] and not sum(left_out.values())


def test_the_answer_with_the_least_change_is_taken():
    rows = [answer_row(BAD, 0), answer_row("Time, then rest. That is all there is to bread.", 1)]
    assert demonstration(PROMPTS[0], rows)["attempt"] == 1


def test_an_answer_that_the_limit_cut_off_is_cut_after_a_sentence():
    row = demonstration(PROMPTS[0], [answer_row(BAD + " And then", finish="length", reason="truncated")])
    assert row["passed"] and row["response"].endswith("slowly.") and row["edits"][0] == "cut"


def test_an_answer_that_is_no_text_is_no_material():
    row = demonstration(PROMPTS[0], [answer_row("", reason="empty")])
    assert (row["passed"], row["reason"], row["edits"]) == (False, "empty", [])


def test_the_share_that_changed():
    assert changed_share("abc", "abc") == 0 and changed_share("abc", "xyz") == 1
    assert changed_share("ab", "abcd") == pytest.approx(1 - 4 / 6)  # two of two, and two of four, are common
    assert report.token_shares([1, 2, 3, 4], [1, 2, 9, 4]) == (1, 1)
    assert report.token_shares([1, 2], [1, 2, 3]) == (1, 0)


def test_perplexity_is_over_all_tokens():
    half = (3 * math.log(0.5), 3)
    assert report.perplexity([half, (math.log(0.25), 1)]) == pytest.approx(math.exp(5 * math.log(2) / 4))
    assert report.perplexity([]) is None


def test_the_report_counts_by_type_and_shows_demonstrations_as_they_are(tmp_path):
    rows = [
        {**demonstration(PROMPTS[0], [answer_row(BAD)])},
        {**demonstration(PROMPTS[1], [answer_row(GOOD, reason=None)]), "key": "b"},
        {**demonstration(PROMPTS[2], [answer_row(BAD)]), "key": "c"},
    ]
    found = report.table(PROMPTS, rows, Letters(), {"a": ((-4.0, 2), (-9.0, 3))})
    no_comma = found["punctuation:no_comma"]
    assert (no_comma["prompts"], no_comma["accepted"], no_comma["edited"]) == (2, 1.0, 0.5)
    assert found["detectable_format:title"]["accepted"] == 0 and found[report.ALL]["accepted"] == pytest.approx(2 / 3)
    assert no_comma["perplexity"]["before"] == pytest.approx(math.exp(2))
    assert no_comma["perplexity"]["edited, after"] == pytest.approx(math.exp(3))
    shown = report.examples(PROMPTS, rows)
    assert "# 2 demonstrations" in shown and GOOD in shown and rows[0]["response"] in shown


class Letters:
    """A tokenizer, one token a letter."""

    def __call__(self, text, add_special_tokens):
        return {"input_ids": [ord(letter) for letter in text]}


def test_another_base_does_not_go_on_with_the_answers_of_the_first(tmp_path):
    sample, _ = scripted({"a": [GOOD], "b": [GOOD], "c": [GOOD]})
    out = tmp_path / "d.jsonl"
    teach(TEACHER, PROMPTS, Sampled(TEACHER, lambda: sample), out, {"source": {"sha256": "1"}})
    with pytest.raises(UserError, match="name another --out"):
        teach(TEACHER, PROMPTS, Sampled(TEACHER, lambda: sample), out, {"source": {"sha256": "2"}})


def test_the_version_of_the_editor_is_that_of_its_source(tmp_path, monkeypatch):
    before = demonstrations.editor_version()
    folder = tmp_path / "editor"
    folder.mkdir()
    for path in demonstrations.EDITOR.glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / "substitutes.py").write_bytes((demonstrations.EDITOR.parent / "substitutes.py").read_bytes())
    monkeypatch.setattr(demonstrations, "EDITOR", folder)
    assert demonstrations.editor_version() == before
    with open(folder / "words.py", "a") as file:
        file.write("\n")
    assert demonstrations.editor_version() != before


def test_the_world_states_how_the_base_is_sampled():
    assert World.kind == "everyday"
    assert BASE.sampling == {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "presence_penalty": 0.0, "max_tokens": 384}


def test_transformers_samples_a_miniature_and_says_which_answers_ended(tmp_path):
    """Answers of a random model end seldom: the limit ends the others, with as many tokens as it allows."""
    folder = tmp_path / "policy"
    miniature.policy().save_pretrained(folder)
    miniature.tokenizer().save_pretrained(folder)
    teacher = dataclasses.replace(TEACHER, max_tokens=6)
    sample = sampling.load_transformers(teacher, folder)
    first = sample(["Write about the sea.", "Write."], [3, 4])
    again = sample(["Write about the sea.", "Write."], [3, 4])
    other = sample(["Write about the sea.", "Write."], [5, 4])
    assert first == again and first != other
    for one in first:
        assert one.tokens <= 6 and one.complete == (one.tokens < 6 or one.complete)
    assert first[0].prompt_tokens > first[1].prompt_tokens


def test_the_command_makes_demonstrations_of_a_folder_and_refuses_what_is_missing(tmp_path, capsys):
    folder, rows = tmp_path / "policy", tmp_path / "p.jsonl"
    miniature.policy().save_pretrained(folder)
    miniature.tokenizer().save_pretrained(folder)
    write_jsonl(rows, PROMPTS)
    out = tmp_path / "d.jsonl"
    arguments = ["--prompts", str(rows), "--model", str(folder), "--out", str(out), "--max-tokens", "8"]
    demonstrations.main([*arguments, "--attempts", "1"])
    assert [row["key"] for row in read_jsonl(out)] == ["a", "b", "c"]
    assert json.loads((tmp_path / "d.summary.json").read_text())["record"]["source"]["folder"] == "policy"
    with pytest.raises(SystemExit):
        demonstrations.main(["--prompts", str(rows), "--model", str(tmp_path / "no"), "--out", str(out)])
    assert "holds no checkpoint" in capsys.readouterr().err
