"""Every checker on responses written by hand, the loose rule, the reward, and arguments that cannot be checked."""

import subprocess
import sys
from functools import partial

import pytest
from support.ifeval_examples import ALL, ENGLISH, EXAMPLES, assert_the_examples_hold
from support.places import ROOT

from uniapl import checkers
from uniapl.checkers import all_strict, build, build_all, check, ifeval, variants


def test_the_examples_cover_all_25_types():
    assert EXAMPLES.keys() == ifeval.INSTRUCTIONS.keys()
    assert len(EXAMPLES) == 25


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_response_follows_and_one_does_not_and_a_blank_one_never_does(name):
    assert_the_examples_hold(name)


COUNTED = [  # id, the arguments' names for number and relation, other arguments, a text with exactly 3
    ("keywords:frequency", "frequency", "relation", {"keyword": "go"}, "go Go ego"),
    ("keywords:letter_frequency", "let_frequency", "let_relation", {"letter": "A"}, "a banAn"),
    ("keywords:letter_frequency", "let_frequency", "let_relation", {"letter": "!"}, "No! No!!"),
    ("length_constraints:number_sentences", "num_sentences", "relation", {}, "It rains. Does it? It does!"),
    ("length_constraints:number_sentences", "num_sentences", "relation", {}, "It rains. Does it? It does"),
    ("length_constraints:number_words", "num_words", "relation", {}, "one, two; three."),
    (
        "change_case:capital_word_frequency",
        "capital_frequency",
        "capital_relation",
        {},
        "I saw NATO and U.N. Troops",
    ),
    ("change_case:capital_word_frequency", "capital_frequency", "capital_relation", {}, "A or B or I"),
]


@pytest.mark.parametrize(("name", "number", "relation", "others", "text"), COUNTED)
def test_at_least_includes_the_number_and_less_than_excludes_it(name, number, relation, others, text):
    def verdict(n, r):
        return build(name, {number: n, relation: r, **others})(text)

    assert [verdict(n, "at least") for n in (2, 3, 4)] == [True, True, False]
    assert [verdict(n, "less than") for n in (2, 3, 4)] == [False, False, True]


@pytest.mark.parametrize(
    ("name", "number", "text", "exact"),
    [
        ("length_constraints:number_paragraphs", "num_paragraphs", "a***b *** c", True),
        ("detectable_format:number_bullet_lists", "num_bullets", "* a\n - b\n*c", True),
        ("detectable_content:number_placeholders", "num_placeholders", "[a] [[b] ] [c]", False),
        ("detectable_format:number_highlighted_sections", "num_highlights", "*a* **b** *c*", False),
    ],
)
def test_counts_are_exact_or_minimal_as_documented(name, number, text, exact):
    verdicts = [build(name, {number: n})(text) for n in (2, 3, 4)]
    assert verdicts == [not exact, True, False]


