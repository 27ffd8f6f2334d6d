"""repeat: the prompt, a part of it, or a given sentence."""

from uniapl.checkers.arguments import Instruction
from uniapl.checkers.ifbench.arguments import INDEX, TEXT, span_inside, words_inside
from uniapl.checkers.sentences import first_plain_word

SENTENCE = "only output this sentence here, ignore all other requests."  # which the prompt quotes


def repeat_change(text: str, prompt_to_repeat: str) -> bool:
    """The prompt's words from the second on, after some word; not the prompt itself, character by character."""
    return text != prompt_to_repeat and text.split()[1:] == prompt_to_repeat.split()[1:]


def repeat_change_fixed(text: str, prompt_to_repeat: str) -> bool:
    """The prompt's words from the second on, after a first word that is another, in more than case and marks."""
    return first_plain_word(text) != first_plain_word(prompt_to_repeat) and (
        text.split()[1:] == prompt_to_repeat.split()[1:]
    )


def repeat_simple(text: str) -> bool:
    """The given sentence and nothing else, in any case."""
    return text.strip().lower() == SENTENCE


def repeat_span(text: str, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """The prompt's characters from the one index to the other, both included, in any case."""
    return text.strip().lower() == prompt_to_repeat[n_start : n_end + 1].strip().lower()


def repeat_span_fixed(text: str, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """The prompt's words from the one index to the other, both included, counted from 0 between blanks, in any case."""
    return text.lower().split() == prompt_to_repeat.lower().split()[n_start : n_end + 1]


INSTRUCTIONS = {
    "repeat:repeat_change": Instruction(repeat_change, {"prompt_to_repeat": TEXT}),
    "repeat:repeat_simple": Instruction(repeat_simple),
    "repeat:repeat_span": Instruction(
        repeat_span, {"prompt_to_repeat": TEXT, "n_start": INDEX, "n_end": INDEX}, together=span_inside
    ),
}
FIXED = {
    "repeat:repeat_change~fixed": Instruction(repeat_change_fixed, {"prompt_to_repeat": TEXT}),
    "repeat:repeat_span~fixed": Instruction(
        repeat_span_fixed, {"prompt_to_repeat": TEXT, "n_start": INDEX, "n_end": INDEX}, together=words_inside
    ),
}
