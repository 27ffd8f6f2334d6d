"""The editor: a response of a language model, made to follow its instructions by deterministic edits.

    edit(response, ids, kwargs, others=...) -> Edited(text, edits, followed)

An edit moves, cuts, replaces or marks what is there. Where an instruction needs more text than there is, the sentences
come from `others`, further answers of the same model to the same prompt. Sentences of ours are put in for a keyword
that no answer has (editor/words.py) and for missing placeholders (editor/surface.py), and for nothing else. Editors are
applied to the instructions that are broken, in ORDER, until every checker passes: what decides the form comes first,
then what sentences say and their number, then marks and letters. An editor does not undo what is followed already
(`Context.keeps`), as far as it can.
"""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from uniapl import checkers
from uniapl.data.everyday.editor import form, surface, words
from uniapl.data.everyday.editor.context import Context
from uniapl.data.everyday.editor.text import finished

Editor = Callable[[str, Mapping, Context], str]

EDITORS: dict[str, Editor] = {  # in the order in which they are applied
    "combination:two_responses": form.two_responses,
    "detectable_format:number_bullet_lists": form.bullets,
    "detectable_format:multiple_sections": form.sections,
    "length_constraints:number_paragraphs": form.paragraphs,
    "length_constraints:nth_paragraph_first_word": form.nth_paragraph,
    "keywords:forbidden_words": words.forbidden,
    "length_constraints:number_words": form.number_words,
    "length_constraints:number_sentences": form.number_sentences,
    "keywords:existence": words.existence,
    "keywords:frequency": words.frequency,
    "keywords:letter_frequency": words.letter,
    "detectable_content:number_placeholders": surface.placeholders,
    "detectable_content:postscript": form.postscript,
    "startend:end_checker": form.ending,
    "detectable_format:number_highlighted_sections": surface.highlights,
    "change_case:capital_word_frequency": surface.capital_words,
    "punctuation:no_comma": surface.no_comma,
    "change_case:english_lowercase": surface.lowercase,
    "change_case:english_capital": surface.capitals,
    "startend:quotation": surface.quotation,
}
ORDER = {name: number for number, name in enumerate(EDITORS)}
ROUNDS = 4  # edits of one instruction, at most: others may undo the first


@dataclass(frozen=True)
class Edited:
    """A response after its edits. `edits`: the types whose editors changed it; `followed`: all checkers pass."""

    text: str
    edits: tuple[str, ...] = field(default=())
    followed: bool = False


def edit(
    response: str, ids: Sequence[str], kwargs: Sequence[Mapping], others: Sequence[str] = (), complete: bool = True
) -> Edited:
    """The response, edited until it follows every instruction, or as far as that goes.

    `others`: further answers to the same prompt, the material of longer texts; `complete`: whether the response ended
    by itself, otherwise it is cut after its last whole sentence. The same arguments give the same text.
    """
    rules = checkers.build_all(ids, kwargs)
    text = response.strip() if complete else finished(response)
    applied: list[str] = []
    if not text:
        return Edited(response)
    if not complete and text != response.strip():
        applied.append("cut")
    rng = random.Random(hashlib.sha256(response.encode("utf-8", "replace")).digest())
    material = tuple(filter(None, (finished(other) for other in others)))
    tries = dict.fromkeys(range(len(ids)), 0)
    while True:
        verdicts = [bool(text.strip()) and rule(text) for rule in rules]
        broken = [i for i, follows in enumerate(verdicts) if not follows and ids[i] in ORDER and tries[i] < ROUNDS]
        if not broken:
            return Edited(text, tuple(applied), all(verdicts))
        worst = min(broken, key=lambda i: ORDER[ids[i]])
        tries[worst] += 1
        kept = tuple(rule for rule, follows in zip(rules, verdicts, strict=True) if follows)
        context = Context(tuple(ids), tuple(kwargs), rules[worst], kept, material, rng)
        changed = EDITORS[ids[worst]](text, kwargs[worst], context)
        if changed != text:
            applied.append(ids[worst])
            text = changed
        else:
            tries[worst] = ROUNDS
