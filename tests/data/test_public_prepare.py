"""Prompts of the paper scale: drawn by seed, apart from the evaluation sets and from validation, written whole."""

import errno
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.public_files import (
    IF_MULTI,
    IFEVAL_LIKE,
    IFEVAL_ROWS,
    MULTI_IF_ROWS,
    NO_COMMA,
    if_multi,
    ifeval_like,
    parquet,
    subjects,
    write_hub,
)

from uniapl.data import hub
from uniapl.data.conversations import read_conversations
from uniapl.data.prompts import read_prompts
from uniapl.data.public import prepare
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.models.checkpoints import load_tokenizer, messages

MULTI = "allenai/IF_multi_constraints_upto5/data/train-00000-of-00001.parquet"
MULTI_IF = "facebook/Multi-IF"
READY = "argilla/ifeval-like-data/filtered/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The local hub, written once."""
    return write_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def local(published, tmp_path, monkeypatch):
    """A copy of the local hub that a test may change."""
    root = shutil.copytree(published, tmp_path / "hub")
    monkeypatch.setenv(hub.VARIABLE, str(root))
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


def training(root: Path, rows: list[dict]) -> None:
    parquet(root / MULTI, rows, IF_MULTI)


def test_the_files_have_what_is_asked_for_and_their_hashes(local, tmp_path):
    summary = prepare.prepare(tmp_path / "out", train=20, validation=5)
    files = contents(tmp_path / "out")
    names = ("train_prompts.jsonl", "validation_prompts.jsonl", "test.jsonl", "multi_if.jsonl")
    assert files.keys() == {*names, "summary.json"}
    assert summary["rows"] == dict(zip(names, (20, 5, 3, 2), strict=True))
    assert summary["benchmarks"] == {"trained": 2, "new_types": 1}
    assert summary["sha256"] == {name: hashlib.sha256(files[name]).hexdigest() for name in names}
    assert json.loads(files["summary.json"]) == summary
    rows = [row for name in names[:3] for row in read_prompts(tmp_path / "out" / name)]
    assert len({row["key"] for row in rows}) == len({row["prompt"] for row in rows}) == 28
    assert {tuple(row) for row in rows} == {("key", "prompt", "instruction_id_list", "kwargs", "benchmark")}


def test_the_summary_says_where_everything_is_from(local, tmp_path):
    summary = prepare.prepare(tmp_path / "out", train=20, validation=5)
    assert summary["sources"].keys() == {
        "allenai/IF_multi_constraints_upto5",
        "google/IFEval",
        "allenai/IFBench_test",
        MULTI_IF,
    }
    one = summary["sources"]["google/IFEval"]
    assert one == hub.record("google/IFEval") | {"use": "evaluation"}
    assert (one["licence"], one["revision"], len(one["sha256"])) == ("apache-2.0", "local", 64)
    assert summary["published"]["allenai/IF_multi_constraints_upto5"] == 60
    assert summary["overlap"] == {"words": 8, "share": 0.5, "source": prepare.overlap.SOURCE}


