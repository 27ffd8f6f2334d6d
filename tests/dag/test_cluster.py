"""Slurm and Kubernetes: their plugins build the requests of our jobs, and stand-ins for the clusters run these.

No cluster is here: sbatch, srun, sacct and the API server of Kubernetes are stand-ins; the plugins are the real ones.
"""

import json
import re
import shutil
import subprocess
import sys
import time

import pytest
from support.gpu_machines import TRAININGS, with_resources, with_stages
from support.places import ROOT

pytest.importorskip("snakemake_executor_plugin_slurm", reason="not installed: `make cluster` installs the plugins")
pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="not installed: `make cluster` installs the plugins")

SBATCH = """
import json, os, re, subprocess, sys
options = {a.split("=")[0]: a.split("=", 1)[-1] for a in sys.argv[1:]}
gpus = int(options.get("--gpus", 0))
job = str(os.getpid())
shown = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(gpus))), "SLURM_JOB_ID": job}
with open(os.environ["SLURM_LOG"], "a") as log:
    print(json.dumps(sys.argv[1:]), file=log)
done = subprocess.run(["sh", "-c", options["--wrap"]], env=os.environ | shown, capture_output=True, text=True)
with open(sys.argv[sys.argv.index("--output") + 1].replace("%j", job), "w") as log:
    log.write(done.stdout + done.stderr)
with open(os.path.join(os.environ["SLURM_STATES"], job), "w") as state:
    state.write("FAILED" if done.returncode else "COMPLETED")
print(job)
"""


@pytest.fixture
def slurm(clone, tmp_path):
    """A clone on the login node of a cluster whose jobs run when they are submitted."""
    states, log = tmp_path / "states", tmp_path / "sbatch.log"
    states.mkdir()
    (tmp_path / "sbatch.py").write_text(SBATCH)
    env = f"SLURM_STATES={states} SLURM_LOG={log}"
    clone.tool("sbatch", f'{env} exec {sys.executable} {tmp_path}/sbatch.py "$@"')
    clone.tool("srun", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')
    clone.tool("sacct", f'shopt -s nullglob; for s in {states}/*; do echo "${{s##*/}}|$(<$s)"; done')
    clone.tool("sacctmgr", "echo physics")
    clone.tool("sinfo", "echo 'cpu* gpu'")
    clone.submitted = log
    return clone


def submitted(slurm) -> list[str]:
    """The sbatch lines so far, without the command that each wraps."""
    lines = [json.loads(line) for line in slurm.submitted.read_text().splitlines()]
    return [" ".join(a for a in line if not a.startswith("--wrap=")) for line in lines]


def snakemake(clone, *arguments: str, **variables: str) -> tuple[int, str]:
    """`snakemake ARGUMENTS` at the smallest scale, from a shell where these variables are set."""
    given = [f"{name}={value}" for name, value in variables.items()]
    command = (sys.executable, "-m", "snakemake", *arguments, "--config", "scale=smoke")
    return clone.run(shutil.which("env"), *given, *command)


TRAIN = "{'train': Resources(gpus=2, memory_gb=64, minutes=90, cores=8)}"


def test_slurm_gets_one_request_per_job_and_the_job_runs_on_the_gpus_it_was_given(slurm):
    with_resources(slurm, TRAIN)
    seen = with_stages(slurm)
    quick = ("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1")
    profile = ("--workflow-profile", "profiles/slurm")
    code, printed = snakemake(slurm, TRAININGS[0], *profile, *quick, UNIAPL_SLURM_ACCOUNT="physics")
    assert code == 0, printed
    data, train = (re.sub(r".*--comment ", "", line) for line in submitted(slurm))
    common = f"--nodes=1 --requeue {{}} -D {slurm.folder}"
    assert data == "rule_data_wildcards_smoke_ -A physics -p cpu -t 60 --mem 4000 " + common.format(
        "--ntasks=1 --cpus-per-task=1"
    )
    assert (
        train
        == "rule_train_wildcards_smoke_base_0 -A physics -p gpu -t 90 --mem 64000 "
        + common.format(
            "--cpus-per-task=8"  # no --ntasks-per-gpu, which would run the training once per GPU
        )
        + " --gpus=2"
    )
    assert seen.read_text() == "[0,1] 2 of 2\n"  # those of the allocation
    assert "this run has at most 100 job(s) at a time" in printed


@pytest.fixture
def kubernetes(clone, tmp_path):
    """A clone on the volume that a cluster's pods share."""
    folder = tmp_path / "kubernetes"
    folder.mkdir()
    path = {"PATH": str(clone.bin), "PYTHONPATH": str(clone.folder)}
    server = subprocess.Popen([sys.executable, ROOT / "tests/support/kubernetes_server.py", folder], env=path)
    while not (folder / "kubeconfig").exists():
        assert server.poll() is None
        time.sleep(0.05)
    clone.cluster = folder
    yield clone
    server.kill()
    server.wait()


def test_kubernetes_gets_one_pod_per_job_with_its_gpus_as_a_limit_and_the_shared_volume(kubernetes):
    with_resources(kubernetes, TRAIN)
    see_token = 'case "$*" in *"uniapl train "*) echo "token $HF_TOKEN" >> {log} ;; esac'
    seen = with_stages(kubernetes, fails=see_token.format(log=kubernetes.bin.parent / "seen"))
    shell = {"UNIAPL_VOLUME": f"project:{kubernetes.folder}", "UNIAPL_IMAGE": "some/image", "HF_TOKEN": "hf_secret"}
    shell["KUBECONFIG"] = str(kubernetes.cluster / "kubeconfig")
    profile = ("--workflow-profile", "profiles/kubernetes", "--seconds-between-status-checks", "1")
    code, printed = snakemake(kubernetes, TRAININGS[0], *profile, **shell)
    assert code == 0, printed
    assert seen.read_text() == "[0,1] 2 of 2\ntoken hf_secret\n"
    jobs = (kubernetes.cluster / "jobs.jsonl").read_text()
    assert "hf_secret" not in jobs + printed
    data, train = (json.loads(line)["spec"]["template"]["spec"] for line in jobs.splitlines())
    (container,) = train["containers"]
    assert container["image"] == "some/image"
    assert container["resources"] == {
        "requests": {"cpu": "7600m", "memory": "64000M", "ephemeral-storage": "50000M", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "8000m", "memory": "64000M", "ephemeral-storage": "50000M", "nvidia.com/gpu": "2"},
    }
    assert data["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "0"
    assert {"name": "project", "persistentVolumeClaim": {"claimName": "project"}} in train["volumes"]
    assert {"name": "project", "mountPath": str(kubernetes.folder)} in container["volumeMounts"]
    assert container["args"][1].startswith(f"cd '{kubernetes.folder}' && ")
