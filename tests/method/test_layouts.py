"""Layout invariance: micro-batches, processes and the order of rows change no gradient beyond rounding.

arXiv 2604.23747 traces a literature of too weak SFT baselines to two faults of this kind. The mutants average within
each micro-batch, as one of the two did.
"""

import pytest
import torch
from support import miniature, trainers, two_processes
from support.launch import launched
from trl import SFTTrainer

from baselines import prefix_rft_trainer
from baselines.hpt_trainer import HPTTrainer
from baselines.luffy_trainer import LUFFYTrainer
from baselines.prefix_rft_trainer import PrefixRFTTrainer
from baselines.psft_trainer import PSFTTrainer
from baselines.rl_plus_trainer import RLPlusTrainer
from baselines.srft_trainer import SRFTTrainer
from uniapl.method.demonstrations import Demonstrations
from uniapl.method.sft import SFT
from uniapl.method.trainer import UniAPLTrainer

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9, "seed": 3}
ROWS = {  # lengths that differ as much as this world's do: the shortest and the longest demonstrations side by side
    "rows": [
        row
        for pair in zip(
            sorted(miniature.chats(), key=lambda row: len(row["demonstration"]))[:8],
            sorted(miniature.chats(), key=lambda row: -len(row["demonstration"]))[:8],
            strict=True,
        )
        for row in pair
    ]
}
METHODS = {
    **trainers.METHODS,
    "uniapl, own prompts": lambda folder, **options: trainers.mixed(folder, own_prompts=True, **options),
    "grpo, rollouts of several lengths": lambda folder, **options: trainers.own_grpo(
        folder, trainer=two_processes.ScriptedRollouts, **options
    ),
    "adversarial_reward, rollouts of several lengths": lambda folder, **options: trainers.adversarial_reward(
        folder, trainer=two_processes.scripted(UniAPLTrainer), **options
    ),
    "grpo, loss_type grpo": lambda folder, **options: trainers.own_grpo(folder, loss_type="grpo", **options),
}
SPLIT = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 8}  # 2 rows: half a group of rollouts
WHOLE = {"per_device_train_batch_size": 16}


def gradient(build, folder, **options) -> torch.Tensor:
    """The gradient of one step on 16 rows: without rollouts the 16 of ROWS, else 4 prompts with 4 rollouts each."""
    return trainers.trained(build(folder, **ONE_STEP, **ROWS, **options))[1][0]


def differ(one: torch.Tensor, other: torch.Tensor) -> float:
    """The relative difference of two gradients."""
    return ((one - other).norm() / one.norm()).item()


@pytest.mark.parametrize("method", METHODS)
def test_eight_micro_batches_have_the_gradient_of_one_batch(tmp_path, method):
    whole, split = (gradient(METHODS[method], tmp_path, **layout) for layout in (WHOLE, SPLIT))
    assert whole.norm() > 0 and differ(whole, split) < 1e-5


@pytest.mark.parametrize("method", [name for name in METHODS if name not in (*trainers.OF_SFT, "sdft")])
def test_the_order_of_rollouts_changes_nothing(tmp_path, method, monkeypatch):
    """TRL shuffles what it generated; here the order is turned round, so that groups are cut elsewhere.

    SDFT does not shuffle its rows, and its loss is a mean of them.
    """
    from trl.trainer import grpo_trainer

    plain = gradient(METHODS[method], tmp_path, **SPLIT)
    shuffle, seen = grpo_trainer.shuffle_sequence_dict, []

    def turned(batch):
        batch = shuffle(batch)
        seen.append(batch)
        return {k: v.flip(0) if isinstance(v, torch.Tensor) and v.dim() else v for k, v in batch.items()}

    monkeypatch.setattr(grpo_trainer, "shuffle_sequence_dict", turned)
    assert differ(plain, gradient(METHODS[method], tmp_path, **SPLIT)) < 1e-5 and len(seen) == 1


@pytest.mark.parametrize("method", trainers.OF_SFT)
def test_the_order_of_rows_changes_nothing_without_rollouts(tmp_path, method):
    plain = gradient(METHODS[method], tmp_path, **SPLIT)
    turned = METHODS[method](tmp_path, **ONE_STEP, **SPLIT, rows=ROWS["rows"][::-1])
    assert differ(plain, trainers.trained(turned)[1][0]) < 1e-5


# Mutants: the same test goes red where a micro-batch is averaged by itself.


