"""IF-RLVR's types have upstream's verdicts, or, fixed, the prompt's."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniapl import checkers
from uniapl.checkers import all_strict, check, ifeval, iftrain, iftrain_fixed, sentences
from uniapl.checkers.arguments import Instruction
from uniapl.errors import UserError

TYPES = {**iftrain.INSTRUCTIONS, **iftrain_fixed.FIXED}

FOX = {"phrase": "red warm furry fox", "small_n": 2}
ASK = {"prompt_to_repeat": "What is rain?"}
LEAST, LESS = {"relation": "at least"}, {"relation": "less than"}

# id: (arguments, a response that follows, a response that does not)
EXAMPLES = {
    "copy:repeat_phrase": (FOX, "red cold furry fox, then red hot furry fox", "red cold furry fox"),
    "copy:copy": (ASK, " what is RAIN?\n", "What is rain? Water."),
    "copy:copying_simple": (ASK, "What is rain?", "Rain."),
    "copy:copying_multiple": ({**ASK, "N": 2}, "What is rain?\n******\nwhat is rain?", "What is rain?"),
    "new:copy_span_idx": ({"prompt_to_repeat": "A small bird", "n_start": 2, "n_end": 7}, "SMALL", "small b"),
    "detectable_format:sentence_hyphens": ({}, "It rains.-It snows.", "It rains. It snows."),
    "detectable_format:square_brackets": ({}, "[It] [rains.]", "[It] rains"),
    "detectable_format:bigram_wrapping": ({}, "<<It rains>> <<today again>>", "<<It rains today>>"),
    "keywords:no_adjacent_consecutive": ({}, "apple cat", "an old big cat"),
    "keywords:word_once": ({"keyword": "rain"}, "Rain falls.", "rain on the raincoat"),
    "keywords:word_count_different_numbers": (
        {"keyword": "rain", "frequency": 2, **LEAST},
        "Rain on the raincoat.",
        "Rain.",
    ),
    "keywords:exclude_word_harder": ({"keyword": "rain"}, "Rain, no rain.", "no rain here"),
    "keywords:palindrome": ({}, "The level rises", "The sea rises"),
    "keywords:keyword_specific_position": (
        {"keyword": "rain", "n": 2, "m": 2},
        "It snows. The rain falls.",
        "The rain falls. It snows.",
    ),
    "keywords:start_end": ({}, "Rain is rain", "Rain is rain."),
    "paragraphs:paragraphs": ({}, "one\n***\ntwo", "one\n\ntwo"),
    "paragraphs:paragraphs2": ({}, "one\n\ntwo\n\n", "one\n***\ntwo"),
    "first_word:first_word_sent": ({"first_word": "it"}, "It rains. it snows!", "It rains. Snow falls."),
    "first_word:first_word_answer": ({"first_word": "It"}, "it rains. Snow falls.", "Snow falls. It rains."),
    "last_word:last_word_sent": (
        {"last_word": "rain"},
        "I like rain. You like RAIN!",
        "I like rain. You like snow.",
    ),
    "last_word:last_word_answer": ({"last_word": "rain"}, "No snow. I like 'rain'.", "I like rain. No snow."),
    "punctuation:punctuation_dot": ({}, "No stop here!", "One."),
    "punctuation:punctuation_exclamation": ({}, "One.", "One!"),
    "count:lowercase_counting": ({"N": 2}, "We Like the rain", "We like the rain"),
    "count:counting_composition": (  # It, rains and the full stop are three tokens
        {"n_sent": 1, "n_words": 3},
        "It rains.\n***\nIt snows.\n***\nIt melts.",
        "It rains.\n***\nIt snows.",
    ),
    "count:count_unique": ({}, "No word twice.", "rain or rain"),
    "count:count_increment_word": (
        {"keyword1": "rain", "keyword2": "sea"},
        "The sea, the rain, the sea",
        "The sea, the rain",
    ),
    "letters:letter_counting": ({"N": 4, **LEAST}, "rain", "sea 123"),
    "letters:letter_counting2": (
        {"letter": "a", "let_frequency": 2, "let_relation": "at least"},
        "A sea",
        "The rain",
    ),
}

# id, the argument that counts, all arguments, a text, the verdicts with one less, as given, one more
COUNTED = [
    ("copy:repeat_phrase", "small_n", FOX, EXAMPLES["copy:repeat_phrase"][1], "FTF"),
    ("copy:copying_multiple", "N", {**ASK, "N": 3}, "******".join(["What is rain?"] * 3), "FTF"),
    ("copy:copying_multiple~fixed", "N", {**ASK, "N": 3}, "******".join(["What is rain?"] * 3), "FTF"),
    ("letters:letter_counting~fixed", "N", {"N": 5, **LEAST}, "caf\u00e9 \u0436 1", "TTF"),
    ("new:copy_span_idx", "n_start", {"prompt_to_repeat": "abcdef", "n_start": 1, "n_end": 4}, "bcd", "FTF"),
    ("new:copy_span_idx", "n_end", {"prompt_to_repeat": "abcdef", "n_start": 1, "n_end": 4}, "bcd", "FTF"),
    ("new:copy_span_idx~fixed", "n_start", {"prompt_to_repeat": "abcdef", "n_start": 1, "n_end": 3}, "bcd", "FTF"),
    ("new:copy_span_idx~fixed", "n_end", {"prompt_to_repeat": "abcdef", "n_start": 1, "n_end": 3}, "bcd", "FTF"),
    (
        "keywords:word_count_different_numbers",
        "frequency",
        {"keyword": "go", "frequency": 3, **LEAST},
        "go Go ego",
        "TTF",
    ),
    (
        "keywords:word_count_different_numbers",
        "frequency",
        {"keyword": "go", "frequency": 3, **LESS},
        "go Go ego",
        "FFT",
    ),
    (
        "keywords:word_count_different_numbers~fixed",
        "frequency",
        {"keyword": "go", "frequency": 3, **LESS},
        "go Go ago-go ego",
        "FTF",
    ),
    ("keywords:keyword_specific_position", "n", {"keyword": "go", "n": 2, "m": 3}, "I ran. Now I go. No.", "FTF"),
    ("keywords:keyword_specific_position", "m", {"keyword": "go", "n": 2, "m": 3}, "I ran. Now I go. No.", "FTF"),
    ("keywords:keyword_specific_position~fixed", "n", {"keyword": "go", "n": 2, "m": 3}, "I ran. Now, I go.", "FTF"),
    ("keywords:keyword_specific_position~fixed", "m", {"keyword": "go", "n": 2, "m": 3}, "I ran. Now, I go.", "FTF"),
    ("count:lowercase_counting", "N", {"N": 2}, "We Like the rain", "FTT"),
    ("count:counting_composition", "n_sent", {"n_sent": 2, "n_words": 3}, "***".join(["I am. I do."] * 3), "FTF"),
    ("count:counting_composition", "n_words", {"n_sent": 2, "n_words": 3}, "***".join(["I am. I do."] * 3), "FTF"),
    ("count:counting_composition~fixed", "n_sent", {"n_sent": 2, "n_words": 2}, "***".join(["I am. I do."] * 3), "FTF"),
    (
        "count:counting_composition~fixed",
        "n_words",
        {"n_sent": 2, "n_words": 2},
        "***".join(["I am. I do."] * 3),
        "FTF",
    ),
    ("letters:letter_counting", "N", {"N": 3, **LEAST}, "se A", "TTF"),
    ("letters:letter_counting", "N", {"N": 3, **LESS}, "se A", "FFT"),
    (
        "letters:letter_counting2",
        "let_frequency",
        {"letter": "#", "let_frequency": 3, "let_relation": "at least"},
        "##a#",
        "TTF",
    ),
]

# id, arguments, a text, upstream's verdict, the verdict that the prompt's words ask for
FIXES = [
    ("new:copy_span_idx", {"prompt_to_repeat": "abcdef", "n_start": 1, "n_end": 3}, "bcd", False, True),
    ("new:copy_span_idx", {"prompt_to_repeat": "abcdef", "n_start": 1, "n_end": 3}, "bc", True, False),
    ("detectable_format:sentence_hyphens", {}, "It rains.-", True, False),
    ("detectable_format:sentence_hyphens", {}, "It rains.-It snows.", True, True),
    ("detectable_format:bigram_wrapping", {}, "<<It rains>> today", True, False),
    ("detectable_format:bigram_wrapping", {}, "<<It rains>> <<today>>", True, True),
    ("keywords:no_adjacent_consecutive", {}, "1 2 3", False, True),
    ("keywords:no_adjacent_consecutive", {}, "(an big", True, False),
    ("keywords:word_once", {"keyword": "rain"}, "rain and rain", False, True),
    ("keywords:word_once", {"keyword": "rain"}, "no sea", False, False),
    ("keywords:word_count_different_numbers", {"keyword": "a", "frequency": 2, **LEAST}, "a a a", True, False),
    ("keywords:exclude_word_harder", {"keyword": "rain"}, "Rain, no rain.", True, False),
    ("keywords:exclude_word_harder", {"keyword": "rain"}, "No raincoat", True, True),
    ("keywords:palindrome", {}, "A sea", True, False),
    ("keywords:palindrome", {}, "'Level'?", False, True),
    ("keywords:keyword_specific_position", {"keyword": "rain", "n": 1, "m": 3}, "Yes, the Rain falls.", False, True),
    ("first_word:first_word_sent", {"first_word": "it"}, "It, too, rains.", False, True),
    ("first_word:first_word_sent", {"first_word": "it"}, "It rains. No.", False, False),
    ("first_word:first_word_answer", {"first_word": "it"}, "It, too, rains. No.", False, True),
    ("first_word:first_word_answer", {"first_word": "it"}, "No.", False, False),
    (
        "count:counting_composition",
        {"n_sent": 1, "n_words": 2},
        "It rains. * * * It snows. * * * It melts.",
        False,
        True,
    ),
    ("count:count_unique", {}, "One, two, three", False, True),
    ("copy:copy", ASK, "what is RAIN?", True, False),
    ("copy:copy", ASK, "What is rain?\n", True, True),
    ("copy:copying_simple", ASK, "what is rain?", True, False),
    ("copy:copying_simple", ASK, " What is rain? ", True, True),
    ("copy:copying_multiple", {**ASK, "N": 2}, "What is rain?\n******\nwhat is rain?", True, False),
    ("detectable_format:square_brackets", {}, "[It] [rains].", False, True),
    ("detectable_format:square_brackets", {}, "[It]rains[today]", True, False),
    ("keywords:word_once", {"keyword": "art"}, "Start", True, False),
    ("keywords:word_count_different_numbers", {"keyword": "art", "frequency": 1, **LEAST}, "Start", True, False),
    ("keywords:start_end", {}, "“Don't say don't", False, True),
    ("keywords:start_end", {}, "- a -", True, False),
    ("count:lowercase_counting", {"N": 1}, "I don't", False, True),
    ("count:lowercase_counting", {"N": 1}, "caf\u00e9 cr\u00e8me", True, False),
    ("count:count_increment_word", {"keyword1": "art", "keyword2": "b"}, "Start b b", True, False),
    ("count:count_increment_word", {"keyword1": "art", "keyword2": "b"}, "Art, no start: b b", False, True),
    ("letters:letter_counting", {"N": 4, **LEAST}, "caf\u00e9", False, True),
    ("count:count_unique", {}, "Rain or rain", True, False),
]

# id, arguments, a text, the verdict: where the rule is easily missed
EDGES = [
    ("copy:repeat_phrase", FOX, "red hot furry fox red hot blue fox", False),  # two words differ
    ("copy:repeat_phrase", FOX, "red hot furry fox red warm furry fox", False),  # the last does not differ
    ("copy:repeat_phrase", FOX, "red warm furry fox, red hot furry fox", False),  # nor the first, since ebca9f7
    ("copy:repeat_phrase", {"phrase": "rain falls down", "small_n": 2}, "rain falls down\nrain B down", False),
    ("copy:repeat_phrase", FOX, "red hot furry\nfox red hot furry fox", False),  # a line's end ends a repetition
    ("copy:repeat_phrase", FOX, "red hot fox red hot furry fox", False),  # a word too few
    ("new:copy_span_idx", {"prompt_to_repeat": "abcdef", "n_start": 0, "n_end": 2}, "ab", True),
    ("detectable_format:sentence_hyphens", {}, "One sentence.", True),
    ("detectable_format:sentence_hyphens", {}, "It rains. -It snows.", False),
    ("detectable_format:sentence_hyphens", {}, "one-two", False),  # no sign ends the first sentence
    ("detectable_format:bigram_wrapping", {}, "rain", True),
    ("keywords:no_adjacent_consecutive", {}, "big apple", True),  # only upwards
    ("keywords:no_adjacent_consecutive", {}, "\u0130 z", False),
    ("keywords:exclude_word_harder", {"keyword": "rain"}, "no Rain here", True),
    ("keywords:exclude_word_harder", {"keyword": "rain"}, "no rain", True),
    ("keywords:word_once", {"keyword": "a.c"}, "abc", False),
    ("keywords:keyword_specific_position", {"keyword": ["go"], "n": 1, "m": 2}, "I go", True),
    ("keywords:keyword_specific_position", {"keyword": "go", "n": 1, "m": 2}, "I Go", False),
    ("keywords:keyword_specific_position", {"keyword": "go", "n": 1, "m": 3}, "Yes, go on", True),
    ("keywords:start_end", {}, "Rain", False),
    ("keywords:start_end", {}, "Rain. It is rain", True),
    ("keywords:start_end", {}, '"Rain" is "rain"', False),  # an opening mark is no closing one
    ("paragraphs:paragraphs", {}, "***one***two***", True),
    ("paragraphs:paragraphs", {}, "one", False),
    ("paragraphs:paragraphs", {}, "one***two***three", False),
    ("paragraphs:paragraphs", {}, "one*** ***two", False),
    ("paragraphs:paragraphs2", {}, "one", False),
    ("paragraphs:paragraphs2", {}, "one\n\ntwo\n\nthree", False),
    ("paragraphs:paragraphs2", {}, "one\n\n\n\ntwo", False),
    ("first_word:first_word_sent", {"first_word": ["it"]}, "It rains", True),
    ("first_word:first_word_sent", {"first_word": "it"}, "It rains!!", False),  # a sentence of one sign
    ("last_word:last_word_sent", {"last_word": "dont"}, "I don't.", True),
    ("count:lowercase_counting", {"N": 1}, "a1 B c_d \u00e9e e", True),
    ("count:counting_composition", {"n_sent": 1, "n_words": 3}, "I am.***I am.***I am.***", False),  # a blank end
    ("count:count_unique", {}, "One, two, three", False),
    ("count:count_increment_word", {"keyword1": "a", "keyword2": "b"}, "a b", False),
    ("count:count_increment_word", {"keyword1": "a", "keyword2": "b"}, "a B b", True),
    ("count:count_increment_word", {"keyword1": "a", "keyword2": "b"}, "a a b b", False),
    ("count:count_increment_word", {"keyword1": "a", "keyword2": "b"}, "a b b b", False),
    ("letters:letter_counting", {"N": 2, **LESS}, "\u00e9\u00fc1 a", True),
]


def build(name: str, kwargs: dict, types: dict[str, Instruction] = TYPES):
    """The checker, also of a fixed or a broken type."""
    instruction = types[name]
    read = {key: argument.read(kwargs[key]) for key, argument in instruction.arguments.items()}
    return lambda text: instruction.follows(text, **read)


ALL = {name: checkers.build(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items()}
ALL |= {name: build(name, EXAMPLES[name.removesuffix("~fixed")][0]) for name in iftrain_fixed.FIXED}

CASES = [
    *((name, kwargs, text, verdict) for name, example in EXAMPLES.items() for kwargs, text, verdict in (
        (example[0], example[1], True), (example[0], example[2], False)
    )),
    *((name, {**kwargs, argument: kwargs[argument] + step}, text, verdict == "T")
      for name, argument, kwargs, text, verdicts in COUNTED
      for step, verdict in zip((-1, 0, 1), verdicts, strict=True)),
    *((name, kwargs, text, upstream) for name, kwargs, text, upstream, _ in FIXES),
    *((f"{name}~fixed", kwargs, text, fixed) for name, kwargs, text, _, fixed in FIXES),
    *EDGES,
]  # fmt: skip


def test_there_are_29_types_and_none_is_ifevals():
    assert EXAMPLES.keys() == iftrain.INSTRUCTIONS.keys()
    assert len(EXAMPLES) == 29
    assert not EXAMPLES.keys() & ifeval.INSTRUCTIONS.keys()
    assert {name.removesuffix("~fixed") for name in iftrain_fixed.FIXED} <= EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_response_follows_and_one_does_not_and_a_blank_one_never_does(name):
    _, good, bad = EXAMPLES[name]
    assert check([ALL[name]], good) == checkers.Verdicts((True,), (True,))
    assert not all_strict([ALL[name]], bad)
    for blank in ("", " ", "\n\n", "\u2003\n"):
        assert check([ALL[name]], blank) == checkers.Verdicts((False,), (False,))


@pytest.mark.parametrize(("name", "kwargs", "text", "verdict"), CASES)
def test_every_verdict_is_the_one_derived_by_hand(name, kwargs, text, verdict):
    assert build(name, kwargs)(text) is verdict


@pytest.mark.parametrize("name", TYPES)
def test_a_broken_checker_is_noticed(name):
    def shifted(argument, by):
        read = TYPES[name].arguments[argument].read
        arguments = {**TYPES[name].arguments}
        arguments[argument] = arguments[argument]._replace(read=lambda value: read(value) + by)
        return Instruction(TYPES[name].follows, arguments)

    counts = [key for key, value in TYPES[name].arguments.items() if value in (iftrain.COUNT, iftrain.INDEX)]
    mutants = {
        "always": Instruction(lambda text, **_: True, TYPES[name].arguments),
        "never": Instruction(lambda text, **_: False, TYPES[name].arguments),
        **{f"{key} {by:+}": shifted(key, by) for key in counts for by in (-1, 1)},
    }
    own = [(kwargs, text, verdict) for of, kwargs, text, verdict in CASES if of == name]
    survived = [
        what
        for what, mutant in mutants.items()
        if all(build(name, kwargs, {name: mutant})(text) == verdict for kwargs, text, verdict in own)
    ]
    assert not survived


# Arguments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kwargs", "problem"),
    [
        ("copy:repeat_phrase", {"phrase": "a b"}, "missing argument small_n"),
        ("copy:copy", {}, "missing argument prompt_to_repeat"),
        ("copy:copying_multiple", {**ASK, "N": 0}, "N must be a whole number of at least 1, not 0"),
        ("new:copy_span_idx", {**ASK, "n_start": -1, "n_end": 3}, "n_start must be a whole number of at least 0"),
        ("new:copy_span_idx", {**ASK, "n_start": 3, "n_end": 3}, "there is no span from 3 to 3 of 13 characters"),
        ("new:copy_span_idx", {**ASK, "n_start": 13, "n_end": 20}, "there is no span from 13 to 20"),
        ("keywords:palindrome", {"N": 1}, "unexpected argument N"),
        ("keywords:keyword_specific_position", {"keyword": [], "n": 1, "m": 1}, "keyword must be a word, or a list"),
        ("first_word:first_word_sent", {"first_word": " "}, "first_word must be a word"),
        ("last_word:last_word_sent", {"last_word": [3]}, "last_word must be a word"),
        ("letters:letter_counting", {"N": 3, "relation": "at most"}, "relation must be 'at least' or"),
        ("letters:letter_counting2", {"letter": "ab", "let_frequency": 1, "let_relation": "at least"}, "one character"),
        ("count:count_uniqe", {}, "did you mean 'count:count_unique'"),
    ],
)
def test_an_argument_that_cannot_be_checked_raises(name, kwargs, problem):
    with pytest.raises(UserError, match=f"^key 7: {name}: .*{problem}"):
        checkers.build(name, kwargs, where="key 7")


# Any response -------------------------------------------------------------------------------------

SIGNS = "*-.[]<>\"' \n\r\u2028`aAbBrainé,!?\ud800\x00\u0130\u05d0"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(st.characters(), max_size=60) | st.text(SIGNS, max_size=60))
def test_no_text_raises_and_strict_implies_loose(response):
    verdicts = check(list(ALL.values()), response)
    assert all(type(follows(text)) is bool for follows in ALL.values() for text in (response, ""))
    assert all(type(v) is bool for v in verdicts.strict + verdicts.loose)
    assert all(loose or not strict for strict, loose in zip(verdicts.strict, verdicts.loose, strict=True))


UNITS = [
    "a",
    " ",
    "\n",
    ".",
    "a.",
    "a. ",
    "A. ",
    "1.",
    "...",
    "!",
    '."',
    "-",
    "It rains.-",
    "******",
    "***\n",
    "red ",
    "<<",
]
UNITS += [
    "red  fox ",
    "[a] ",
    "a, ",
    ",",
    "'",
    "can't ",
    "word",
    "\u0130 ",
    "\U0001f600",
    "Mr. ",
    "Inc. He ",
    "\t\n",
    "A.  ",
]


@pytest.mark.parametrize("unit", [*UNITS, "distinct words", "blanks after a stop"])
def test_100_kb_take_no_quadratic_time(unit):
    """A quadratic step would take minutes; the slowest takes 0.06 seconds."""
    text = (unit * 100_000)[:100_000] + "x"
    if unit == "distinct words":
        text = " ".join(map(str, range(17_000)))
    if unit == "blanks after a stop":
        text = "A." + " " * 100_000 + "X"
    for name, follows in ALL.items():
        sentences.split_sentences.cache_clear()
        start = time.process_time()
        follows(text)
        assert time.process_time() - start < 1, name
