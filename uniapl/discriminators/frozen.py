"""Frozen means frozen: the run stops where the discriminator's parameters are not what they were at its start."""

from transformers import TrainerCallback

from uniapl.errors import UserError


class Frozen(TrainerCallback):
    """Compares the digest of the discriminator's parameters at the end of training with that at its start.

    A discriminator without `sha256` has no parameters of its own (controls, an endpoint) or is meant to change
    (cotrained): for these it does nothing.
    """

    def __init__(self, discriminator):
        self.digest = getattr(discriminator, "sha256", lambda: None)

    def on_train_begin(self, args, state, control, **kwargs):
        self.before = self.digest()

    def on_train_end(self, args, state, control, **kwargs):
        after = self.digest()
        if after != self.before:
            raise UserError(
                f"the frozen discriminator changed during training (parameters {self.before[:12]} -> {after[:12]}): "
                "its scores are not comparable; something gave its parameters to an optimizer or wrote to them"
            )