def test_the_same_seed_gives_the_same_bytes_and_another_other_prompts(local, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        prepare.prepare(tmp_path / name, train=20, validation=5, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    a, c = (contents(tmp_path / name) for name in "ac")
    assert a["test.jsonl"] == c["test.jsonl"] and a["train_prompts.jsonl"] != c["train_prompts.jsonl"]


def test_training_prompts_that_occur_in_an_evaluation_set_are_removed_and_counted(local, tmp_path):
    long = IFEVAL_ROWS[1]["prompt"]
    prompts = {
        "exact": IFEVAL_ROWS[0]["prompt"].upper(),
        "ngram": "Please be so kind. " + long + " Answer in one line.",
        "part": long.partition(",")[0] + ", please",
        "multi": json.loads(MULTI_IF_ROWS[0]["turn_1_prompt"])["content"],
        "later": json.loads(MULTI_IF_ROWS[0]["turn_2_prompt"])["content"],
        "twice": "A prompt that comes again",
        "again": "a prompt, that comes again!",
    }
    added = [if_multi(name, text, NO_COMMA, [None]) for name, text in prompts.items()]
    added.append(if_multi("long", "word " * 1_600 + "!", NO_COMMA, [None]))  # 8,001 characters
    added.append(if_multi("unknown", "Anything else", ["no:such"], [None]))
    training(local, added)
    # of seven short usable prompts two occur exactly, two by n-grams (the part: 11 of 19 words), one repeats another:
    # "later" and "twice" remain
    summary = prepare.prepare(tmp_path / "out", train=1, validation=1)
    kept = read_jsonl(tmp_path / "out/train_prompts.jsonl") + read_jsonl(tmp_path / "out/validation_prompts.jsonl")
    assert {row["key"] for row in kept} == {f"if_multi_constraints/{name}" for name in ("later", "twice")}
    assert summary["removed"] == {
        "unusable": {"unknown verifier no:such": 1},
        "same words as an earlier prompt": 1,
        "more than 8000 characters": 1,
        "exact, evaluation": {"ifeval": 1, "multi_if": 1},
        "overlap, evaluation": {"ifeval": 2},
        "response breaks its instructions, of those drawn": 0,
        "occurs in validation, of those drawn": 0,
    }
    assert summary["overlap, most often with"] == {"ifeval/1001": 2}
    assert "key unknown: no:such: unknown instruction" in summary["first unusable"]["unknown verifier no:such"]


def test_no_training_prompt_occurs_in_validation(local, tmp_path):
    base = "Write two lines about the mill by the river in the valley of my aunt"
    texts = [f"{base}, with {end}" for end in ("no commas", "few words", "a title", "bullets")]
    training(local, [if_multi(f"k{i}", text, NO_COMMA, [None]) for i, text in enumerate(texts + subjects(3))])
    summary = prepare.prepare(tmp_path / "out", train=3, validation=1, seed=next(s for s in range(99) if drawn(s) < 4))
    (held_out,) = read_jsonl(tmp_path / "out/validation_prompts.jsonl")
    assert held_out["prompt"].startswith(base)
    assert not [row for row in read_jsonl(tmp_path / "out/train_prompts.jsonl") if row["prompt"].startswith(base)]
    assert summary["removed"]["occurs in validation, of those drawn"] >= 1
    with pytest.raises(UserError, match="^4 of 7 prompts are usable, and 4 for training and 1 for validation"):
        prepare.prepare(tmp_path / "more", train=4, validation=1, seed=summary["seed"])


def drawn(seed: int) -> int:
    """The first of seven rows that this seed draws."""
    import random

    return random.Random(f"{seed}/public").sample(range(7), 7)[0]


def test_multi_if_is_conversations_of_three_turns_and_no_row_of_the_test_prompts(local, tmp_path):
    summary = prepare.prepare(tmp_path / "out", train=5, validation=5, evaluations=["ifeval"])
    found = read_conversations(tmp_path / "out/multi_if.jsonl")
    assert [(one.key, len(one.turns)) for one in found] == [("multi_if/1001:1:en", 3), ("multi_if/1002:1:ru", 3)]
    assert [row["key"] for row in read_jsonl(tmp_path / "out/test.jsonl")] == ["ifeval/1000", "ifeval/1001"]
    assert summary["benchmarks"] == {"trained": 2} and summary["published"][MULTI_IF] == 2


def test_ready_made_demonstrations_are_kept_only_where_they_pass(local, tmp_path):
    prompts = subjects(30)
    rows = [
        ifeval_like(i, text, "One, two" if i % 3 == 0 else "One two", NO_COMMA, [{}]) for i, text in enumerate(prompts)
    ]
    parquet(local / READY, rows, IFEVAL_LIKE)
    summary = prepare.prepare(tmp_path / "out", train=16, validation=4, demonstrations="argilla")  # all that pass
    given = read_jsonl(tmp_path / "out/demonstrations.jsonl")
    assert len(given) == 20 and {row["response"] for row in given} == {"One two"}
    assert not [row for row in given if int(row["key"].split("/")[1]) % 3 == 0]
    asked = [row for name in ("train", "validation") for row in read_jsonl(tmp_path / f"out/{name}_prompts.jsonl")]
    assert [row["key"] for row in given] == [row["key"] for row in asked]
    assert all(row["passed"] is True for row in given) and not any("response" in row for row in asked)
    assert 0 < summary["removed"]["response breaks its instructions, of those drawn"] <= 10
    with pytest.raises(UserError, match="^20 of 30 prompts are usable"):
        prepare.prepare(tmp_path / "more", train=17, validation=4, demonstrations="argilla")


# what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda root: shutil.rmtree(root / "facebook"), "has no facebook/Multi-IF"),
        (lambda root: training(root, [if_multi("a", "b", ["no:such"], [None])]), "^0 of 0 prompts are usable"),
        (lambda root: parquet(root / MULTI, [{"key": "a"}]), "has no column messages"),
        (
            lambda root: shutil.copy(
                root / "allenai/IFBench_test/data/train-00000-of-00001.parquet",
                root / "allenai/IFBench_test/data/train-00001-of-00001.parquet",
            ),
            "^1 evaluation prompts share a key with another: ifbench/0",
        ),
    ],
)
def test_an_error_is_one_line_and_writes_nothing(local, tmp_path, break_it, message):
    prepare.prepare(tmp_path / "out", train=5, validation=5)
    before = contents(tmp_path / "out")
    break_it(local)
    with pytest.raises(UserError, match=message):
        prepare.prepare(tmp_path / "out", train=5, validation=5, seed=1)
    assert contents(tmp_path / "out") == before


