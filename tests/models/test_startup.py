"""What a process hides from transformers and TRL before it imports them, and what TRL's head leaves out."""

import os
import subprocess
import sys

import pytest
import torch
from support import miniature
from support.settings import EVALUATION
from support.settings import settings as method_settings
from trl.trainer import utils

from baselines import sft
from uniapl.config import Run
from uniapl.config.job import Job
from uniapl.data.miniature.world import World
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl
from uniapl.models import startup
from uniapl.models.startup import project_labels_alone
from uniapl.train.training import train

HIDDEN = """
from uniapl.models.startup import without
without("scipy", "sklearn", "peft")
import sys
from transformers.utils import is_peft_available, is_scipy_available, is_sklearn_available
from trl import GRPOTrainer
print(is_peft_available(), is_scipy_available(), is_sklearn_available())
print(*(name for name in ("peft", "scipy", "sklearn") if sys.modules.get(name)))
"""


def printed(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.split("\n")


def test_vllm_starts_without_a_compiler_unless_the_environment_says_otherwise(monkeypatch):
    for name in startup.VLLM:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "1")
    startup.set_vllm()
    assert os.environ["VLLM_USE_FLASHINFER_SAMPLER"] == "0" and os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "1"


def test_a_trainer_imports_without_what_it_does_not_use():
    assert printed(HIDDEN)[:2] == ["False False False", ""]


def test_packages_stay_visible_where_vllm_is_installed(tmp_path):
    (tmp_path / "vllm").mkdir()
    program = f"""
import sys

sys.path.append({str(tmp_path)!r})
from uniapl.models.startup import without
without("scipy")
import scipy.stats
print("here")
"""
    assert printed(program)[0] == "here"


def test_a_package_that_is_in_use_stays():
    program = (
        "import scipy; from uniapl.models.startup import without; without('scipy'); import scipy; print(scipy.__name__)"
    )
    assert printed(program)[0] == "scipy"


def loss_and_gradient():
    """Of labels on 5 of 21 positions, by TRL's head."""
    model = miniature.policy()
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    ids = torch.arange(8, 29).reshape(3, 7)
    labels = torch.full_like(ids, -100)
    labels[0, 4:], labels[1, 5:] = ids[0, 4:], ids[1, 5:]
    found = model(input_ids=ids, labels=labels, fused_lm_head=True)
    found.loss.backward()
    return found.loss, found.log_probs, found.entropy, {name: p.grad for name, p in model.named_parameters()}


@pytest.fixture
def projected(monkeypatch):
    """How many positions each call of TRL's head projects; the head is a CPU's stock one, whatever ran before."""
    rows, kernel = [], utils._ChunkedLogProbFunction.apply

    def counted(hidden, *rest):
        rows.append(len(hidden))
        return kernel(hidden, *rest)

    monkeypatch.setattr(utils._ChunkedLogProbFunction, "apply", counted)
    monkeypatch.setattr(utils, "_use_triton", lambda device: False)
    return rows


def test_the_head_projects_labels_alone_and_nothing_else_changes(projected):
    stock = loss_and_gradient()
    project_labels_alone()
    torch.testing.assert_close(loss_and_gradient(), stock, rtol=1e-5, atol=1e-6)
    assert projected == [18, 5]  # 3 rows of 7 ids have 6 labels each; 3 and 2 of them count


def test_a_training_projects_the_tokens_of_responses_alone(policy, projected, tmp_path):
    rows = [{"key": row["key"], "prompt": row["prompt"], "demonstration": row["response"]} for row in miniature.rows(6)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    (tmp_path / "summary.json").write_text("{}")
    settings = method_settings(sft, steps=2, rows_per_step=3)  # an epoch
    run = Run(scale="", arm="sft", seed=0, method=sft, settings=settings, world=World(), start=None)
    out = tmp_path / "out"
    train(Job(run=run, data=tmp_path, start=policy, state=out / "state"), EVALUATION, out)
    responses = miniature.tokenizer()([row["demonstration"] for row in rows], add_special_tokens=False)["input_ids"]
    assert sum(projected) == sum(len(ids) + 1 for ids in responses)  # and the token that ends each


def test_another_trl_is_named(monkeypatch):
    monkeypatch.delattr(utils, "_use_triton")
    with pytest.raises(UserError, match="install the version of pyproject.toml"):
        project_labels_alone()
