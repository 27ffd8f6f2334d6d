"""The general benchmarks: which, at what version, with how many examples, shown by which metric."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task or group of lm-eval 0.4.13, or a turn of Multi-IF (uniapl/generate/converse.py).

    `few_shot`: examples in each prompt; `metric`: the one that tables show, with lm-eval's filter; `code`: runs what
    the model wrote.
    """

    name: str
    ability: str
    version: float
    few_shot: int
    metric: str = "acc,none"
    code: bool = False


TURNS = (1, 2, 3)  # of Multi-IF's conversations
COLUMNS = ["task", "doc_id", "metric", "value"]  # of a row of these benchmarks: one value of one prompt

SUITES = {
    "none": (),
    # Few-shot numbers: those of the Open LLM Leaderboard's first version, or the task's own where it fixes them; five
    # for both Chinese examinations, as their papers report. Metrics likewise, but for gsm8k's flexible extraction: the
    # mark that the strict one asks for is the few-shot examples', not a chat model's.
    "general": (
        Task("mmlu", "English", 2, few_shot=5),
        Task("arc_challenge", "English", 1.0, few_shot=25, metric="acc_norm,none"),
        Task("gsm8k", "mathematics", 3.0, few_shot=5, metric="exact_match,flexible-extract"),
        Task("hendrycks_math500", "mathematics", 1.0, few_shot=0, metric="exact_match,none"),
        Task("humaneval_instruct", "coding", 4.0, few_shot=0, metric="pass@1,create_test", code=True),
        Task("mbpp_instruct", "coding", 1.0, few_shot=3, metric="pass_at_1,extract_code", code=True),
        Task("ceval-valid", "Chinese", 2.0, few_shot=5),
        Task("cmmlu", "Chinese", 1.0, few_shot=5),
        Task("bbh", "multi-step reasoning", 3.0, few_shot=3, metric="exact_match,get-answer"),
        Task("hellaswag", "commonsense", 1.0, few_shot=10, metric="acc_norm,none"),
        Task("winogrande", "commonsense", 1.0, few_shot=5),
    ),
    "miniature": (
        Task("uniapl_miniature_generation", "closing phrases", 1.0, few_shot=0, metric="exact_match,last-sentence"),
        Task("uniapl_miniature_choice", "topics", 1.0, few_shot=2),
    ),
}

MULTI_TURN = tuple(
    Task(f"multi_if_turn_{turn}", "instructions in turns", 1, few_shot=0, metric="prompt_strict") for turn in TURNS
)
