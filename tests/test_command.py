"""The command `uniapl`: every stage by one word, fast to start, and one line for a word that it does not know."""

import argparse
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import nullcontext

import pytest
from support.places import ROOT

from uniapl.__main__ import EXIT_CODES, STAGES, main, usage


def test_every_command_is_a_module_with_a_main_and_has_a_line_in_the_help(capsys):
    main(["--help"])
    printed = capsys.readouterr().out
    assert printed.strip() == usage()
    for name, command in STAGES.items():
        assert f"  {name} ".ljust(12) + command.does in printed
        assert callable(importlib.import_module(command.module).main)


@pytest.mark.parametrize("word, line", [("trian", "did you mean 'train'?"), ("xyz", "`uniapl --help` lists all")])
def test_an_unknown_command_is_one_line(word, line, capsys):
    with pytest.raises(SystemExit) as ended:
        main([word])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: unknown command {word!r}: {line}\n"


def test_a_stage_gets_the_rest_of_the_line_and_its_own_name(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["uniapl"])
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--help"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("usage: uniapl verify ")


@pytest.mark.parametrize("name", STAGES)
def test_the_example_of_every_command_is_one_that_it_takes(name, capsys, monkeypatch):
    """Its own parser reads it; a file of the checkout that it names is there."""
    with pytest.raises(SystemExit) if name != "data" else nullcontext():
        main([name, "--help"])
    printed = capsys.readouterr().out
    line = re.search(r"^example:\n  (.*)\n\nexit codes:$", printed, re.MULTILINE)[1]
    program, command, *arguments = shlex.split(line)
    assert (program, command) == ("uniapl", name)
    parse, parsed = argparse.ArgumentParser.parse_args, []

    def parse_alone(parser, argv):
        parsed.append(parse(parser, argv))
        raise SystemExit(0)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_alone)
    with pytest.raises(SystemExit) as ended:
        main([name, *arguments])
    assert ended.value.code == 0 and len(parsed) == 1
    named = [word for word in arguments if word.startswith("results/published/tiny")]
    assert all((ROOT / word).exists() for word in named)


RUNS_ANYWHERE = ("score", "suite", "tables", "overview", "plan", "hub")  # in a fresh checkout, in a second


@pytest.mark.parametrize("name", RUNS_ANYWHERE)
def test_an_example_that_needs_no_run_runs_as_typed(name, tmp_path, monkeypatch, capsys):
    for folder in ("results", "experiments", "baselines", "hub.lock.json"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    main([name, *shlex.split(STAGES[name].example)])
    assert capsys.readouterr().out or set(tmp_path.iterdir()) > before


def test_exit_codes_are_in_the_help_and_the_documentation(capsys):
    main(["--help"])
    assert EXIT_CODES in capsys.readouterr().out
    documented = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "docs/reliability.md").read_text(), re.MULTILINE)
    assert documented == re.findall(r"^  (\d+) +(.*)$", EXIT_CODES, re.MULTILINE)


def test_the_command_itself_imports_nothing_of_the_rooms_and_python_m_is_the_same():
    program = "import sys, uniapl.__main__; print([m for m in sys.modules if m.startswith('uniapl.')])"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "['uniapl.__main__']"
    help_ = subprocess.run([sys.executable, "-m", "uniapl"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert help_.stdout.strip() == usage()


def test_the_public_names_are_listed_and_are_what_they_say():
    import uniapl

    assert set(uniapl.__all__) <= set(dir(uniapl))
    for name in ("check", "fraction", "reward", "score", "Discriminator"):
        assert callable(getattr(uniapl, name)) and getattr(uniapl, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'scor'"):
        _ = uniapl.scor


def test_files_are_utf_8_where_the_locale_is_not(tmp_path):
    prompt = {"key": 7, "prompt": "naïve …", "instruction_id_list": ["keywords:existence"]}
    rows = {"p": prompt | {"kwargs": [{"keywords": ["Öl"]}]}, "r": {"key": 7, "response": "Öl ☀️"}}
    for name, row in rows.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "uniapl", "score", "--prompts", "p.jsonl", "--responses", "r.jsonl"]
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=ascii_alone, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["prompt_strict"]["passed"] == 1


def test_a_stage_says_at_its_end_what_it_and_its_children_used_where_it_is_asked_to(tmp_path):
    """A child that holds 300 MB for an instant, and a second of CPU in all: a sampler would miss one of them."""
    stage = tmp_path / "stage.py"
    stage.write_text(
        "import subprocess, sys, time\n"
        "def main(argv):\n"
        "    subprocess.run([sys.executable, '-c', 'x = bytearray(300_000_000)'])\n"
        "    while time.process_time() < 1: pass\n"
    )
    program = "import uniapl.__main__ as m; m.STAGES = {'one': m.Command('stage', '', '')}; m.main(['one'])"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    for asked in ({}, {"UNIAPL_MEASURE": "1"}):
        ended = subprocess.run([sys.executable, "-c", program], env=environment | asked, capture_output=True, text=True)
        assert ended.returncode == 0
        if not asked:
            assert ended.stderr == ""
    seconds, cpu, peak = map(float, re.findall(r"[\d.]+", ended.stderr))
    assert ended.stderr.startswith("used: ") and ended.stderr.count("\n") == 1
    assert cpu >= 1 and seconds >= 1 and 300 < peak < 500
