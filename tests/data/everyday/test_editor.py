"""The editor: what each type's edit writes, that it keeps what was followed, and that it is a function."""

import pytest

from uniapl.checkers import ifeval
from uniapl.data.everyday.editor import EDITORS, edit
from uniapl.data.everyday.editor.text import chunks, cut_sentences, finished, insert, join, parse
from uniapl.data.everyday.editor.words import FRAMES
from uniapl.data.everyday.instructions import HELD_OUT, TRAINED
from uniapl.data.everyday.prompts import plain_texts
from uniapl.data.everyday.substitutes import SUBSTITUTES
from uniapl.data.everyday.topics import OLD_TOPICS

TOPIC = "baking bread at home"
TEXT = "Bread needs time. The dough rises, slowly and surely, in a warm place. Bake it until the crust is dark."
OTHER = "My oven is old but it works. Some people add olives to theirs. Let the loaf cool before you slice it."


def edited(text: str, instruction_id: str, given: dict, *others: str, complete: bool = True):
    return edit(text, [instruction_id], [given], others, complete)


def test_every_trained_type_has_an_editor_and_no_other_type_has_one():
    assert set(EDITORS) == set(TRAINED) and len(TRAINED) == 20 and len(HELD_OUT) == 5
    assert set(TRAINED) | set(HELD_OUT) == set(ifeval.INSTRUCTIONS)


def test_a_response_that_follows_everything_is_left_as_it_is():
    found = edited(TEXT, "length_constraints:number_sentences", {"num_sentences": 2, "relation": "at least"})
    assert (found.text, found.edits, found.followed) == (TEXT, (), True)


@pytest.mark.parametrize(
    ("instruction_id", "given", "expected"),
    [
        (
            "length_constraints:number_sentences",
            {"num_sentences": 3, "relation": "less than"},
            "Bread needs time. The dough rises, slowly and surely, in a warm place.",
        ),
        (
            "length_constraints:number_words",
            {"num_words": 9, "relation": "less than"},
            "Bread needs time.",
        ),
        (
            "length_constraints:number_paragraphs",
            {"num_paragraphs": 2},
            "Bread needs time. The dough rises, slowly and surely, in a warm place.\n\n***\n\n"
            "Bake it until the crust is dark.",
        ),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "finally"},
            "Bread needs time. The dough rises, slowly and surely, in a warm place.\n\n"
            "Finally, bake it until the crust is dark.",
        ),
        (
            "detectable_format:multiple_sections",
            {"section_spliter": "PART", "num_sections": 3},
            "PART 1\nBread needs time.\n\nPART 2\nThe dough rises, slowly and surely, in a warm place.\n\n"
            "PART 3\nBake it until the crust is dark.",
        ),
        (
            "detectable_format:number_bullet_lists",
            {"num_bullets": 2},
            "Bread needs time.\n\n* The dough rises, slowly and surely, in a warm place.\n"
            "* Bake it until the crust is dark.",
        ),
        (
            "keywords:forbidden_words",
            {"forbidden_words": ["place", "crust"]},
            "Bread needs time. The dough rises, slowly and surely, in a warm spot.",
        ),
        ("punctuation:no_comma", {}, TEXT.replace(",", "")),
        ("change_case:english_lowercase", {}, TEXT.lower()),
        ("change_case:english_capital", {}, TEXT.upper()),
        ("startend:quotation", {}, f'"{TEXT}"'),
        ("startend:end_checker", {"end_phrase": "I hope this helps."}, f"{TEXT}\n\nI hope this helps."),
        (
            "detectable_content:postscript",
            {"postscript_marker": "P.S."},
            "Bread needs time. The dough rises, slowly and surely, in a warm place.\n\n"
            "P.S. Bake it until the crust is dark.",
        ),
        (
            "keywords:frequency",
            {"keyword": "dough", "frequency": 1, "relation": "less than"},
            "Bread needs time. Bake it until the crust is dark.",
        ),
        (
            "keywords:letter_frequency",
            {"letter": "k", "let_frequency": 1, "let_relation": "less than"},
            "Bread needs time. The dough rises, slowly and surely, in a warm place.",
        ),
        (
            "detectable_format:number_highlighted_sections",
            {"num_highlights": 1},
            TEXT.replace("needs", "*needs*"),
        ),
        (
            "change_case:capital_word_frequency",
            {"capital_frequency": 1, "capital_relation": "at least"},
            TEXT.replace("needs", "NEEDS"),
        ),
    ],
)
def test_an_edit_that_needs_no_further_text_writes_this(instruction_id, given, expected):
    found = edited(TEXT, instruction_id, given)
    assert found.text == expected
    assert (found.edits, found.followed) == ((instruction_id,), True)


def test_text_that_is_missing_comes_from_other_answers():
    found = edited(TEXT, "length_constraints:number_sentences", {"num_sentences": 5, "relation": "at least"}, OTHER)
    added = [s for s in cut_sentences(found.text) if s not in cut_sentences(TEXT)]
    assert found.followed and len(added) == 2 and set(added) < set(cut_sentences(OTHER))


def test_without_other_answers_a_longer_text_is_not_made_up():
    given = {"num_words": 40, "relation": "at least"}
    found = edited(TEXT, "length_constraints:number_words", given)
    assert (found.text, found.edits, found.followed) == (TEXT, (), False)


