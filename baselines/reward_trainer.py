"""trl.RewardTrainer on a discriminator's triples: what both frozen discriminators are trained by.

Triples are rows of comparisons.jsonl: prompt, reference, chosen (by the reference's policy), rejected (by another),
split (train or heldout), expert (the reference is the expert's), broken (the rejected text is spoilt on purpose).
"""

from pathlib import Path

from datasets import Dataset
from trl import RewardTrainer

from uniapl.discriminators import pairs
from uniapl.jsonl import read_jsonl
from uniapl.method import objective
from uniapl.method.resume import Resumable

SIDES = ("chosen", "rejected")


def encoded(rows: list[dict], encode: pairs.Encoder) -> dict[str, list[pairs.Row]]:
    """The chosen and the rejected response of each triple, beside its prompt and reference."""
    prompts, references = [row["prompt"] for row in rows], [row["reference"] for row in rows]
    return {side: encode(prompts, references, [row[side] for row in rows]) for side in SIDES}


class PairTrainer(Resumable, RewardTrainer):
    """trl.RewardTrainer, resumable, on the triples of a file; its evaluation set are the held-out ones.

    `evaluate` adds `eval_auc`: the probability that a text of the expert's scores above one of another policy's, both
    held against the expert, over all held-out prompts; left out where no held-out triple asks for it.
    """

    def __init__(self, triples: Path, encode: pairs.Encoder, **options):
        rows = read_jsonl(triples, ("prompt", "reference", *SIDES, "split", "expert", "broken"))
        heldout = [row for row in rows if row["split"] == "heldout"]
        self.expert_pairs = encoded([row for row in heldout if row["expert"] and not row["broken"]], encode)
        of_split = (encoded([row for row in rows if row["split"] == "train"], encode), encoded(heldout, encode))
        train, held = (
            Dataset.from_dict({f"{side}_ids": [[*row.prefix, *row.rest] for row in of[side]] for side in SIDES})
            for of in of_split
        )
        super().__init__(train_dataset=train, eval_dataset=held, **options)

    def evaluate(self, *args, **kwargs) -> dict[str, float]:
        """What trl.RewardTrainer's returns, and `eval_auc`."""
        found, (chosen, rejected) = super().evaluate(*args, **kwargs), self.expert_pairs.values()
        if chosen:
            scores = pairs.score(self.model.eval(), [*chosen, *rejected], batch=self.args.eval_batch_size)
            found["eval_auc"] = objective.auc(scores[: len(chosen)], scores[len(chosen) :])
        return found
