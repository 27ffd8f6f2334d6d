"""The GPU benchmark: its arithmetic by hand, its refusal, and the command on a CPU at the miniature's size."""

import json
import os
import subprocess
import sys

import pytest
import torch
from support.places import ROOT

from benchmarks import gpu, robustness
from benchmarks.step import Shape, checksum_of
from uniapl.dag.snakemake import MALLOC

MEASURED = """
import json, os, sys
from benchmarks.step import as_in_the_dag
as_in_the_dag("measured")
print(json.dumps([sys.argv[1:], dict(os.environ)]))
"""


def test_rates_are_tokens_over_seconds_and_a_share_of_the_gpu():
    # 2 prompts x 8: 16 rows of 10 + 30 tokens; UniAPL's step learns 16 of 10 + 20 besides
    shape = Shape(8, 1, 16, 2, 100, prompt=10, reference=20, response=30, prompts=2)
    medians = {"grpo (s)": 2.0, "uniapl (s)": 4.0, "score (s)": 0.5}
    found = gpu.rates(shape, medians, peak=None)
    assert found["grpo (tokens/s)"] == 16 * 40 / 2 == 320
    assert found["uniapl (tokens/s)"] == 16 * (40 + 30) / 4 == 280
    assert (found["throughput"], found["discriminator"]) == (280 / 320, 0.125)
    assert not any("MFU" in name for name in found)
    with_peak = gpu.rates(shape, medians, peak=1e9)
    assert gpu.rates(shape, medians, peak=2e9)["grpo (MFU)"] == with_peak["grpo (MFU)"] / 2 > 0


def test_the_reward_of_a_text_is_the_same_in_every_process():
    # CRC-32's published check value, of 123456789, is 0xCBF43926 = 3,421,780,262 = 97 * 35,276,085 + 17
    assert checksum_of([[{"role": "assistant", "content": "123456789"}]]) == [17.0]


def test_a_gpu_is_known_by_its_name():
    assert gpu.rate_of("NVIDIA H100 80GB HBM3") == 989.4e12 and gpu.rate_of("NVIDIA GeForce RTX 4090") == 165.2e12
    assert gpu.rate_of("cpu, x86_64") is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_the_large_model_is_refused_in_one_line(capsys):
    with pytest.raises(SystemExit):
        gpu.main([])
    assert capsys.readouterr().err.startswith("error: no NVIDIA GPU is visible")


def test_the_command_runs_at_the_miniatures_size(tmp_path, capsys):
    gpu.main(["--size", "tiny", "--rounds", "1", "--out", str(tmp_path / "gpu/step.json")])
    card = json.loads((tmp_path / "gpu/step.json").read_text())
    assert card["uniapl (tokens/s)"] > 0 and card["versions"]["torch"] and card["peak memory (MiB)"] > 0


@pytest.mark.parametrize("own", [0, 1, len(MALLOC)])
def test_a_benchmark_restarts_with_the_memory_settings_of_the_dag_unless_all_are_set(own, tmp_path):
    (tmp_path / "measured.py").write_text(MEASURED)
    environment = {name: value for name, value in os.environ.items() if name not in MALLOC}
    environment |= {"PYTHONPATH": f"{tmp_path}:{ROOT}", **dict.fromkeys(list(MALLOC)[:own], "131072")}
    line = [sys.executable, "-m", "measured", "--rounds", "3"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True, timeout=60)
    arguments, found = json.loads(done.stdout)
    assert arguments == ["--rounds", "3"]
    expected = dict.fromkeys(MALLOC, "131072") if own == len(MALLOC) else MALLOC
    assert {name: found[name] for name in MALLOC} == expected


def test_a_checker_above_the_limit_is_timed_again_at_the_end(monkeypatch):
    seconds = iter((0.09, 0.01, 0.07))
    monkeypatch.setattr(robustness, "adversarial", lambda: [("dots", "..."), ("words", "a b")])
    monkeypatch.setattr(robustness, "checkers", lambda: [("family", "type", lambda text: True)])
    monkeypatch.setattr(robustness, "seconds_of", lambda follows, text: next(seconds))
    assert robustness.slowest() == {("family", "type"): (0.07, "dots")}
