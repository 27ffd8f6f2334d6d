"""The whole paper scale without a GPU: a local hub of miniatures, vLLM's CPU build, POLAR's architecture.

Real: every rule of scale paper, vLLM for the teacher and the evaluation, TRL's trainers, checkers, statistics, tables,
report. In the place of the paper's: the weights, the prompts, and transformers for the rollouts, because the CPU build
of vLLM cannot take TRL's weights.
"""

import importlib.util
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from support import rehearsal_hub
from support.clones import Clone

from uniapl.config import load_scale
from uniapl.config.names import GENERAL
from uniapl.config.runs import Runs
from uniapl.data.conversations import read_conversations
from uniapl.generate import converse
from uniapl.jsonl import read_jsonl
from uniapl.scorers import multi_if

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed: make test-vllm"),
]
RUNS = Runs(load_scale("rehearsal"))


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """A clone in which the scale ran to its end, and what Snakemake printed."""
    folder = tmp_path_factory.mktemp("rehearsal")
    clone = Clone(folder / "clone", folder / "bin")
    hub = rehearsal_hub.build(folder / "hub")
    own = {"UNIAPL_HUB": str(hub), "PYTHONPATH": str(clone.folder), "VLLM_CPU_KVCACHE_SPACE": "1"}
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    line = [sys.executable, "-m", "snakemake", "--cores", "2", "--config", "scale=rehearsal"]

    def run(*more):
        env = {**os.environ, **own, "PATH": path}
        return subprocess.run([*line, *more], cwd=clone.folder, env=env, capture_output=True, text=True)

    done = run()
    assert done.returncode == 0, done.stderr[-5000:]
    return clone.folder / "results/local/rehearsal", run


def test_every_arm_is_trained_answers_and_is_in_a_table(rehearsal):
    root, _ = rehearsal
    for name in RUNS.default:
        table = pd.read_csv(root / f"tables/{name}/main.csv")
        assert set(table.iloc[:, 0]) >= {arm.name for arm in RUNS.experiments[name].arms}
    assert (root / "report.html").stat().st_size > 100_000


def test_demonstrations_are_the_teachers_and_follow_their_prompts(rehearsal):
    root, _ = rehearsal
    summary = json.loads((root / "teach/demonstrations.summary.json").read_text())
    assert summary["record"]["versions"]["vllm"] and 0 < summary["accepted"] <= summary["prompts"]
    train = (root / "data/train.jsonl").read_text().splitlines()
    assert 0 < len(train) <= RUNS.scale.world.train and all(json.loads(row)["demonstration"] for row in train)


def test_the_evaluation_is_vllms_and_says_so(rehearsal):
    root, _ = rehearsal
    harness = json.loads((root / "generate/test/uniapl/seed0/harness.json").read_text())
    assert harness["backend"] == "vllm" and harness["decodings"]["sampled"]["top_k"] == 20


def test_multi_if_is_asked_in_three_turns_and_scored_by_turn(rehearsal):
    root, _ = rehearsal
    conversations = read_conversations(root / "prompts/multi_if.jsonl")
    for arm in GENERAL:
        answers = read_jsonl(root / f"converse/{arm}/seed0.jsonl")
        assert [row["turn"] for row in answers] == [1, 2, 3] * len(conversations)
        expected = converse.values(multi_if.score(conversations, multi_if.join(conversations, answers)))
        pd.testing.assert_frame_equal(pd.read_csv(root / f"converse/{arm}/seed0.csv"), expected)


def test_the_discriminator_is_polars_architecture_and_its_score_is_in_the_history(rehearsal):
    root, _ = rehearsal
    history = pd.read_csv(root / "train/uniapl/seed0/history.csv")
    assert history.score.notna().sum() == RUNS.run("uniapl", 0).settings.steps
    card = json.loads((root / "train/discriminator/seed0/run.json").read_text())
    assert card["source"]["id"] == "internlm/POLAR-1_8B"


def test_a_second_run_has_nothing_to_do(rehearsal):
    _, run = rehearsal
    printed = run("-n")
    assert "Nothing to be done" in printed.stdout + printed.stderr
