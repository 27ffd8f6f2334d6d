"""PlateauTrainer: SFT that ends when its validation loss stops falling (baselines/sft_plateau.py has the rule)."""

import torch
from transformers import TrainerCallback
from trl import SFTConfig

from uniapl.method.sft import SFT


def at_plateau(losses: list[float], patience: int, least_gain: float) -> bool:
    """Whether the last `patience` losses brought the lowest one down by no more than the share `least_gain` of it."""
    if len(losses) <= patience:
        return False
    return min(losses) >= (1 - least_gain) * min(losses[:-patience])


class Plateau(TrainerCallback):
    """Ends the training at the plateau; it reads the losses from the log, which every checkpoint has."""

    def __init__(self, patience: int, least_gain: float):
        self.patience, self.least_gain = patience, least_gain

    def on_evaluate(self, args, state, control, **kwargs):
        losses = [row["eval_loss"] for row in state.log_history if "eval_loss" in row]
        if at_plateau(losses, self.patience, self.least_gain):
            control.should_training_stop = True
            control.should_save = False  # a training resumed from there would not know that it had ended


class PlateauTrainer(SFT):
    """trl.SFTTrainer with `eval_dataset` of prompts and completions; `evaluate_every` is in optimizer steps.

    Raises ValueError for an `evaluate_every` or a `patience` below 1, and a `least_gain` outside [0, 1).
    """

    def __init__(self, *, args: SFTConfig, evaluate_every: int, patience: int, least_gain: float, **kwargs):
        for name, value in (("evaluate_every", evaluate_every), ("patience", patience)):
            if value < 1:
                raise ValueError(f"{name} is {value}: it must be 1 or more")
        if not 0 <= least_gain < 1:
            raise ValueError(f"least_gain is {least_gain}: it must be 0 or more, and below 1")
        args.eval_strategy, args.eval_steps = "steps", evaluate_every
        args.per_device_eval_batch_size = 1  # the mean over rows, whatever rows share a batch or a process
        super().__init__(args=args, **kwargs)
        self.add_callback(Plateau(patience, least_gain))

    def evaluate(self, *args, **kwargs):
        devices = [self.model.device] if self.model.device.type == "cuda" else []
        with torch.random.fork_rng(devices):  # a data loader draws a random number, which training must not miss
            return super().evaluate(*args, **kwargs)

    def log(self, logs, *args, **kwargs):
        if "eval_loss" in logs:
            logs = {**logs, "validation_loss": logs["eval_loss"]}
        super().log(logs, *args, **kwargs)
