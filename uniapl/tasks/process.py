"""What lm-eval calls for each response: our checkers, so that reward, harness and score cannot disagree."""

from uniapl import checkers


def process_results(doc: dict, results: list[str]) -> dict:
    """The four IFEval metrics of one response; instruction-level ones as lists, which `mean_of_lists` pools."""
    built = checkers.build_all(doc["instruction_id_list"], doc["kwargs"], where=f"key {doc['key']}")
    verdicts = checkers.check(built, results[0])
    return {
        "prompt_strict": float(all(verdicts.strict)),
        "inst_strict": list(verdicts.strict),
        "prompt_loose": float(all(verdicts.loose)),
        "inst_loose": list(verdicts.loose),
    }


def mean_of_lists(items: list[list[bool]]) -> float:
    """The share of instructions that are followed, over all prompts."""
    flat = [passed for item in items for passed in item]
    return sum(flat) / len(flat)
