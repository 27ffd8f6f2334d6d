"""What UniAPLTrainer refuses, each in one line and at the earliest moment."""

import pytest
import torch
from datasets import Dataset
from support import miniature
from support.trainers import COMMON, uniapl

from uniapl.method.options import REQUIRED
from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_options_that_the_added_terms_do_not_honour_are_refused(tmp_path, name):
    other = {"beta": 0.1, "entropy_coef": 0.1, "temperature": 0.7, "top_entropy_quantile": 0.5}.get(
        name, not REQUIRED[name]
    )
    with pytest.raises((ValueError, TypeError), match=name):
        uniapl(tmp_path, **{name: other})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_type": "bnpo"}, "bnpo"),
        ({"demonstrations_per_step": 7, "gradient_accumulation_steps": 2}, "multiple"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        uniapl(tmp_path, **options)


@pytest.mark.parametrize(
    ("demonstration", "message"), [(None, "row 3: no demonstration"), ("  \n", "row 3: the demonstration is empty")]
)
def test_a_missing_or_empty_demonstration_is_named(tmp_path, demonstration, message):
    rows = [{**row, "demonstration": demonstration} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match=message):
        uniapl(tmp_path, rows=rows)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (lambda texts: torch.full((len(texts) + 1,), 1.0), "shape"),
        (lambda texts: torch.ones(len(texts), requires_grad=True), "gradient"),
        (lambda texts: torch.ones(len(texts), dtype=torch.bool), "scores are real numbers"),
    ],
)
def test_scores_of_the_wrong_form_stop_the_training(tmp_path, of, message):
    class Wrong:
        def score(self, prompts, references, responses):
            return of(responses)

    with pytest.raises(ValueError, match=message):
        uniapl(tmp_path, Wrong(), lam=0.1).train()


@pytest.mark.parametrize(
    "options",
    [
        {"lam": -0.1},
        {"w_demo": -1.0},
        {"mu_peak": 1.5},
        {"eps": float("nan")},
        {"lam_penalty": -1.0},
        {"max_demonstration_length": 0},
        {"max_completion_length": 0},
        {"demonstrations_per_step": 0},
        {"distance_decay": 1.0},
        {"adversarial_ddof": 2},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_name(tmp_path, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        uniapl(tmp_path, **options)


def test_a_group_of_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 2 generations|num_generations"):
        uniapl(tmp_path, num_generations=1)


def test_a_step_without_any_term_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every term has weight 0"):
        uniapl(tmp_path, w_pref=0.0, w_demo=0.0).train()


def test_lambda_without_a_discriminator_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs a discriminator"):
        UniAPLTrainer(
            model=miniature.policy(),
            reward_funcs=[miniature.words],
            args=UniAPLConfig(output_dir=str(tmp_path), lam=0.1, **COMMON),
            train_dataset=Dataset.from_list(miniature.chats()),
            processing_class=miniature.tokenizer(),
        )


def test_a_missing_demonstration_column_is_refused(tmp_path):
    with pytest.raises(ValueError, match="demonstration"):
        UniAPLTrainer(
            model=miniature.policy(),
            reward_funcs=[miniature.words],
            args=UniAPLConfig(output_dir=str(tmp_path), **COMMON),
            train_dataset=Dataset.from_list([{"prompt": r["prompt"]} for r in miniature.chats()]),
            processing_class=miniature.tokenizer(),
        )


def test_a_score_that_is_not_finite_stops_the_training(tmp_path):
    with pytest.raises(ValueError, match="not finite"):
        uniapl(tmp_path, miniature.Scorer(lambda reference, response: float("nan")), lam=0.1).train()
