"""Checks of the machine: GPUs and their driver, the environment's versions, vLLM, the disk."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from uniapl.config.runs import Runs
from uniapl.costs import work
from uniapl.costs.estimate import Estimate
from uniapl.costs.shapes import shape_of
from uniapl.dag import lease
from uniapl.dag.environment import WITH_VLLM, needs_vllm
from uniapl.models.startup import VLLM
from uniapl.preflight.finding import Finding
from uniapl.provenance import PACKAGES, ROOT

DRIVER = 580  # of CUDA 13, for which the wheels of torch and vLLM are built
PATIENCE = 900  # seconds for vLLM's first start, which compiles
ENGINE = """
import sys
from uniapl.models.startup import set_vllm
set_vllm()
from vllm import LLM, SamplingParams
llm = LLM(model=sys.argv[1], max_model_len=256, gpu_memory_utilization=0.5, enforce_eager=True)
(answer,) = llm.generate(["Hello"], SamplingParams(max_tokens=4), use_tqdm=False)
print("answered with", len(answer.outputs[0].token_ids), "tokens")
"""


def gpus_needed(runs: Runs) -> int:
    """The most GPUs that a job of the scale asks for."""
    return max((needs.gpus for needs in runs.scale.resources.values()), default=0)


def gpus(runs: Runs) -> Finding:
    """As many GPUs as the largest job asks for."""
    needed, found = gpus_needed(runs), len(lease.devices())
    remedy = f"run on a machine with {needed}; `nvidia-smi -L` lists them, CUDA_VISIBLE_DEVICES may hide some"
    return Finding("GPUs", found >= needed, f"{found} visible, {needed} asked for", "" if found >= needed else remedy)


def driver(runs: Runs) -> Finding:
    """A driver that the wheels run on."""
    if not gpus_needed(runs):
        return Finding("driver", True, "no GPU is asked for")
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        printed = ""
    major = re.match(r"(\d+)\.", printed)
    passed = bool(major) and int(major[1]) >= DRIVER
    remedy = f"install NVIDIA driver {DRIVER} or newer: torch and vLLM are built for CUDA 13"
    return Finding("driver", passed, printed.split("\n")[0] or "no nvidia-smi", "" if passed else remedy)


def environment(runs: Runs) -> Finding:
    """The versions of the lock, in every package that can change a number."""
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    build = "gpu" if gpus_needed(runs) else "cpu"
    extra = (ROOT / f"envs/vllm-{build}.txt").read_text() if needs_vllm(runs.scale) else ""
    locked |= dict(re.findall(r"^([\w.-]+)==([\w.]+)", extra, re.MULTILINE))  # what vLLM replaces
    other = []
    for name in (package.replace("_", "-") for package in PACKAGES):
        if name in locked and (found := _version(name)).split("+")[0] != locked[name]:
            other.append(f"{name} {found}, not {locked[name]}")
    remedy = f"make {'venv-vllm' if needs_vllm(runs.scale) else 'venv'}"
    return Finding("environment", not other, "; ".join(other) or "as locked", remedy if other else "")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def sampler(runs: Runs) -> Finding:
    """No code that is compiled at vLLM's start, where there is no compiler."""
    asked = os.environ.get("VLLM_USE_FLASHINFER_SAMPLER", VLLM["VLLM_USE_FLASHINFER_SAMPLER"])
    compiler = shutil.which("nvcc")
    passed = not needs_vllm(runs.scale) or asked == "0" or compiler is not None
    seen = f"VLLM_USE_FLASHINFER_SAMPLER={asked}, {compiler or 'no nvcc'}"
    return Finding("sampler", passed, seen, "" if passed else "unset VLLM_USE_FLASHINFER_SAMPLER, or install CUDA 13")


def vllm(runs: Runs, model: Path | None) -> Finding:
    """vLLM starts with the base's weights, and answers."""
    if not needs_vllm(runs.scale):
        return Finding("vLLM", True, "not asked for")
    if model is None:
        return Finding("vLLM", False, "the base's weights are not here", "as the check `fetched` says")
    command = [sys.executable, "-c", ENGINE, str(model)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or ["no output"]
        seen, passed = lines[-1], done.returncode == 0
    except subprocess.TimeoutExpired:
        seen, passed = f"no answer in {PATIENCE} s", False
    lacks = "No module named 'vllm'" in seen
    remedy = f"make venv-vllm, and run in {WITH_VLLM}" if lacks else f"vllm serve {model} says more"
    return Finding("vLLM", passed, seen, "" if passed else remedy)


def disk(estimate: Estimate, results: Path, cache: Path) -> Finding:
    """Room for checkpoints and unfinished trainings beside the results, and for downloads in the hub's cache."""
    wanted = {
        results: estimate.disk["checkpoints"] + estimate.disk["unfinished trainings"],
        cache: sum(max(0.0, work.download(shape_of(model)) - _size(_of(model, cache))) for model in estimate.models),
    }
    short, seen = [], []
    for place, size in wanted.items():
        free = shutil.disk_usage(_existing(place)).free
        seen.append(f"{place}: {size / 1e9:,.0f} GB needed, {free / 1e9:,.0f} free")
        short += [place] if size > free else []
    if _existing(results).stat().st_dev == _existing(cache).stat().st_dev:  # one disk holds both
        short += [results] if sum(wanted.values()) > shutil.disk_usage(_existing(results)).free else []
    remedy = f"free space in {short[0]}, or move it: HF_HOME is the cache's" if short else ""
    return Finding("disk", not short, "; ".join(seen), remedy)


def _of(model: str, cache: Path) -> Path:
    """The folder of a model in the hub's cache."""
    from huggingface_hub.file_download import repo_folder_name

    return cache / repo_folder_name(repo_id=model, repo_type="model")


def _existing(place: Path) -> Path:
    return next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())


def _size(folder: Path) -> int:
    """Bytes of the files under a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