class MeanOfMicroBatches(SFT):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        loss = SFTTrainer.compute_loss(self, model, inputs, return_outputs)
        return loss / self.current_gradient_accumulation_steps


class MeanOfRatios(PSFTTrainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        own = (inputs["labels"][:, 1:] != -100).sum() * self.current_gradient_accumulation_steps
        return super().compute_loss(model, inputs, return_outputs, own)


class MeanOfRollouts(UniAPLTrainer):
    def _compute_loss(self, model, inputs):
        own = inputs["completion_mask"].sum() * self.current_gradient_accumulation_steps
        return super()._compute_loss(model, {**inputs, "num_items_in_batch": own})


class OwnMean(Demonstrations):
    def batch(self, rows, tokens, weights=None):
        of_rows = sum(len(self.rows[row][1]) for row in rows) * self.trainer.current_gradient_accumulation_steps
        return super().batch(rows, of_rows, weights)


class MeanOfDemonstrations(UniAPLTrainer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.demonstrations.__class__ = OwnMean


class MeanOfGated(HPTTrainer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.demonstrations.__class__ = OwnMean


class WholeRow:
    """Counts the expert's row anew in each micro-batch that has a part of its group."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        batch = self.demonstrations.batch
        self.demonstrations.batch = lambda rows, tokens, weights: batch(rows, tokens)


class MostEntropyOfMicroBatch(PrefixRFTTrainer):
    """Keeps the prefix tokens with most entropy of a micro-batch, as the authors' code does, not those of each row."""

    def _compute_loss(self, model, inputs):
        whole = prefix_rft_trainer.kept_tokens
        prefix_rft_trainer.kept_tokens = lambda *of: whole(*(x.reshape(1, -1) for x in of[:2]), of[2]).view(of[0].shape)
        try:
            return super()._compute_loss(model, inputs)
        finally:
            prefix_rft_trainer.kept_tokens = whole


class WholeRowInLUFFY(WholeRow, LUFFYTrainer):
    pass


class WholeRowInRLPlus(WholeRow, RLPlusTrainer):
    pass


class MeanOfExperts(SRFTTrainer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.demonstrations.__class__ = OwnMean


@pytest.mark.parametrize(
    ("build", "mutant"),
    [
        (trainers.sft, MeanOfMicroBatches),
        (trainers.dft, MeanOfMicroBatches),
        (trainers.psft, MeanOfRatios),
        (trainers.luffy, WholeRowInLUFFY),
        (trainers.rl_plus, WholeRowInRLPlus),
        (trainers.srft, MeanOfExperts),
        (trainers.adversarial_reward, two_processes.scripted(MeanOfRollouts)),
        (trainers.mixed, MeanOfDemonstrations),
        (trainers.hpt, MeanOfGated),
        (trainers.prefix_rft, MostEntropyOfMicroBatch),
    ],
    ids=lambda part: part.__name__,
)
def test_a_mean_per_micro_batch_is_seen(tmp_path, build, mutant):
    whole, split = (gradient(build, tmp_path, trainer=mutant, **layout) for layout in (WHOLE, SPLIT))
    assert differ(whole, split) > 0.01


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """The first step of every method by this process and by two, as tests/support/two_processes.py writes it."""
    folder = tmp_path_factory.mktemp("processes")
    two_processes.main(folder, 8)
    two = launched(2, lambda: two_processes.main(folder, 4), {"ACCELERATE_USE_CPU": "true"})  # each has half a group
    assert two == [0, 0]
    return [torch.load(folder / f"{n}.pt", weights_only=True) for n in (1, 2)]


@pytest.mark.parametrize("method", two_processes.METHODS)
def test_two_processes_compute_the_gradient_of_one(processes, method):
    one, two = (measured[method] for measured in processes)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert differ(one["gradient"], two["gradient"]) < 1e-5 and one["gradient"].norm() > 0
    assert one["logged"] == pytest.approx(two["logged"], rel=1e-4, abs=1e-5)
    if method == "uniapl":
        assert one["logged"]["lam"] != 0.5  # it moved, alike in both


def test_the_discriminator_of_every_process_has_the_weights_of_the_first(processes):
    """With a process group and FSDP's efficient loading, from_pretrained gives the second process zeros."""
    for name in ("sharded", "sharded, without"):
        assert len(processes[1][name]) == 2
    assert len(set(processes[1]["sharded"])) == 1
    assert processes[1]["sharded, without"][1] == "a head of zeros"
