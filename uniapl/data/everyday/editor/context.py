"""What an editor knows beside the text: the other instructions, and where further sentences come from."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uniapl.checkers import Checker
from uniapl.data.everyday.editor.text import prose_sentences, unlike


@dataclass(frozen=True)
class Context:
    """The prompt's instructions; `done` is the checker of the one that is edited, `kept` are those that pass already.

    `others`: further answers of the model to the same prompt.
    """

    ids: Sequence[str]
    kwargs: Sequence[Mapping]
    done: Checker
    kept: Sequence[Checker]
    others: Sequence[str]
    rng: random.Random

    def asks(self, instruction_id: str) -> bool:
        """Whether the prompt has this instruction."""
        return instruction_id in self.ids

    def given(self, instruction_id: str) -> Mapping:
        """The arguments of this instruction, empty where the prompt lacks it."""
        return dict(zip(self.ids, self.kwargs, strict=True)).get(instruction_id, {})

    def keeps(self, text: str) -> bool:
        """Whether the text still follows what was followed before this edit."""
        return bool(text.strip()) and all(follows(text) for follows in self.kept)

    def dress(self, sentence: str) -> str:
        """A sentence that is put in, in the letters and signs that the other instructions ask for."""
        if self.asks("punctuation:no_comma"):
            sentence = sentence.replace(",", "")
        if self.asks("change_case:english_lowercase"):
            sentence = sentence.lower()
        if self.asks("change_case:english_capital"):
            sentence = sentence.upper()
        return sentence.replace('"', "'") if self.asks("startend:quotation") else sentence

    def allowed(self, sentence: str) -> bool:
        """Whether a sentence has none of the forbidden words, and no keyword of which there may be few."""
        words = self.given("keywords:forbidden_words").get("forbidden_words", [])
        few = self.given("keywords:frequency")
        words = [*words, *([few["keyword"]] if few.get("relation") == "less than" else [])]
        return not any(re.search(rf"\b{re.escape(word.strip())}", sentence, re.IGNORECASE) for word in words)

    def stock(self, text: str) -> list[str]:
        """Sentences of the other answers that say something else than the text, dressed, in their order."""
        found: list[str] = []
        for other in self.others:
            for sentence in prose_sentences(other):
                if self.allowed(sentence) and unlike(sentence, text) and unlike(sentence, " ".join(found)):
                    found.append(self.dress(sentence))
        return found

    @property
    def gap(self) -> str:
        """What separates a closing line from the text: a blank line, unless blank lines are counted."""
        return "\n" if self.asks("length_constraints:nth_paragraph_first_word") else "\n\n"