def test_the_nth_paragraph_must_exist_and_begin_with_the_word():
    first = partial(build, "length_constraints:nth_paragraph_first_word")
    second = first({"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "go"})
    assert second('a\n\n"Go" now') and second("a\n\n''GO, now\n\n")
    assert not second("a\n\ngoing now")
    assert not second("a\n\n\n\ngo now"), "a blank paragraph keeps its place in the numbering"
    assert not second("a\n\ngo\n\nb"), "one paragraph too many"


def test_only_the_first_and_the_last_part_may_be_blank():
    two, paragraphs = ALL["combination:two_responses"], ALL["length_constraints:number_paragraphs"]
    assert two("******a******b******") and not two("a****** ******b")
    assert paragraphs("***a***b***") and not paragraphs("a*** ***b")


def test_the_loose_rule_drops_first_and_last_line_and_asterisks():
    assert variants("Sure:\n*x*\ny\nBye.") == (
        "Sure:\n*x*\ny\nBye.",
        "Sure:\nx\ny\nBye.",
        "*x*\ny\nBye.",
        "x\ny\nBye.",
        "Sure:\n*x*\ny",
        "Sure:\nx\ny",
        "*x*\ny",
        "x\ny",
    )
    assert variants("one line") == ("one line",)
    assert variants(" \n ") == ()
    assert check([build("startend:quotation", {})], 'Sure:\n*"x"*').loose == (True,)
    no_comma = build("punctuation:no_comma", {})
    assert check([no_comma], "a, b") == checkers.Verdicts((False,), (False,)), "a blank variant follows nothing"


def test_a_combining_mark_ends_a_word_as_in_the_published_figures():
    hindi = "\u0939\u093f\u0928\u094d\u0926\u0940"  # one word of three letters, each with a mark
    count = "length_constraints:number_words"
    assert build(count, {"num_words": 3, "relation": "at least"})(hindi)
    assert build(count, {"num_words": 4, "relation": "less than"})(hindi)


# What re-implementations got wrong ----------------------------------------------------------------


def test_an_unknown_id_raises_names_its_row_and_suggests_one():
    with pytest.raises(ValueError, match=r"^a\.jsonl:3: keywords:existance: .*'keywords:existence'"):
        build("keywords:existance", {}, where="a.jsonl:3")
    with pytest.raises(ValueError, match="^None: unknown instruction$"):
        build(None, {})


@pytest.mark.parametrize(
    ("name", "kwargs", "problem"),
    [
        ("keywords:frequency", {"keyword": "a", "frequency": 1}, "missing argument relation"),
        ("punctuation:no_comma", {"relation": "at least"}, "unexpected argument relation"),
        (
            "length_constraints:number_words",
            {"num_words": 3, "relation": "at most"},
            "relation must be 'at least' or",
        ),
        ("length_constraints:number_words", {"num_words": 3, "relation": ["at least"]}, "relation must be"),
        (
            "length_constraints:number_words",
            {"num_words": 3.5, "relation": "at least"},
            "num_words must be a whole",
        ),
        ("length_constraints:number_paragraphs", {"num_paragraphs": 0}, "num_paragraphs must be .* not 0"),
        (
            "length_constraints:number_paragraphs",
            {"num_paragraphs": True},
            "num_paragraphs must be a whole number",
        ),
        (
            "length_constraints:number_paragraphs",
            {"num_paragraphs": "2"},
            "num_paragraphs must be a whole number",
        ),
        ("keywords:existence", {"keywords": "rain"}, "keywords must be a list"),
        ("keywords:existence", {"keywords": []}, "keywords must be a list"),
        ("keywords:forbidden_words", {"forbidden_words": ["a", " "]}, "none blank"),
        (
            "keywords:letter_frequency",
            {"letter": "ab", "let_frequency": 1, "let_relation": "at least"},
            "one charac",
        ),
        ("language:response_language", {"language": "klingon"}, "language must be a language code"),
        ("combination:repeat_prompt", {"prompt_to_repeat": ""}, "text that is not blank"),
        ("startend:end_checker", {"end_phrase": None}, "missing argument end_phrase"),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "a"},
            "no paragraph 3 of 2",
        ),
    ],
)
def test_an_argument_that_cannot_be_checked_raises(name, kwargs, problem):
    with pytest.raises(ValueError, match=f"^key 7: {name}: .*{problem}"):
        build(name, kwargs, where="key 7")


def test_padding_with_none_is_dropped():
    padded = {"num_words": 2, "relation": "less than", "keywords": None, "letter": None}
    assert build("length_constraints:number_words", padded)("one")


def test_a_repeated_id_keeps_a_verdict_for_each_time():
    ids = ["keywords:frequency"] * 2
    kwargs = [{"keyword": word, "frequency": 1, "relation": "at least"} for word in ("rain", "snow")]
    assert check(build_all(ids, kwargs), "only snow").strict == (False, True)


def test_lists_of_different_lengths_raise():
    with pytest.raises(ValueError, match="key 5: 2 in instruction_id_list but 1 in kwargs"):
        build_all(["punctuation:no_comma", "startend:quotation"], [{}], where="key 5")


def test_letters_and_words_are_literal_text():
    assert not build("keywords:existence", {"keywords": ["a.c"]})("abc")
    assert build("keywords:frequency", {"keyword": "c++", "frequency": 1, "relation": "at least"})("In C++")
    assert build("detectable_content:postscript", {"postscript_marker": "(NB)"})("end (nb) x")
    for letter in "#!":
        count = build("keywords:letter_frequency", {"letter": letter, "let_frequency": 1, "let_relation": "at least"})
        assert not count(ENGLISH) and not count(ENGLISH.upper())


def test_the_reward_is_the_conjunction_of_strict_verdicts_and_stops_at_the_first_failure():
    called = []
    built = [lambda text: called.append(text) or False, ALL["punctuation:no_comma"]]
    assert not all_strict(built + built, "text")
    assert called == ["text"]
    pair = [ALL["punctuation:no_comma"], ALL["startend:quotation"]]
    assert all_strict(pair, '"a b"')
    assert not all_strict(pair, '"a, b"')
    assert not all_strict(pair, '*"a b"*'), "the reward is strict"


# Any machine -------------------------------------------------------------------------------------


def test_importing_the_module_loads_no_heavy_package():
    code = "import sys, uniapl.checkers; print([m for m in ('torch', 'numpy', 'langdetect') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"