def test_two_responses_are_two_answers_of_the_model():
    found = edited(TEXT, "combination:two_responses", {}, OTHER)
    assert found.text == f"{TEXT}\n\n******\n\n{OTHER}" and found.followed
    assert not edited(TEXT, "combination:two_responses", {}).followed
    assert not edited(TEXT, "combination:two_responses", {}, TEXT).followed


def test_a_keyword_comes_in_a_sentence_of_another_answer_or_else_in_one_of_ours():
    real = edited(TEXT, "keywords:existence", {"keywords": ["olives"]}, OTHER)
    assert real.followed and "Some people add olives to theirs." in real.text
    ours = edited(TEXT, "keywords:existence", {"keywords": ["bowl"]}, OTHER)
    assert ours.followed and any(frame.format(word="bowl") in ours.text for frame in FRAMES)


def test_a_keyword_is_repeated_in_different_sentences():
    found = edited(TEXT, "keywords:frequency", {"keyword": "bowl", "frequency": 4, "relation": "at least"})
    added = [s for s in cut_sentences(found.text) if "bowl" in s]
    assert found.followed and len(set(added)) == 4


def test_a_truncated_answer_is_cut_after_its_last_sentence():
    cut = TEXT + " Serve it with butter and"
    found = edited(cut, "punctuation:no_comma", {}, complete=False)
    assert found.text == TEXT.replace(",", "") and found.edits == ("cut", "punctuation:no_comma")
    assert finished("* one item.\n* another item.\n* a third th") == "* one item.\n* another item."
    assert finished("no sentence at all") == ""


def test_an_enumeration_without_commas_has_its_conjunction_throughout():
    found = edited("You need flour, water, and salt, 1,000 g in all.", "punctuation:no_comma", {})
    assert found.text == "You need flour and water and salt 1000 g in all."


def test_a_substitute_takes_the_place_the_capitals_and_the_article():
    given = {"forbidden_words": ["easy", "simple"]}
    found = edited("Easy bread is an easy start. It is a simple one.", "keywords:forbidden_words", given)
    assert found.text == "Plain bread is a plain start. It is a plain one." and found.followed


def test_a_heading_goes_with_what_stood_under_it():
    text = "**Bread**\n\n**Good:**\nIt is warm.\n\n**Bad:**\nIt takes quite a while."
    given = {"letter": "q", "let_frequency": 1, "let_relation": "less than"}
    found = edited(text, "keywords:letter_frequency", given)
    assert found.followed and found.text == "**Bread**\n\n**Good:**\nIt is warm."


def test_quotation_marks_within_a_quotation_become_single_in_pairs():
    for inner, expected in (("'a' and b", "'a' and b"), ('so "a" and "b".', "so 'a' and 'b'."), ('so "a"', "so 'a'")):
        assert edited(inner, "startend:quotation", {}).text == f'"{expected}"'


def test_a_paragraph_that_begins_with_the_word_in_bold_is_not_begun_twice():
    given = {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "bread"}
    found = edited("**Bread** needs time.\nSo it is.", "length_constraints:nth_paragraph_first_word", given)
    assert found.text == "Bread needs time.\n\nSo it is."


def test_shortening_does_not_undo_what_was_followed():
    ids = ["keywords:existence", "length_constraints:number_sentences"]
    kwargs = [{"keywords": ["crust"]}, {"num_sentences": 3, "relation": "less than"}]
    found = edit(TEXT, ids, kwargs)
    assert found.followed and found.text == "Bread needs time. Bake it until the crust is dark."


def test_a_type_that_has_no_editor_is_reported_as_not_followed():
    found = edit(TEXT, ["detectable_format:title", "punctuation:no_comma"], [{}, {}])
    assert not found.followed and found.text == TEXT.replace(",", "")


def test_the_same_arguments_give_the_same_text():
    first, *others = plain_texts(TOPIC, OLD_TOPICS[TOPIC])
    given = {"keyword": "oven", "frequency": 5, "relation": "at least"}
    texts = {edited(first, "keywords:frequency", given, *others).text for _ in range(3)}
    assert len(texts) == 1


@pytest.mark.parametrize("text", [TEXT, "- one\n- two\n\nAnd a line.\n", "1. First. Then more.\n2. Second!", ""])
def test_a_parsed_text_joins_to_itself(text):
    assert join(parse(text)) == text.strip()


def test_abbreviations_and_initials_end_no_sentence():
    assert cut_sentences("Dr. Lee met J. Smith at 9 a.m. sharp. They left.") == [
        "Dr. Lee met J. Smith at 9 a.m. sharp.",
        "They left.",
    ]


def test_chunks_keep_every_word_in_order():
    text = " ".join(plain_texts(TOPIC, OLD_TOPICS[TOPIC]))
    for n in range(1, 8):
        parts = chunks(text, n)
        assert len(parts) == n and " ".join(parts).split() == text.split()
    assert chunks("One. Two.", 3) is None


def test_a_sentence_is_put_at_the_end_of_running_text_and_not_into_a_list():
    assert insert("Title:\n* item one.\n\nSome text.", "New.") == "Title:\n* item one.\n\nSome text. New."


def test_no_substitute_leads_in_a_circle():
    for word in SUBSTITUTES:
        seen = {word}
        while word in SUBSTITUTES:
            word = SUBSTITUTES[word]
            assert word not in seen
            seen.add(word)
