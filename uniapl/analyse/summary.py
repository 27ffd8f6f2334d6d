"""One row per arm: what the other tables of an experiment say of it, side by side. Nothing is computed anew."""

from collections.abc import Mapping

import pandas as pd

from uniapl.analyse.accuracy import of_pair
from uniapl.analyse.claims import WITHDRAWN
from uniapl.analyse.inputs import Question

PIPELINE = "sft_then_grpo"
UNSEEN = ("new_types", "held_out_types")  # types that were never trained: the first of these that there is
SPENT = ["tokens_generated", "tokens_trained", "seconds"]
VERDICT = ["verdict", "unadjusted"]
ACCURACY = ["benchmark", "decoding", "estimate", "low", "high", "n_seeds", "n_prompts"]
DIFFERENCE = {"difference": "difference", "low": "difference_low", "high": "difference_high", "p_holm": "p_holm"}
TRANSFER = {"benchmark": "unseen", "estimate": "unseen_estimate", "low": "unseen_low", "high": "unseen_high"}
TRANSFER |= {"difference": "kept", "difference_low": "kept_low", "difference_high": "kept_high"}
TRANSFER |= {"n_prompts": "unseen_n_prompts"}
COLUMNS = ["arm", *ACCURACY[:5], "against", *DIFFERENCE.values(), *TRANSFER.values(), *SPENT, *VERDICT, *ACCURACY[5:]]


def summary(tables: Mapping[str, pd.DataFrame], plan: Question, benchmark: str) -> pd.DataFrame:
    """COLUMNS, a row per arm that was scored on `benchmark`; what a table lacks is blank.

    estimate, low, high    `main`: prompt-level strict accuracy on `benchmark` (%), the plan's decoding
    difference, p_holm     `comparisons`: minus `against`, the pipeline or else the last comparator (points)
    unseen, kept           `transfer`: accuracy on types never trained (%), and minus the base (points): below 0 the
                           arm forgot
    SPENT                  `cost`: of a training and its starts
    VERDICT                `claims`: on "above `against` on `benchmark`", after and before Holm's adjustment
    """
    main, compared, transfer, claims = (tables[name] for name in ("main", "comparisons", "transfer", "claims"))
    here = main[(main.metric == "prompt_strict") & (main.decoding == plan.decoding) & (main.benchmark == benchmark)]
    against = comparator(plan)
    pairs = compared[(compared.decoding == plan.decoding) & (compared.benchmark == benchmark)]
    differences = [row for arm in here.arm for row in of_pair(pairs, arm, against).to_dict("records")]
    unseen = next((name for name in UNSEEN if name != benchmark and name in set(transfer.benchmark)), None)
    told = claims[(claims.quantity == "accuracy") & (claims.benchmark == benchmark) & (claims.against == against)]
    told = told[(told.direction == "above") & (told.verdict != WITHDRAWN)].drop_duplicates("arm")
    parts = (
        pd.DataFrame(differences, columns=["arm", "against", *DIFFERENCE]).rename(columns=DIFFERENCE),
        transfer[transfer.benchmark == unseen][["arm", *TRANSFER]].rename(columns=TRANSFER),
        tables["cost"][["arm", *SPENT]],
        told[["arm", *VERDICT]],
    )
    table = here[["arm", *ACCURACY]]
    for part in parts:
        table = table.merge(part, on="arm", how="left")
    return table[COLUMNS].astype(dict.fromkeys(VERDICT, object))


def comparator(plan: Question) -> str | None:
    """The arm that the others are held against here; None where the experiment compares nothing."""
    return PIPELINE if PIPELINE in plan.against else next(reversed(plan.against), None)