def test_a_full_disk_overwrites_nothing(local, tmp_path, monkeypatch):
    prepare.prepare(tmp_path / "out", train=5, validation=5)
    before, written = contents(tmp_path / "out"), []

    def fill(path, rows):
        written.append(path)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_text("part")

    monkeypatch.setattr(prepare, "write_jsonl", fill)
    with pytest.raises(UserError, match="out: No space left on device; free space"):
        prepare.prepare(tmp_path / "out", train=5, validation=5, seed=1)
    assert contents(tmp_path / "out") == before


def test_the_headlines_benchmark_must_be_evaluated(local, tmp_path):
    with pytest.raises(UserError, match="^--eval must have ifeval"):
        prepare.prepare(tmp_path / "out", train=5, validation=5, evaluations=("ifbench",))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train", "0"], "error: --train 0: must be at least 1"),
        (["--eval", "ifeval,ifbank"], "error: unknown evaluation set 'ifbank': known are ifbench, ifeval"),
        (["--eval", "ifeval,multi_if"], "error: unknown evaluation set 'multi_if': known are ifbench, ifeval"),
        (["--train", "500"], "error: 60 of 60 prompts are usable, and 500 for training and 5 for validation"),
    ],
)
def test_the_command_line_refuses_in_one_line(local, tmp_path, arguments, message):
    done = run(local, tmp_path, *arguments)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith(message)
    assert not (tmp_path / "out").exists()


def test_the_command_line_prints_what_was_removed(local, tmp_path):
    done = run(local, tmp_path, "--eval", "ifeval")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {
        "train_prompts.jsonl": 10,
        "validation_prompts.jsonl": 5,
        "test.jsonl": 2,
        "multi_if.jsonl": 2,
    }
    assert "overlap with evaluation sets: 60 prompts" in done.stderr


def run(local: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "uniapl.data.public", "--out", str(tmp_path / "out"), "--train", "10"]
    environment = {"PATH": "", "PYTHONPATH": str(hub.ROOT), hub.VARIABLE: str(local), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [*command, "--validation", "5", *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path
    )


def test_prompts_that_the_student_cannot_read_are_left_out_by_its_own_tokens(local, policy, tmp_path):
    prepare.prepare(tmp_path / "all", train=20, validation=5)
    drawn = read_jsonl(tmp_path / "all/train_prompts.jsonl") + read_jsonl(tmp_path / "all/validation_prompts.jsonl")
    limit = sorted(prepare.lengths(drawn, policy))[len(drawn) // 2]
    summary = prepare.prepare(tmp_path / "some", train=5, validation=2, student=policy, tokens=limit)
    kept = read_jsonl(tmp_path / "some/train_prompts.jsonl") + read_jsonl(tmp_path / "some/validation_prompts.jsonl")
    assert max(prepare.lengths(kept, policy)) <= limit < max(prepare.lengths(drawn, policy))
    assert summary["removed"][f"more than {limit} of the student's tokens"] > 0
    with pytest.raises(UserError, match="--student and --tokens belong together"):
        prepare.prepare(tmp_path / "none", train=5, validation=2, tokens=limit)


def test_tokens_of_a_prompt_are_those_of_its_chat(policy):
    tokenizer = load_tokenizer(policy)
    (found,) = prepare.lengths([{"prompt": "the boat"}], policy)
    assert found == len(tokenizer.apply_chat_template(messages("the boat"), add_generation_prompt=True)["input_ids"])
    assert found > len(tokenizer("the boat")["input_ids"]) and prepare.lengths([], policy) == []
