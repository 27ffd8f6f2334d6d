"""MATH-500 for chat models: asked for \\boxed{}, judged by it. What is equal is lm-eval's matter (hendrycks_math)."""


def prompt(doc: dict) -> str:
    """The problem, and where the answer belongs."""
    return f"{doc['problem']}\n\nReason step by step. Put your final answer into \\boxed{{}}."


def process_results(doc: dict, results: list[str]) -> dict:
    """exact_match: 1 where the last \\boxed{} holds the answer; an answer without one is wrong."""
    from lm_eval.tasks.hendrycks_math.utils import is_equiv, last_boxed_only_string, remove_boxed

    found = last_boxed_only_string(results[0])
    try:
        return {"exact_match": float(bool(found) and is_equiv(remove_boxed(found), doc["answer"]))}
    except AssertionError:  # a box that is not closed, or of another kind
        return {"exact_match": 0.0}
