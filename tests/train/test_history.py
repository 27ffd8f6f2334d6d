"""history.csv and what a run cost: declared metrics are kept, others refused, real counts stand above the plan."""

import inspect
import re
import types

import pandas as pd
import pytest
from trl.trainer import grpo_trainer, reward_trainer, sft_trainer

from baselines import grpo
from experiments.scales import SCALES
from uniapl.analyse.training import curves
from uniapl.config import StepRows
from uniapl.config.method import is_fetched, name_of
from uniapl.config.metrics import SHARED
from uniapl.errors import UserError
from uniapl.train.history import check_metrics, history, total_cost

METHODS = sorted({method for scale in SCALES for method in scale.settings if not is_fetched(method)}, key=name_of)
GATED = types.SimpleNamespace(__file__="/elsewhere/baselines/hpt.py", METRICS={"demonstration_share": "of the groups"})
LOG = [
    {"step": 0, "probe_reward": 0.5},
    {
        "step": 1,
        "epoch": 0.1,
        "loss": 2.0,
        "num_tokens": 100,
        "completions/mean_length": 5.0,
        "demonstration_share": 0.5,
    }
    | {"demonstration_rows": 3, "demonstration_tokens": 30, "completions/max_length": 9, "kl": 0.1, "seconds": 1.0},
    {"step": 2, "loss": 1.0, "num_tokens": 160, "completions/mean_length": 4.0, "demonstration_share": 0.0},
    {"step": 2, "train_runtime": 3.0},
]


def test_a_metric_that_nobody_declared_is_named_with_the_file_and_the_remedy():
    check_metrics({name for entry in LOG for name in entry}, GATED)
    with pytest.raises(UserError, match=r"^baselines/hpt.py: the trainer logs 'gate', which METRICS does not declare"):
        check_metrics(["loss", "gate"], GATED)
    with pytest.raises(UserError, match="'demonstration_share', which METRICS"):
        check_metrics(LOG[1], grpo)


@pytest.mark.parametrize("module", (grpo_trainer, sft_trainer, reward_trainer), ids=lambda module: module.__name__)
def test_what_this_trl_logs_of_its_own_needs_no_declaration(module):
    logged = re.findall(r'_metrics\[(?:mode|"train")\]\[f?"([^"]+)"\]', inspect.getsource(module))
    assert "num_tokens" in logged
    for method in METHODS:
        check_metrics(logged, method)


def test_a_row_has_what_is_declared_and_nothing_of_the_librarys():
    first, second, third = history(LOG, GATED, StepRows(demonstration_rows=8, rollouts=16))
    assert first == {"step": 0, "probe_reward": 0.5}
    assert second == {"step": 1, "loss": 2.0, "length": 5.0, "demonstration_share": 0.5, "demonstration_rows": 3} | {
        "seconds": 1.0,
        "tokens_trained": 130,  # 100 of TRL's and 30 of demonstrations
        "tokens_generated": 80.0,  # 16 rollouts of 5 tokens
    }
    assert third["tokens_trained"] == 60 and third["demonstration_share"] == 0.0


def test_rows_are_counted_where_the_method_counts_them_and_else_are_the_most():
    most = StepRows(demonstration_rows=8, rollouts=16)
    counted = total_cost(history(LOG, GATED, most), 2, most)
    assert (counted.demonstration_rows, counted.rollouts, counted.optimizer_steps) == (3, 32, 2)
    assert (counted.tokens_trained, counted.tokens_generated, counted.seconds) == (190, 144.0, 1.0)
    silent = [{k: v for k, v in entry.items() if k != "demonstration_rows"} for entry in LOG]
    assert total_cost(history(silent, GATED, most), 2, most).demonstration_rows == 16


def test_a_method_may_count_its_tokens_and_an_evaluation_takes_time_of_its_step():
    log = [{"step": 1, "completions/mean_length": 5.0, "tokens_generated": 60.0, "seconds": 1.0}]
    (row,) = history([*log, {"step": 1, "seconds": 0.5}], GATED, StepRows(rollouts=16))
    assert (row["tokens_generated"], row["seconds"]) == (60.0, 1.5)


def test_a_declared_metric_is_a_curve_and_what_depends_on_the_machine_is_none():
    rows = pd.DataFrame(history(LOG, GATED, StepRows(rollouts=16))).assign(arm="hpt", seed=0)
    drawn = curves(rows)
    assert set(drawn.quantity) == {"loss", "demonstration_share", "probe_reward"}
    last = drawn[drawn.step == 2].set_index("quantity").value
    assert last["loss"] == 1.0 and last["demonstration_share"] == 0.0


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_a_method_declares_what_is_its_own_alone(method):
    assert not method.METRICS.keys() & SHARED.keys()
    assert all(meaning.strip() for meaning in method.METRICS.values())
