"""The numeric columns of every table with their formats; all other columns are words."""

import pandas as pd

from uniapl.errors import UserError

ROUNDED = {  # table -> format -> the columns that have it
    "main": {".1f": "estimate low high", ".0f": "n_seeds n_prompts"},
    "comparisons": {
        ".1f": "difference low high seed_low seed_high detectable",
        ".2f": "effect",
        ".4g": "p p_holm",  # exact: with 9,999 resamples they are multiples of 0.0002
        ".2g": "p_seeds mcnemar_p",
        ".0f": "n_seeds n_seeds_against n_prompts",
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
        ".0f": "n_seeds n_prompts",
    },
    "paper": {".2f": "estimate low high seed_low seed_high", ".0f": "n_seeds n_prompts"},
    "settings": {},
    "arms": {},
    "cost": {
        ".1f": "seconds",
        ".0f": """optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained peak_memory_mb
            n_seeds""",
    },
}


def rounded(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table as strings: numbers in the format of their column, missing values blank.

    Raises UserError for an absent column and for a column that should hold numbers and does not.
    """
    text = table.astype(object).where(table.notna(), "").astype(str)
    for form, columns in ROUNDED[name].items():
        for column in columns.split():
            if column not in table:
                raise UserError(f"{name}.csv: no column {column}; it has {', '.join(table.columns)}")
            try:
                values = pd.to_numeric(table[column])
            except ValueError as error:
                raise UserError(f"{name}.csv: column {column}: {error}") from error
            text[column] = [number(x, form) if pd.notna(x) else "" for x in values]
    return text


def number(x: float, form: str) -> str:
    """`x` in this format, without the minus sign of a rounded zero."""
    text = format(x, form)
    return text.removeprefix("-") if float(text) == 0 else text
