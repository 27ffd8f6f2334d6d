"""IFEval's types by example: for each its arguments, a response that follows and one that does not."""

from uniapl import checkers
from uniapl.checkers import all_strict, build, check

ENGLISH = "the quick brown fox jumps over the lazy dog and then it sleeps under the old tree."
GERMAN = "Der schnelle braune Fuchs springt über den faulen Hund und schläft dann unter dem Baum."

# id: (arguments, a response that follows, a response that does not)
EXAMPLES = {
    "keywords:existence": ({"keywords": ["rain", "sun"]}, "Sunny, then RAINY.", "Rain, then snow."),
    "keywords:frequency": (
        {"keyword": "rain", "frequency": 2, "relation": "at least"},
        "Rain on the raincoat.",
        "Rain on the coat.",
    ),
    "keywords:forbidden_words": (
        {"forbidden_words": ["rain", "snow"]},
        "My raincoat is dry.",
        "No Snow here.",
    ),
    "keywords:letter_frequency": (
        {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
        "#one #two",
        "one # two",
    ),
    "language:response_language": ({"language": "de"}, GERMAN, ENGLISH),
    "length_constraints:number_sentences": (
        {"num_sentences": 3, "relation": "less than"},
        "One here. Two here.",
        "One here. Two here. Three here.",
    ),
    "length_constraints:number_paragraphs": ({"num_paragraphs": 2}, "one\n***\ntwo\n***", "one\n\ntwo"),
    "length_constraints:number_words": (
        {"num_words": 4, "relation": "at least"},
        "well-known words, here",
        "only three words",
    ),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Rain"},
        "Sun today.\n\n'rain!' they said.",
        "Rain today.\n\nSun tomorrow.",
    ),
    "detectable_content:number_placeholders": (
        {"num_placeholders": 2},
        "Dear [name], [date]",
        "Dear [name], [date\n]",
    ),
    "detectable_content:postscript": ({"postscript_marker": "P.P.S"}, "Bye.\np. p.s: hi", "Bye.\nP.S. hi"),
    "detectable_format:number_bullet_lists": ({"num_bullets": 2}, "* a\n  - b\n** c", "* a\n* b\n- c"),
    "detectable_format:constrained_response": ({}, "Well: My answer is maybe.", "my answer is maybe."),
    "detectable_format:number_highlighted_sections": ({"num_highlights": 2}, "*a* and **b**", "*a* and * *"),
    "detectable_format:multiple_sections": (
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1\na\nSECTION2\nb",
        "Section 1\na\nSECTION 2\nb",
    ),
    "detectable_format:json_format": ({}, '```json\n{"a": [1, null]}\n```', "{'a': 1}"),
    "detectable_format:title": ({}, "<<A title>>\ntext", "<< >>\n<<a\nb>>"),
    "combination:two_responses": ({}, "one\n******\ntwo", "one\n******\none"),
    "combination:repeat_prompt": (
        {"prompt_to_repeat": "What is rain? "},
        "what is rain? It is water.",
        "Answer: What is rain?",
    ),
    "startend:end_checker": (
        {"end_phrase": "Any questions?"},
        'Done. "ANY questions?" ',
        "Any questions? Ask.",
    ),
    "startend:quotation": ({}, ' "quoted" ', '"'),
    "change_case:capital_word_frequency": (
        {"capital_frequency": 2, "capital_relation": "at least"},
        "well-KNOWN NATO-LED fact: I",
        "A fact",
    ),
    "change_case:english_capital": ({}, ENGLISH.upper(), ENGLISH.upper() + "s"),
    "change_case:english_lowercase": ({}, ENGLISH, ENGLISH.capitalize()),
    "punctuation:no_comma": ({}, "No comma; none.", "One, comma"),
}
ALL = {name: build(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items()}

UNBOUNDED = ALL | {  # with a number that few texts reach, where a checker stops at the number
    "length_constraints:number_sentences": build(
        "length_constraints:number_sentences", {"num_sentences": 1_000, "relation": "less than"}
    )
}
REPEATED = (  # units of adversarial texts
    *("[", "<<", "*", "\n", " ", '"', "'", "[[", '{"a":', "- \n", "A-", "a@", "a", "A", "I'm ", "Section ", "***"),
    *("a. ", "p. ", "!? ", "?! x", ". ", '." ', ".)", "gon", "\u4e00", "\u0e01 ", "e\u0301", "http://a ", "<<a>"),
    *("[a", "1,", "a@a ", "[A", "A.)", "a.", "\r\n", "\U0001f600", "\u05d0 \u0628", "\ud800", "\x00", "rain"),
    *("SECTION ", "******", "\n\n"),
)


def assert_the_examples_hold(name: str) -> None:
    """One response follows, one does not, and a blank one never does: strict, loose and as a reward."""
    _, good, bad = EXAMPLES[name]
    assert check([ALL[name]], good) == checkers.Verdicts((True,), (True,))
    assert check([ALL[name]], bad).strict == (False,)
    assert all_strict([ALL[name]], good)
    assert not all_strict([ALL[name]], bad)
    for blank in ("", " ", "\n\n", "\u2003\n"):
        assert check([ALL[name]], blank) == checkers.Verdicts((False,), (False,))
        assert not all_strict([ALL[name]], blank)
