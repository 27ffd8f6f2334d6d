"""--report-to: transformers' integrations hear of a training; one that is not there is one line at once."""

import json
import os
import subprocess

import pytest
from support.places import ROOT
from support.train_command import ENVIRONMENT, arguments, command

from uniapl.errors import UserError
from uniapl.train.training import integrations, main

FAKE = """import contextvars, json, os
class context_vars:
    current_space_id, current_run = (contextvars.ContextVar(name, default=None) for name in ("space", "run"))
config = {}
config = type("Config", (dict,), {"update": lambda self, values, **_: dict.update(self, values)})()
def say(*what): open(os.environ["HEARD"], "a").write(json.dumps(what, default=str) + "\\n")
def init(**options): say("init", options)
def log(values, **_): say("log", values)
def finish(): say("finish")
__version__ = "0.43.0"
"""


def test_an_integration_that_is_not_installed_or_not_known_is_one_line():
    with pytest.raises(UserError, match="--report-to trackio: .* requires trackio to be installed"):
        integrations(["trackio"])
    with pytest.raises(UserError, match="unknown --report-to 'trackoi': known are .* did you mean 'trackio'"):
        integrations(["trackoi"])
    assert integrations([]) == []


def test_the_integration_hears_every_step_and_the_weights_are_those_of_a_training_without(world, tmp_path):
    package = tmp_path / "packages/trackio"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(FAKE)
    info = tmp_path / "packages/trackio-0.43.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trackio\nVersion: 0.43.0\n")
    heard = tmp_path / "heard"
    env = ENVIRONMENT | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'packages'}", "HEARD": str(heard)}
    line = [*command(world, "sft", tmp_path / "with"), "--report-to", "trackio"]
    done = subprocess.run(line, env=env, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    main(arguments(world, "sft", tmp_path / "without"))
    said = [json.loads(text) for text in heard.read_text().splitlines()]
    assert said[0][0] == "init" and said[0][1]["project"] == "uniapl-smoke" and said[0][1]["name"] == "sft seed 0"
    cards = [json.loads((tmp_path / name / "run.json").read_text()) for name in ("with", "without")]
    assert cards[0]["weights_sha256"] == cards[1]["weights_sha256"]
    losses = [what[1] for what in said if what[0] == "log" and "train/loss" in what[1]]
    assert len(losses) == cards[0]["cost"]["optimizer_steps"]
