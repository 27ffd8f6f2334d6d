"""IFBench's 58 types: what follows each, what upstream's defects are, and which arguments are refused."""

from functools import partial

import pytest
from support.ifbench_examples import EXAMPLES, FIXED

from uniapl.checkers import all_strict, build, check, ifbench
from uniapl.checkers.ifbench import CATEGORIES, INSTRUCTIONS
from uniapl.errors import UserError

ALL = {name: build(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items()}


def fixed(name, kwargs):
    instruction = ifbench.FIXED[name]
    return partial(instruction.follows, **{k: instruction.arguments[k].read(v) for k, v in kwargs.items()})


def assert_example(name, follows):
    _, good, bad = EXAMPLES[name]
    assert check([follows], good).strict == check([follows], good).loose == (True,)
    assert check([follows], bad).strict == (False,)
    for blank in ("", " ", "\n\n", "\u2003\n"):
        assert check([follows], blank).loose == (False,)


def test_the_examples_cover_all_58_types_and_every_fixed_one():
    assert EXAMPLES.keys() == INSTRUCTIONS.keys() and len(INSTRUCTIONS) == 58
    assert FIXED.keys() == ifbench.FIXED.keys()
    assert {name.removesuffix("~fixed") for name in FIXED} < INSTRUCTIONS.keys()
    assert sum(len(category.INSTRUCTIONS) for category in CATEGORIES) == 58, "an id of two categories"


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_response_follows_and_one_does_not_and_a_blank_one_never_does(name):
    assert_example(name, ALL[name])


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("verdict", [True, False])
def test_a_checker_with_one_answer_is_noticed(name, verdict):
    with pytest.raises(AssertionError):
        assert_example(name, lambda text: verdict)


NUMBERS = [
    (name, argument)
    for name, (kwargs, _, _) in EXAMPLES.items()
    for argument, value in kwargs.items()
    if isinstance(value, int | float)
]


SPAN = {"prompt_to_repeat": "Write a poem about rain.", "n_start": 8, "n_end": 10}
# What the examples do not tell apart: arguments, which of them is off and by how much, a text and its verdict.
AT_THE_EDGE = {
    ("count:word_count_range", "min_words", 1): ({"min_words": 3, "max_words": 4}, "One two three", True),
    ("count:word_count_range", "max_words", 1): ({"min_words": 3, "max_words": 4}, "I am not there now", False),
    ("ratio:stop_words", "percentage", 1): ({"percentage": 50}, "the " * 51 + "cat " * 49, False),
    ("ratio:overlap", "percentage", 1): ({"reference_text": "abcd", "percentage": 2}, "xyz", True),  # 0 %
    ("repeat:repeat_span", "n_start", -1): (SPAN | {"n_start": 9}, "oe", True),
    ("repeat:repeat_span", "n_end", 1): (SPAN, "poe", True),
}


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize(("name", "argument"), NUMBERS)
def test_a_checker_that_is_off_by_one_is_noticed(name, argument, by):
    kwargs = EXAMPLES[name][0]
    if (name, argument, by) in AT_THE_EDGE:
        kwargs, text, verdict = AT_THE_EDGE[name, argument, by]
        assert build(name, kwargs)(text) is verdict
        assert build(name, kwargs | {argument: kwargs[argument] + by})(text) is not verdict
        return
    with pytest.raises((AssertionError, UserError)):
        assert_example(name, build(name, kwargs | {argument: kwargs[argument] + by}))


@pytest.mark.parametrize(
    ("module", "constant", "by", "name"),
    [
        (ifbench.words, "PALINDROMES", -1, "words:palindrome"),
        (ifbench.words, "PALINDROME_LENGTH", -1, "words:palindrome"),
        (ifbench.words, "PALINDROME_LENGTH", 1, "words:palindrome"),
        (ifbench.words, "MOST_VOWELS", 1, "words:vowel"),
        (ifbench.words, "MOST_VOWELS", -1, "words:vowel"),
        (ifbench.format, "BRACKET_LEVELS", 1, "format:parentheses"),
        (ifbench.format, "BRACKET_LEVELS", -1, "format:parentheses"),
        (ifbench.format, "QUOTE_LEVELS", 1, "format:quotes"),
        (ifbench.format, "QUOTE_LEVELS", -1, "format:quotes"),
        (ifbench.custom, "COUNTRIES", 1, "custom:reverse_newline"),
        (ifbench.custom, "COUNTRIES", -1, "custom:reverse_newline"),
        (ifbench.ratio, "TOLERANCE", -1, "ratio:overlap"),
    ],
)
def test_a_constant_that_is_off_by_one_is_noticed(monkeypatch, module, constant, by, name):
    monkeypatch.setattr(module, constant, getattr(module, constant) + by)
    with pytest.raises(AssertionError):
        assert_example(name, ALL[name])


@pytest.mark.parametrize("name", FIXED)
def test_the_fixed_rule_and_upstreams_verdicts_on_the_same_texts(name):
    kwargs, good, bad, upstream = FIXED[name]
    follows = fixed(name, kwargs)
    assert follows(good) and not follows(bad)
    published = build(name.removesuffix("~fixed"), kwargs)
    assert (published(good), published(bad)) == upstream
    assert not any(all_strict([follows], blank) for blank in ("", " \n"))


# Upstream's rules where the words of the prompt do not give them -----------------------------------


@pytest.mark.parametrize(
    ("name", "kwargs", "text", "verdict"),
    [
        ("count:numbers", {"N": 1}, "3-4", True),
        ("count:unique_word_count", {"N": 3}, "- rain ... snow", True),  # the marks are one word, ""
        ("count:pronouns", {"N": 2}, "It is it.", True),
        ("count:pronouns", {"N": 1}, "Gimme rain.", True),  # two tokens, gim and me
        ("count:pronouns", {"N": 1}, "it-self", False),
        ("count:punctuation", {}, "‽ . , ! ? ; :", True),
        ("count:punctuation", {}, "!? . , ; : ?", False),  # without !? there is no !
        ("count:words_japanese", {"N": 2}, "one 2, three", True),
        ("ratio:sentence_words", {}, "It is. It is. It is.", True),
        ("ratio:overlap", {"reference_text": "abc", "percentage": 0}, "ab", False),
        ("ratio:stop_words", {"percentage": 100}, "...", False),
        ("words:alphabet", {}, "1 2", False),
        ("words:prime_lengths", {}, "x" * 101, False),
        ("words:last_first", {}, "One sentence.", True),
        ("words:last_first", {}, "Rain. ... - .", False),
        ("words:paragraph_last_first", {}, "Snow? Is snow", False),
        ("words:words_position", {"keyword": "x"}, "x x", True),
        ("words:words_position", {"keyword": "x"}, "a x.", False),
        # the sentence alone is cut in two, so that its stop is a token of its own
        ("words:keywords_specific_position", {"keyword": "sea", "n": 1, "m": 2}, "The sea.). It rains.", True),
        ("words:start_verb", {}, "Exploring the rain", True),
        ("words:start_verb", {}, "Nothing rains", False),
        ("sentence:alliteration_increment", {}, "A b. C c d d.", True),  # 0 and 4: two pairs apart
        ("format:options", {"options": "a), b), c), d)"}, "a)", True),
        ("format:options", {"options": "a), b), c), d)"}, "a) ", False),
        ("format:options", {"options": "I know or I don't know"}, "i don't know!", True),
        ("format:line_indent", {}, "a\n\n\nb", False),
        ("format:line_indent", {}, "a\n\n b", True),
        ("format:no_bullets_bullets", {}, "It is. So is he.\n\n* c\n* d", True),
        ("format:no_bullets_bullets", {}, "It is.\n\nSo is he.\n* c\n* d", False),
        ("format:parentheses", {}, "([{([}])", False),  # a wrong closing voids what is open
        ("format:quote_unquote", {}, "'\"'", True),
        ("format:sub-bullets", {}, "No bullet", True),
        ("format:title_case", {}, "iPhone", True),
        ("format:title_case", {}, "rAIN", False),
        ("custom:date_format_list", {}, "1800-00-99", True),
        ("custom:date_format_list", {}, "1800-02-29", True),
        ("custom:date_format_list", {}, "1822-01-01", False),
        ("custom:csv_quotes", {}, '"StudentID"\t"Subject"\t"Grade"\t"Semester"\t"Score"\n' + "\t\t\t\t\n" * 3, False),
        ("custom:csv_city", {}, "ID\rID", False),  # which csv refuses to read
        ("repeat:repeat_change", {"prompt_to_repeat": "Say it."}, "Say it. ", True),
    ],
)
def test_upstreams_rule(name, kwargs, text, verdict):
    assert build(name, kwargs)(text) is verdict


@pytest.mark.parametrize("n_blank", range(5))
def test_blank_lines_go_as_from_a_list_that_is_changed_while_it_is_walked(n_blank):
    for blanks in (["", " "] * n_blank, [" ", "", ""] * n_blank, ["", "", "x", " "] * n_blank):
        lines = ["a", *blanks, "    b", *blanks[:n_blank], "     c"]
        walked = list(lines)
        for line in walked:
            if not line.strip():
                walked.remove(line)
        assert ifbench.format._without_some_blank_lines(lines) == walked


# Arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kwargs", "problem"),
    [
        ("count:numbers", {}, "missing argument N"),
        ("count:numbers", {"N": 2.5}, "N must be a whole number of at least 1, not 2.5"),
        ("count:numbers", {"N": float("inf")}, "N must be a whole number"),
        ("count:words_japanese", {"N": 0}, "N must be a whole number of at least 1"),
        ("count:words_japanese", {"N": True}, "N must be a whole number"),
        ("count:word_count_range", {"min_words": 5.0, "max_words": 4}, "at least 5 and at most 4"),
        ("ratio:stop_words", {"percentage": 101}, "percentage must be a number from 0 to 100"),
        ("ratio:overlap", {"percentage": 5, "reference_text": "ab"}, "at least 3 characters"),
        ("ratio:sentence_type", {"N": 1}, "unexpected argument N"),
        ("format:options", {"options": " "}, "options must be text that is not blank"),
        ("repeat:repeat_span", {"prompt_to_repeat": "abc", "n_start": 2, "n_end": 3}, "no span from 2 to 3 in 3"),
        ("repeat:repeat_span", {"prompt_to_repeat": "abc", "n_start": 2, "n_end": 1}, "no span from 2 to 1"),
        ("sentence:keyword", {"word": "", "N": 1}, "word must be text"),
    ],
)
def test_an_argument_that_cannot_be_checked_raises(name, kwargs, problem):
    with pytest.raises(ValueError, match=f"^key 7: {name}: .*{problem}"):
        build(name, kwargs, where="key 7")


def test_a_whole_number_may_be_written_as_a_float():
    assert build("words:repeats", {"small_n": 2.0})("a a") and not build("words:repeats", {"small_n": 2.0})("a a a")
