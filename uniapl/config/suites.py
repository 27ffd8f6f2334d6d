"""The general benchmarks: which, at what version, with how many examples, shown by which metric."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task or group of lm-eval 0.4.13, or a turn of Multi-IF (uniapl/generate/converse.py).

    `few_shot`: examples in each prompt; `metric`: the one that tables show, with lm-eval's filter; `code`: runs what
    the model wrote. `tokens`: of an answer at most, where lm-eval's own is not meant (256 cut nearly every solution of
    a chat model); 0 leaves the task as it is. `until`: texts that end an answer, in the place of the task's own.
    `unit`: "%" where a row is a share from 0 to 1, else what a row counts.
    """

    name: str
    ability: str
    version: float
    few_shot: int
    metric: str = "acc,none"
    code: bool = False
    tokens: int = 0
    until: tuple[str, ...] | None = None
    unit: str = "%"


CUT = "cut"  # the metric of an answer of `tokens` tokens: it did not end by itself
CONTEXT = (
    8_192  # tokens of prompt and answer, ours: five examples of MMLU's longest subject, or three of bbh's and 2,048
)
TURNS = (1, 2, 3)  # of Multi-IF's conversations
COLUMNS = ["task", "doc_id", "metric", "value"]  # of a row of these benchmarks: one value of one prompt

SUITES = {
    "none": (),
    # Few-shot numbers: those of the Open LLM Leaderboard's first version, or the task's own where it fixes them; five
    # for both Chinese examinations, as their papers report. Metrics likewise, but for gsm8k's flexible extraction: the
    # mark that the strict one asks for is the few-shot examples', not a chat model's. Left out: cmmlu, whose repository
    # is a loading script, which datasets 4 and newer refuse; hendrycks_math500, which takes what lies between the first
    # and the last `$` of an answer for its result. bbh's own texts that end an answer are "Q" and an empty line.
    "general": (
        Task("mmlu", "English", 2, few_shot=5),
        Task("arc_challenge", "English", 1.0, few_shot=25, metric="acc_norm,none"),
        Task("gsm8k", "mathematics", 3.0, few_shot=5, metric="exact_match,flexible-extract", tokens=2_048),
        Task("uniapl_math500", "mathematics", 1.0, few_shot=0, metric="exact_match,none", tokens=2_048),
        Task("humaneval_instruct", "coding", 4.0, few_shot=0, metric="pass@1,create_test", code=True, tokens=2_048),
        Task("mbpp_instruct", "coding", 1.0, few_shot=3, metric="pass_at_1,extract_code", code=True, tokens=2_048),
        Task("ceval-valid", "Chinese", 2.0, few_shot=5),
        Task(
            "bbh",
            "multi-step reasoning",
            3.0,
            few_shot=3,
            metric="exact_match,get-answer",
            tokens=2_048,
            until=("Q:", "</s>", "<|im_end|>"),
        ),
        Task("hellaswag", "commonsense", 1.0, few_shot=10, metric="acc_norm,none"),
        Task("winogrande", "commonsense", 1.0, few_shot=5),
    ),
    # Procedural questions, and texts whose perplexity per word counts: no hub (uniapl/generate/tasks/general.py).
    "everyday": (
        Task("uniapl_reasoning_sum_of_digits", "arithmetic", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_sum_of_two", "arithmetic", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_product", "arithmetic", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_expression", "arithmetic", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_common_divisor", "arithmetic", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_common_multiple", "arithmetic", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_sequence", "multi-step reasoning", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_syllogism", "multi-step reasoning", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_family", "multi-step reasoning", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_weekday", "multi-step reasoning", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_letters", "text", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_reasoning_haystack", "text", 1.0, few_shot=0, metric="exact,none"),
        Task("uniapl_text_story", "reading", 1.0, few_shot=0, metric="word_perplexity_of_text,none", unit="per word"),
        Task(
            "uniapl_text_physicians", "reading", 1.0, few_shot=0, metric="word_perplexity_of_text,none", unit="per word"
        ),
    ),
    "miniature": (
        Task("uniapl_miniature_generation", "closing phrases", 1.0, few_shot=0, metric="exact_match,last-sentence"),
        Task("uniapl_miniature_choice", "topics", 1.0, few_shot=2),
    ),
}

MULTI_TURN = tuple(
    Task(f"multi_if_turn_{turn}", "instructions in turns", 1, few_shot=0, metric="prompt_strict") for turn in TURNS
)
