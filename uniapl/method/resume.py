"""Resuming: a training that was stopped anywhere ends with the weights of one that was not, bit for bit.

transformers restores weights, optimizer, schedule and random states. Five things are lost beside them:

    the epoch's order      TRL's sampler and the one by length draw it from a generator that no checkpoint has: after
                           the first epoch a resumed training reads other rows than an undisturbed one
    the generated batch    with num_iterations or steps_per_generation a checkpoint falls between two of its steps
    the tokens seen        TRL counts them from zero again
    what a method adds     a dual variable, a discriminator that learns
    that it had ended      from the checkpoint of its last step transformers trains one step more, unless an epoch ends
                           there (findings/last_checkpoint.sh)

`Resumable` keeps them in one file per process. It changes nothing of an undisturbed training: every epoch has the order
that TRL gives it. vLLM's generator is in no checkpoint: with its rollouts a resumed training samples other ones.
"""

import os
from collections.abc import Iterator

import torch
from torch.utils.data import RandomSampler, Sampler

KEPT = ("_step", "_buffered_inputs", "_total_train_tokens")  # TRL's names, of the trainers that have them


class EpochSampler(Sampler):
    """Another sampler, whose order of an epoch can be drawn again in another process.

    The order comes from the sampler's own `generator`, or from torch's global one where it has none.
    """

    def __init__(self, sampler: Sampler):
        self.sampler = sampler
        self._generator = getattr(sampler, "generator", None) or torch.default_generator
        self._start, self._again = self._generator.get_state(), None

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[int]:
        if self._again is not None:
            self._generator.set_state(self._again)
        self._start, self._again = self._generator.get_state(), None
        yield from self.sampler

    def state_dict(self) -> dict:
        """The generator at the start of the current epoch, and now."""
        return {"start": self._start, "now": self._generator.get_state()}

    def load_state_dict(self, state: dict, *, epoch_ended: bool) -> None:
        """Draw the epoch of `state` again, or where it had ended the next one."""
        if epoch_ended:
            self._generator.set_state(state["now"])
        else:
            self._again = state["start"]


class Resumable:
    """Mixin of transformers' trainers, TRL's among them; it stands before the trainer's class.

    A method that has a state of its own overrides `method_state` and `load_method_state`.
    """

    _sampler: EpochSampler | None = None

    def method_state(self) -> dict:
        """What the method must find again: tensors, numbers, texts, and lists and dictionaries of them."""
        return {}

    def load_method_state(self, state: dict) -> None:
        """Continue from what `method_state` gave."""

    def _get_train_sampler(self, *args, **kwargs):
        sampler = super()._get_train_sampler(*args, **kwargs)
        if sampler is None or isinstance(sampler, RandomSampler):  # accelerate draws this one's order by seed and epoch
            return sampler
        self._sampler = EpochSampler(sampler)
        return self._sampler

    def _run_epoch(self, *args, **kwargs):
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
        else:
            super()._run_epoch(*args, **kwargs)

    def _state_file(self, checkpoint: str) -> str:
        return os.path.join(checkpoint, f"resume_{self.accelerator.process_index}.pt")

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        folder = os.path.join(self._get_output_dir(trial=trial), f"checkpoint-{self.state.global_step}")
        state = {"trainer": {name: getattr(self, name) for name in KEPT if hasattr(self, name)}}
        state["epoch_ended"] = float(self.state.epoch).is_integer()
        state["sampler"] = self._sampler.state_dict() if self._sampler else None
        state["method"] = self.method_state()
        torch.save(state, self._state_file(folder))

    def _load_optimizer_and_scheduler(self, checkpoint):
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None:
            return
        state = torch.load(self._state_file(checkpoint), weights_only=True)
        for name, value in state["trainer"].items():
            setattr(self, name, value)
        if self._sampler:
            self._sampler.load_state_dict(state["sampler"], epoch_ended=state["epoch_ended"])
        self.load_method_state(state["method"])
