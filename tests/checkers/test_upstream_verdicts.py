"""The default rules are those of the pinned revisions: as their own code judged 265 texts (record_upstream.py).

Where the two differ, `DEVIATIONS` says which texts may; docs/scorers.md has the reason and the effect of each.
"""

import json
import unicodedata
from pathlib import Path

import pytest

from uniapl.checkers import all_strict, build, families

FOLDER = Path(__file__).parent
NOT_RUN = {"ifbench": {"words:start_verb"}}  # upstream's tagger is a download; here it is a list of verbs


def _not_a_letter(kwargs: dict, text: str) -> bool:
    """Upstream draws a letter for one outside a to z."""
    return not kwargs["letter"].isascii() or not kwargs["letter"].isalpha()


def _has_mark(kwargs: dict, text: str) -> bool:
    """A combining mark, as emoji have (U+FE0F), ends a word here, and is of one in NLTK since 3.10."""
    return any(unicodedata.category(character).startswith("M") for character in text)


DEVIATIONS = {
    "keywords:letter_frequency": _not_a_letter,
    "count:word_count_range": _has_mark,
    "length_constraints:number_words": _has_mark,
}


@pytest.fixture(params=[family.name for family in families.FAMILIES])
def recorded(request):
    """A family, and what its published code said."""
    path = FOLDER / f"upstream_{request.param}.json"
    return families.BY_NAME[request.param], json.loads(path.read_text(encoding="utf-8"))


def differences(family, recorded) -> dict[str, list[tuple[dict, str]]]:
    """Arguments and texts by id where the verdict here is not upstream's; where upstream raises, it must be False."""
    found = {}
    for instruction_id, cases in recorded["verdicts"].items():
        for kwargs, signs in cases:
            follows = build(instruction_id, kwargs, family=family.name)
            for text, sign in zip(recorded["texts"], signs, strict=True):
                if all_strict([follows], text) != (sign == "1"):
                    found.setdefault(instruction_id, []).append((kwargs, text))
    return found


def test_the_record_is_of_the_pinned_revision_and_has_every_type(recorded):
    family, record = recorded
    assert record["revision"] == family.revision, "run record_upstream.py on a checkout of the new revision"
    assert record["verdicts"].keys() == family.instructions.keys() - NOT_RUN.get(family.name, set())
    assert len(record["texts"]) > 250
    for instruction_id, cases in record["verdicts"].items():
        signs = "".join(signs for _, signs in cases)
        assert {"0", "1"} <= set(signs), f"{instruction_id}: no text tells a rule with one answer"


def test_every_verdict_is_that_of_the_pinned_code_but_for_the_stated_deviations(recorded):
    family, record = recorded
    for instruction_id, cases in differences(family, record).items():
        assert instruction_id in DEVIATIONS, (instruction_id, cases[0])
        assert all(DEVIATIONS[instruction_id](*case) for case in cases), (instruction_id, cases)


def test_the_rule_before_the_pinned_revision_is_noticed(monkeypatch):
    """repeat_phrase before ebca9f7 looked at the last repetition only."""
    from dataclasses import replace

    from uniapl.checkers import iftrain

    def before(text, phrase, small_n):
        differing = iftrain._differences(text, phrase, small_n)
        return bool(differing) and max(differing) == differing[-1] == 1

    family = families.BY_NAME["iftrain"]
    old = replace(family.instructions["copy:repeat_phrase"], follows=before)
    monkeypatch.setitem(families.BY_NAME, "iftrain", replace(family, fixed={"copy:repeat_phrase": old}))
    record = json.loads((FOLDER / "upstream_iftrain.json").read_text(encoding="utf-8"))
    assert list(differences(families.BY_NAME["iftrain"], record)) == ["copy:repeat_phrase"]
