"""Stage teach as a command: killed, started twice, on a full disk."""

import errno
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.openai_server import Server, completion, prompts, slow

from uniapl.data.teach import __main__ as command
from uniapl.data.teach.endpoint import KEY
from uniapl.jsonl import write_jsonl

FINE = completion("fine text")


@pytest.fixture
def server():
    server = Server(lambda body, n: FINE)
    yield server
    server.close()


@pytest.fixture
def asked(tmp_path):
    write_jsonl(tmp_path / "prompts.jsonl", prompts(60))
    return tmp_path / "prompts.jsonl"


def arguments(server: Server, asked: Path, *more: str) -> list[str]:
    out = asked.parent / "out" / "demonstrations.jsonl"
    given = ["--prompts", asked, "--scale", "paper", "--out", out, "--endpoint", server.url, *more]
    return [str(argument) for argument in given]


def start(arguments: list[str], **env: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "uniapl.data.teach", *arguments],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def refused(arguments: list[str], capsys) -> str:
    """The one line that the command ends with; nothing but the progress stands before it."""
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    lines = re.split(r"[\r\n]", capsys.readouterr().err.strip())
    assert all(line.startswith("round ") or not line for line in lines[:-1]), lines
    assert lines[-1].startswith("error: ")
    return lines[-1]


def test_a_killed_run_asks_again_only_what_was_under_way_and_counts_that_as_spent(server, asked):
    server.answer = slow(0.1, lambda body, n: FINE)
    out = asked.parent / "out" / "demonstrations.jsonl"
    first = start(arguments(server, asked, "--concurrency", "4"))
    until(lambda: out.exists() and len(out.read_text().splitlines()) >= 8)
    first.kill()  # SIGKILL
    first.wait()
    answered = {row["key"] for row in rows(out)}
    under_way = [r for r in rows(out.with_suffix(".spent.jsonl")) if "reserved" in r]
    under_way = len(under_way) - sum("charged" in r for r in rows(out.with_suffix(".spent.jsonl")))
    assert 8 <= len(answered) < 60 and 1 <= under_way <= 4 + 1

    server.answer, before = lambda body, n: FINE, len(server.asked)
    second = start(arguments(server, asked, "--concurrency", "4"))
    printed, _ = second.communicate(timeout=60)
    assert second.returncode == 0 and printed.startswith("60 of 60 prompts have a demonstration: 60 answers, ")
    again = [int(body["messages"][0]["content"][1:]) for body in server.asked[before:]]
    assert not answered & set(again) and len(again) == len(set(again)) == 60 - len(answered)
    assert sorted(row["key"] for row in rows(out)) == list(range(60))
    summary = json.loads(out.with_suffix(".summary.json").read_text())
    lost = sum(2306 + (key > 9) for key in range(60)) // 60  # 2 or 3 bytes of prompt + 256 + 2048
    assert abs(summary["tokens_charged"] - (60 * 15 + under_way * lost)) <= under_way * 16


def test_the_command_writes_every_file_and_says_what_it_earned(server, asked, capsys, monkeypatch):
    monkeypatch.setenv(KEY, "sk-secret-2")
    command.main(arguments(server, asked, "--model", "Qwen/other", "--temperature", "0.5"))
    printed = capsys.readouterr()
    assert printed.out == "60 of 60 prompts have a demonstration: 60 answers, 900 tokens\n"
    assert "60/60" in printed.err and "prompts/s" in printed.err and "60 accepted, 900 tokens" in printed.err
    folder = asked.parent / "out"
    names = ("jsonl", "config.json", "spent.jsonl", "summary.json")
    assert {path.name for path in folder.glob("[!.]*")} == {f"demonstrations.{name}" for name in names}
    summary = json.loads((folder / "demonstrations.summary.json").read_text())
    assert summary["record"] == {"model": "Qwen/other", "endpoint": server.url}
    assert summary["teacher"]["temperature"] == 0.5 and server.asked[0]["model"] == "Qwen/other"
    assert server.headers["Authorization"] == "Bearer sk-secret-2"
    assert not any(b"sk-secret-2" in path.read_bytes() for path in folder.iterdir())
    assert "sk-secret-2" not in printed.out + printed.err


def test_other_settings_and_a_budget_that_is_spent_are_one_line(server, asked, capsys):
    line = refused(arguments(server, asked, "--token-budget", "3000"), capsys)
    assert "the token budget of 3,000 is used up" in line and "--token-budget" in line
    line = refused(arguments(server, asked, "--temperature", "0.9"), capsys)
    assert "begun with temperature = 0.7, not 0.9" in line
    command.main(arguments(server, asked))
    assert len(server.asked) == 60


