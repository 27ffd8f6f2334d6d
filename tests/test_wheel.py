"""A wheel of this tree, installed where no checkout is: what it gives, and what it leaves alone."""

import json
import os
import subprocess
import sys

from support.clones import Clone

USES = """
from uniapl import UniAPLConfig, UniAPLTrainer, fraction, reward, score
from uniapl.report import page
import uniapl
assert uniapl.__file__.startswith({site!r}), uniapl.__file__
assert UniAPLTrainer.__name__ == "UniAPLTrainer" and UniAPLConfig.__name__ == "UniAPLConfig"
rows = dict(instruction_id_list=[["punctuation:no_comma"]], kwargs=[[{{}}]])
print(reward(["a, b"], **rows), fraction(["a b"], **rows), list(score("p.jsonl", "r.jsonl").strict))
"""


def test_a_wheel_gives_the_public_names_and_the_command_and_only_its_own_package(tmp_path):
    def run(*command: object, **options) -> str:
        done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    clone, site, elsewhere = Clone(tmp_path / "clone", tmp_path / "bin"), tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, clone.folder)
    (wheel,) = tmp_path.glob("*.whl")
    run(*pip, "install", "--no-deps", "--target", site, wheel)
    packages = {path.name for path in site.iterdir()} - {"bin"}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"uniapl"}
    tracked = [path for path in (clone.folder / "uniapl").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    lacking = [p for p in (path.relative_to(clone.folder) for path in tracked) if not (site / p).is_file()]
    assert lacking == []  # yaml, jinja, css, js and py.typed too

    prompt = {"key": 1, "prompt": "Say a.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    (elsewhere / "p.jsonl").write_text(json.dumps(prompt))
    (elsewhere / "r.jsonl").write_text(json.dumps({"key": 1, "response": "a, b"}))
    env["PYTHONPATH"] = str(site)
    assert run(sys.executable, "-c", USES.format(site=str(site)), cwd=elsewhere) == "[0.0] [1.0] [0]\n"
    figures = run(site / "bin/uniapl", "score", "--prompts", "p.jsonl", "--responses", "r.jsonl", cwd=elsewhere)
    assert json.loads(figures)["prompt_strict"]["accuracy"] == 0.0
    assert "usage: uniapl COMMAND" in run(site / "bin/uniapl", "--help", cwd=elsewhere)
