"""The numeric columns of every table with their formats; all other columns are words."""

import pandas as pd

from uniapl.analyse.accuracy import PREDICTED
from uniapl.errors import UserError

ROUNDED = {  # table -> format -> the columns that have it
    "main": {".1f": "estimate low high predict_low predict_high", ".0f": "n_seeds n_prompts"},
    "comparisons": {
        ".1f": "difference low high seed_low seed_high predict_low predict_high detectable",
        ".2f": "effect",
        ".4g": "p p_holm",  # exact: with 9,999 resamples they are multiples of 0.0002
        ".2g": "p_seeds mcnemar_p",
        ".0f": "n_seeds n_seeds_against n_prompts",
    },
    "summary": {
        ".1f": """estimate low high difference difference_low difference_high unseen_estimate unseen_low unseen_high
            kept kept_low kept_high seconds""",
        ".4g": "p_holm",
        ".0f": "tokens_generated tokens_trained n_seeds n_prompts unseen_n_prompts",
    },
    "distances": {
        ".3f": """ks wasserstein low high wasserstein_low wasserstein_high energy energy_low energy_high
            median_difference""",
        ".2g": "ks_p wilcoxon_p",
        ".0f": "n_seeds n_responses",
    },
    "diversity": {".2f": "estimate low high", ".0f": "n_seeds n_responses"},
    "claims": {
        ".3g": "margin",
        ".2f": "estimate low high seed_low seed_high detectable",
        ".4g": "p p_holm",
        ".0f": "n_seeds n_prompts",
    },
    "transfer": {
        ".1f": "estimate low high difference difference_low difference_high",
        ".4g": "p p_bh",
        ".0f": "n_seeds n_seeds_against n_prompts",
    },
    "aggregate": {".1f": "estimate low high", ".0f": "n_seeds n_benchmarks"},
    "nearer": {".3f": "difference low high", ".4g": "p p_bh", ".0f": "n_seeds n_seeds_against n_responses"},
    "type_comparisons": {
        ".1f": "difference low high",
        ".4g": "p p_bh",
        ".0f": "n_seeds n_seeds_against n_prompts",
    },
    "paper": {".2f": "estimate low high seed_low seed_high", ".4g": "p_holm", ".0f": "n_seeds n_prompts"},
    "beside": {
        ".1f": """published_estimate published_low published_high local_estimate local_low local_high difference
            published_predict_low published_predict_high""",
        ".0f": "published_n_seeds published_n_seeds_against local_n_seeds local_n_seeds_against",
    },
    "again": {".2f": "estimate low high", ".0f": "n_seeds"},
    "again_share": {".1f": "share", ".0f": "inside judged not_judged"},
    "general": {
        ".1f": """base_estimate base_low base_high arm_estimate arm_low arm_high
            difference_estimate difference_low difference_high""",
        ".4g": "p p_holm",
        ".0f": "few_shot n_prompts",
    },
    "ablations": {
        ".1f": "estimate low high difference difference_low difference_high",
        ".4g": "p_holm",
        ".0f": "n_seeds n_prompts",
    },
    "settings": {},
    "arms": {},
    "cost": {
        ".1f": "seconds energy_wh",
        ".0f": """optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained peak_memory_mb
            n_seeds""",
    },
}


# since 2026-11-30: a set published before lacks this table and these columns, and can be read
ADDED_TABLE, ADDED = "summary", PREDICTED
MISSING = "missing"  # in the place of a number that a planned run would have given
ESTIMATES = {  # table -> the column that says so, and those that tell its rows of one arm apart
    "main": ("estimate", ("benchmark", "decoding", "metric")),
    "summary": ("estimate", ()),
    "distances": ("wasserstein", ("quantity",)),
    "diversity": ("estimate", ("quantity",)),
    "cost": ("seconds", ()),
    "transfer": ("estimate", ("benchmark", "decoding")),
    "aggregate": ("estimate", ("quantity",)),
}


PAIRS = {  # the same of tables that hold arms against comparators
    "comparisons": ("difference", ("benchmark", "decoding", "metric")),
    "nearer": ("difference", ("quantity",)),
}


def with_missing(name: str, text: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """`text` with a row that says MISSING for each planned arm without any run, and each pair with one, where others
    have a number.

    `runs` has the planned arms and comparators (analyse/coverage.py). Claims name their missing runs themselves.
    """
    n_seeds = {arm: str(n) for arm, n in zip(runs.arm, runs.n_seeds, strict=True)}
    absent = [arm for arm in n_seeds if n_seeds[arm] == "0" and (arm != "base" or name != "cost")]
    if text.empty or not absent or name not in ESTIMATES | PAIRS:
        return text
    column, keys = (ESTIMATES | PAIRS)[name]
    whole = text[text.arm != "expert"]
    whole = whole[whole.against == ""] if name == "aggregate" else whole  # its pairs stand beside its arms
    cells = whole[list(keys)].drop_duplicates().to_dict("records") if keys else [{}]
    if name in PAIRS:
        comparators = list(runs.arm[runs.comparator])  # the later one of two is held against the earlier one
        new = [
            {"arm": arm, "against": against, "n_seeds": n_seeds[arm], "n_seeds_against": n_seeds[against]}
            for place, against in enumerate(comparators)
            for arm in n_seeds
            if arm not in comparators[: place + 1] and (arm in absent or against in absent)
        ]
    else:
        new = [{"arm": arm, "n_seeds": "0"} for arm in absent]
    rows = [cell | row | {column: MISSING} for cell in cells for row in new]
    return pd.concat([text, pd.DataFrame(rows, columns=text.columns).fillna("")], ignore_index=True)


def rounded(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table as strings: numbers in the format of their column, missing values blank, MISSING as it is.

    Raises UserError for an absent column that is not ADDED, and for a column that should hold numbers and does not.
    """
    text = table.astype(object).where(table.notna(), "").astype(str)
    for form, columns in ROUNDED[name].items():
        for column in columns.split():
            if column not in table:
                if column in ADDED:
                    continue
                raise UserError(f"{name}.csv: no column {column}; it has {', '.join(table.columns)}")
            if pd.api.types.is_numeric_dtype(table[column]):
                text[column] = [number(x, form) if pd.notna(x) else "" for x in table[column]]
                continue
            try:
                stated = table[column].astype(object).where(table[column] != MISSING)
                values = pd.to_numeric(stated)
            except ValueError as error:
                raise UserError(f"{name}.csv: column {column}: {error}") from error
            missing = text[column].where(text[column] == MISSING, "")
            text[column] = [number(x, form) if pd.notna(x) else word for x, word in zip(values, missing, strict=True)]
    return text


def number(x: float, form: str) -> str:
    """`x` in this format, without the minus sign of a rounded zero."""
    text = format(x, form)
    return text.removeprefix("-") if float(text) == 0 else text
