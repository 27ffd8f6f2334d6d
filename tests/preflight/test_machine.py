"""Checks of the machine: each fails where its subject is missing, and passes against a stand-in."""

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.scales import PAPER, SMOKE
from uniapl.config.runs import Runs
from uniapl.costs.estimate import Estimate
from uniapl.costs.gpus import GPUS
from uniapl.dag import lease
from uniapl.errors import UserError
from uniapl.preflight import machine
from uniapl.preflight.finding import Finding, checked, show

LARGE, SMALL = Runs(PAPER), Runs(SMOKE)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder that is the whole PATH; returns how an executable is put there."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()

    def put(name: str, script: str) -> None:
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    return put


@pytest.mark.parametrize("count, passed", [(0, False), (7, False), (8, True)])
def test_as_many_gpus_as_the_largest_job_asks_for(monkeypatch, count, passed):
    monkeypatch.setattr(lease, "devices", lambda: [str(i) for i in range(count)])
    found = machine.gpus(LARGE)
    assert found.passed is passed and found.seen == f"{count} visible, 8 asked for" and bool(found.remedy) is not passed
    assert machine.gpus(SMALL).passed


DRIVERS = [("", False), ("echo 570.86.10", False), ("echo 580.65.06", True), ("exit 9", False)]


@pytest.mark.parametrize("said, passed", DRIVERS)
def test_a_driver_for_cuda_13(tools, said, passed):
    if said:
        tools("nvidia-smi", said)
    found = machine.driver(LARGE)
    assert found.passed is passed and (passed or "driver 580 or newer" in found.remedy)
    assert machine.driver(SMALL).passed


def test_versions_are_those_of_the_lock(monkeypatch):
    assert machine.environment(SMALL).passed
    monkeypatch.setattr(machine, "_version", lambda name: "0.1")
    found = machine.environment(SMALL)
    assert not found.passed and "torch 0.1, not 2.13.0" in found.seen and found.remedy == "make venv"
    assert machine.environment(LARGE).remedy == "make venv-vllm"


def test_a_sampler_that_is_compiled_needs_a_compiler(tools, monkeypatch):
    monkeypatch.delenv("VLLM_USE_FLASHINFER_SAMPLER", raising=False)
    assert machine.sampler(LARGE).passed  # PyTorch's, unless somebody asks for the other
    monkeypatch.setenv("VLLM_USE_FLASHINFER_SAMPLER", "1")
    found = machine.sampler(LARGE)
    assert not found.passed and "no nvcc" in found.seen and "unset VLLM_USE_FLASHINFER_SAMPLER" in found.remedy
    tools("nvcc", "exit 0")
    assert machine.sampler(LARGE).passed


ANSWERS = """
from types import SimpleNamespace
class SamplingParams:
    def __init__(self, **_): pass
class LLM:
    def __init__(self, model, **_):
        if model.endswith("broken"): raise RuntimeError("No available memory for the cache blocks")
    def generate(self, prompts, params, use_tqdm):
        return [SimpleNamespace(outputs=[SimpleNamespace(token_ids=[1, 2, 3, 4])])]
"""


def test_vllm_starts_and_answers_or_its_last_line_says_why_not(tmp_path, monkeypatch):
    assert machine.vllm(SMALL, None).seen == "not asked for"
    assert not machine.vllm(LARGE, None).passed
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    (tmp_path / "vllm.py").write_text(ANSWERS)
    assert machine.vllm(LARGE, tmp_path / "model") == Finding("vLLM", True, "answered with 4 tokens")
    broken = machine.vllm(LARGE, tmp_path / "broken")
    assert not broken.passed and broken.seen == "RuntimeError: No available memory for the cache blocks"
    (tmp_path / "vllm.py").write_text("raise ModuleNotFoundError(\"No module named 'vllm'\")")
    assert machine.vllm(LARGE, tmp_path / "model").remedy.startswith("make venv-vllm")


def test_room_for_results_and_downloads_also_where_one_disk_holds_both(tmp_path, monkeypatch):
    estimate = Estimate(LARGE, LARGE.default, GPUS["h100"], 8)
    own = estimate.disk["checkpoints"] + estimate.disk["unfinished trainings"]

    def free(size):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=size))
        return machine.disk(estimate, tmp_path / "results", tmp_path / "cache")

    assert not free(own - 1).passed and not free(own + 1).passed  # each fits, both do not
    assert free(own + estimate.disk["downloads"]).passed

    def cached(name):  # as large as all downloads together; a sparse file
        (tmp_path / "cache" / name).mkdir(parents=True)
        with open(tmp_path / "cache" / name / "weights", "wb") as file:
            file.truncate(int(estimate.disk["downloads"]))

    cached("models--somebody--else")
    assert not free(own + 1).passed
    for model in estimate.models:  # what is there needs no room
        cached(f"models--{model.replace('/', '--')}")
    assert free(own + 1).passed


def test_a_check_that_breaks_is_one_that_did_not_pass_and_the_others_still_run(capsys):
    def breaks():
        raise KeyError("a library's own")

    def refuses():
        raise UserError("no [such] file")

    found = [checked("a", breaks), checked("b", refuses), checked("c", lambda: Finding("c", True, "seen"))]
    assert [one.passed for one in found] == [False, False, True] and "KeyError" in found[0].seen
    assert show("title", found) is False and show("title", found[2:]) is True
    assert "no [such] file" in capsys.readouterr().out


def test_what_a_folder_holds_is_counted_once(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"four")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert machine._size(tmp_path) == 4
