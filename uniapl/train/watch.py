"""What every training is watched for: a loss that is no number, a metric that nobody declared, time, memory."""

import math
import time
from pathlib import Path

from transformers import TrainerCallback

from uniapl.config import Method
from uniapl.errors import UserError
from uniapl.provenance import checksums, peak_memory_mb
from uniapl.train.history import check_metrics
from uniapl.train.state import COMPLETE

SHOW_EVERY = 5  # seconds


class Watch(TrainerCallback):
    """Adds seconds and memory to the log, shows progress and marks checkpoints.

    Raises UserError for a loss or gradient that is not finite, and for a metric that `method` does not declare.
    """

    def __init__(self, method: Method, accelerator):
        self.method, self.accelerator = method, accelerator

    def on_train_begin(self, args, state, control, **kwargs):
        self.first, self.start = state.global_step, time.perf_counter()
        self.last = self.last_shown = self.start

    def on_log(self, args, state, control, **kwargs):
        row, now = state.log_history[-1], time.perf_counter()
        check_metrics(row, self.method)
        for name in ("loss", "grad_norm"):
            if name in row and not math.isfinite(row[name]):
                raise UserError(
                    f"{name} is {row[name]} at step {row['step']} of {state.max_steps}: training stopped; "
                    f"the last good checkpoint is kept in {args.output_dir}"
                )
        row["seconds"], self.last = now - self.last, now
        row["peak_memory_mb"] = peak_memory_mb()
        if now - self.last_shown > SHOW_EVERY and self.accelerator.is_main_process:
            self.last_shown, rate = now, (state.global_step - self.first) / (now - self.start)
            left = (state.max_steps - state.global_step) / max(rate, 1e-9)
            print(f"step {state.global_step}/{state.max_steps}, {rate:.2f} steps/s, {left:.0f} s left", flush=True)

    def on_save(self, args, state, control, **kwargs):
        self.accelerator.wait_for_everyone()  # until the last process has written its part
        if self.accelerator.is_main_process:
            checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            checksums.record(checkpoint)
            (checkpoint / COMPLETE).touch()