def test_prompts_of_several_files_are_one_list_and_a_key_twice_is_refused(server, asked, capsys):
    more = asked.parent / "more.jsonl"
    write_jsonl(more, [{**row, "key": row["key"] + 100} for row in prompts(3)])
    both = arguments(server, asked)
    both[1:2] = [str(asked), str(more)]
    command.main(both)
    assert capsys.readouterr().out.startswith("63 of 63")
    both[2] = str(asked)
    assert "share a key" in refused(both, capsys)


@pytest.mark.parametrize("which", ["demonstrations.jsonl", "demonstrations.spent.jsonl"])
def test_a_full_disk_is_one_line_and_a_rerun_continues(which, server, asked, capsys, monkeypatch):
    """The disk is full after the 20th row: half of the next one is written, then nothing, as write(2) does it."""
    write, written = os.write, []

    def full(file: int, data: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{file}").endswith(f"/{which}"):
            written.append(data)
            if len(written) == 21:
                return write(file, data[: len(data) // 2])
            if len(written) > 21:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    line = refused(arguments(server, asked), capsys)
    assert f"{which}: no space left for the whole row: make room and run again, it continues" in line
    out = asked.parent / "out" / "demonstrations.jsonl"
    assert len(rows(out.with_name(which))) == 20  # whole rows only
    line = refused(arguments(server, asked), capsys)
    assert f"{which}: No space left on device: make room" in line and len(rows(out.with_name(which))) == 20
    monkeypatch.setattr(os, "write", write)
    kept = out.read_bytes()
    command.main(arguments(server, asked))
    assert out.read_bytes().startswith(kept) and sorted(row["key"] for row in rows(out)) == list(range(60))


def test_a_summary_that_does_not_fit_is_one_line_and_a_rerun_asks_nothing(server, asked, capsys, monkeypatch):
    text = Path.write_text

    def full(path: Path, data: str) -> int:
        if "summary" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return text(path, data)

    monkeypatch.setattr(Path, "write_text", full)
    assert "demonstrations.summary.json: No space left on device" in refused(arguments(server, asked), capsys)
    monkeypatch.setattr(Path, "write_text", text)
    command.main(arguments(server, asked))
    assert len(server.asked) == 60


def test_a_folder_that_cannot_be_written_is_one_line_before_anything_is_paid(server, asked, capsys):
    (asked.parent / "out").write_text("a file where the folder should be")
    assert "demonstrations.jsonl: cannot be written: " in refused(arguments(server, asked), capsys)
    assert not server.asked


def test_a_prompt_whose_answer_never_comes_is_named_in_the_end_and_asked_again(server, asked, capsys):
    server.answer = lambda body, n: (403, b"no") if body["messages"][0]["content"] == "p7" else FINE
    command.main(arguments(server, asked))
    assert "1 prompts have no answer: run again" in capsys.readouterr().err
    server.answer = lambda body, n: FINE
    command.main(arguments(server, asked))
    printed = capsys.readouterr()
    assert printed.out.startswith("60 of 60") and "no answer" not in printed.err


def test_settings_that_were_lost_are_refused_before_anything_is_paid(server, asked, capsys):
    command.main(arguments(server, asked))
    config = asked.parent / "out" / "demonstrations.config.json"
    for broken in ("", "[1]", None):
        config.unlink() if broken is None else config.write_text(broken)
        assert "demonstrations.config.json:" in refused(arguments(server, asked), capsys)
    assert len(server.asked) == 60


@pytest.mark.parametrize(
    "row, message",
    [
        ({"instruction_id_list": ["no:such"]}, "no:such: unknown instruction"),
        ({"kwargs": [{"n": 1}]}, "unexpected argument n"),
        ({"prompt": None}, "prompt is missing or of a wrong type"),
    ],
)
def test_a_prompt_without_a_checker_is_refused_before_anything_is_paid(row, message, server, asked, capsys):
    write_jsonl(asked, [*prompts(2), {**prompts(3)[2], **row}])
    assert message in refused(arguments(server, asked), capsys)
    assert not server.asked


def test_without_vllm_the_command_names_the_way_to_it(asked, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)  # what an import of it does where it is not installed
    given = ["--prompts", str(asked), "--scale", "paper", "--out", str(tmp_path / "d.jsonl")]
    line = refused(given, capsys)
    assert "vLLM cannot be imported" in line and "make venv-vllm" in line and "--endpoint" in line
    assert "holds no model" in refused([*given, "--model", str(tmp_path)], capsys)
