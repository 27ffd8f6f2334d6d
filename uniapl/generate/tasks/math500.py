"""MATH-500 for chat models: asked for \\boxed{}, judged by it. What is equal is lm-eval's matter (hendrycks_math)."""

import re


def prompt(doc: dict) -> str:
    """The problem, and where the answer belongs."""
    return f"{doc['problem']}\n\nReason step by step. Put your final answer into \\boxed{{}}."


def process_results(doc: dict, results: list[str]) -> dict:
    """exact_match: 1 where the last \\boxed{} holds the answer; an answer without one is wrong."""
    from lm_eval.tasks.hendrycks_math.utils import is_equiv, remove_boxed

    found = last_box(results[0])
    try:
        return {"exact_match": float(bool(found) and is_equiv(remove_boxed(found), doc["answer"]))}
    except AssertionError:  # a box that is not closed, or of another kind
        return {"exact_match": 0.0}


def last_box(response: str) -> str | None:
    """The last \\boxed{...}; where none has braces, lm-eval's choice, such as \\boxed 2; None without a box.

    lm-eval's own function prefers a \\boxed with a blank behind it, wherever it stands (findings/last_box.sh), so it
    gets the last box alone.
    """
    from lm_eval.tasks.hendrycks_math.utils import last_boxed_only_string

    ends = [box.end() for box in re.finditer(r"\\boxed\s*(?=\{)", response)]
    return last_boxed_only_string("\\boxed" + response[ends[-1] :].split("\\boxed")[0] if ends else response)
