"""SFT as the suite trains it: TRL's trainer, resumable."""

from trl import SFTTrainer

from uniapl.method.deepspeed import check_deepspeed
from uniapl.method.resume import Resumable


class SFT(Resumable, SFTTrainer):
    """trl.SFTTrainer, bit for bit. Raises ValueError for a DeepSpeed that loses micro-batches."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        check_deepspeed(self.accelerator)
