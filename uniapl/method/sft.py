"""SFT as the suite trains it: TRL's trainer, resumable."""

from trl import SFTTrainer

from uniapl.method.resume import Resumable


class SFT(Resumable, SFTTrainer):
    """trl.SFTTrainer, bit for bit."""
