"""The checkers agree with the published ones, raise on no response, and refuse what they cannot check."""

import json
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniapl import checkers
from uniapl.checkers import INSTRUCTIONS, all_strict, build, build_all, check, variants

DATA = Path(__file__).parents[2] / "shared" / "data" / "ifeval"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"IFEval's files are not in {DATA}")

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
        "Dear [name\n]",
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
        "A well-KNOWN NATO-LED fact: I",
        "A fact",
    ),
    "change_case:english_capital": ({}, ENGLISH.upper(), ENGLISH.upper() + "s"),
    "change_case:english_lowercase": ({}, ENGLISH, ENGLISH.capitalize()),
    "punctuation:no_comma": ({}, "No comma; none.", "One, comma"),
}
ALL = {name: build(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items()}


def test_the_examples_cover_all_25_types():
    assert EXAMPLES.keys() == INSTRUCTIONS.keys()
    assert len(INSTRUCTIONS) == 25


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_response_follows_and_one_does_not_and_a_blank_one_never_does(name):
    _, good, bad = EXAMPLES[name]
    assert check([ALL[name]], good) == checkers.Verdicts((True,), (True,))
    assert check([ALL[name]], bad).strict == (False,)
    assert all_strict([ALL[name]], good)
    assert not all_strict([ALL[name]], bad)
    for blank in ("", " ", "\n\n", "\u2003\n"):
        assert check([ALL[name]], blank) == checkers.Verdicts((False,), (False,))
        assert not all_strict([ALL[name]], blank)


COUNTED = [  # id, the arguments' names for number and relation, other arguments, a text with exactly 3
    ("keywords:frequency", "frequency", "relation", {"keyword": "go"}, "go Go ego"),
    ("keywords:letter_frequency", "let_frequency", "let_relation", {"letter": "A"}, "a banAn"),
    ("keywords:letter_frequency", "let_frequency", "let_relation", {"letter": "!"}, "No! No!!"),
    ("length_constraints:number_sentences", "num_sentences", "relation", {}, "It rains. Does it? It does!"),
    ("length_constraints:number_words", "num_words", "relation", {}, "one, two; three."),
    (
        "change_case:capital_word_frequency",
        "capital_frequency",
        "capital_relation",
        {},
        "I saw NATO and U.N. Troops",
    ),
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


# Any response, any machine, any order -------------------------------------------------------------


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(st.characters(), max_size=60) | st.text("*-.[]<>\"' \n\r\u2028`{}1aZß,\ud800\x00", max_size=60))
def test_no_text_raises_and_strict_implies_loose(response):
    verdicts = check(list(ALL.values()), response)
    assert all(type(v) is bool for v in verdicts.strict + verdicts.loose)
    assert all(loose or not strict for strict, loose in zip(verdicts.strict, verdicts.loose, strict=True))


@pytest.mark.parametrize(
    "unit", ["[", "<<", "*", "\n", " ", "a. ", "p. ", '"', '{"a":', "[[", "- \n", "A-", "a@", "Section "]
)
def test_100_kb_of_one_repeated_text_are_checked_in_seconds(unit):
    text = (unit * 100_000)[:100_000]
    for name, follows in ALL.items():
        start = time.perf_counter()
        follows(text + "x")
        assert time.perf_counter() - start < 15, name


def test_language_verdicts_do_not_depend_on_the_order_of_calls():
    rng = random.Random(0)
    words = "no la de en si ja man an so die das tag do para on il mare sol vita en".split()
    texts = [" ".join(rng.choices(words, k=2)) for _ in range(60)]
    rounds = []
    for _ in range(3):
        checkers.detect_language.cache_clear()
        order = rng.sample(texts, len(texts))
        found = {text: checkers.detect_language(text) for text in order}
        rounds.append([found[text] for text in texts])
    assert rounds[0] == rounds[1] == rounds[2]
    assert len(set(rounds[0])) > 5, "texts too clear to notice a random draw"


def test_undetectable_text_counts_as_the_language():
    assert build("language:response_language", {"language": "ko"})("123 456")
    assert not build("change_case:english_capital", {})("123 456"), "but has no capital letters"


def test_the_language_codes_are_those_of_langdetect():
    from langdetect.detector_factory import PROFILES_DIRECTORY

    assert sorted(checkers.LANGUAGES) == sorted(p.name for p in Path(PROFILES_DIRECTORY).iterdir() if p.is_file())


def test_verdicts_ask_nltk_for_no_data(monkeypatch):
    import nltk

    def refuse(*args, **kwargs):
        raise AssertionError("asked for installed data")

    for name in ("find", "load"):
        monkeypatch.setattr(nltk.data, name, refuse)
    monkeypatch.setattr(nltk, "download", refuse)
    checkers._sentence_tokenizer.cache_clear()
    checkers._word_tokenizer.cache_clear()
    assert ALL["length_constraints:number_sentences"]("He came. He left.")
    assert ALL["change_case:capital_word_frequency"]("NATO and UN. ")


def test_importing_the_module_loads_no_heavy_package():
    code = "import sys, uniapl.checkers; print([m for m in ('torch', 'nltk', 'langdetect') if m in sys.modules])"
    root = Path(__file__).parents[1]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).strip() == "[]"


# The published checkers ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    """lm-eval's module of both rules, with nothing downloaded, no language model for Punkt, and seed 0."""
    nltk = pytest.importorskip("nltk", reason="lm-eval's ifeval extra is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nltk, "download", lambda *args, **kwargs: False)
        utils = pytest.importorskip("lm_eval.tasks.ifeval.utils", reason="lm-eval is not installed")
        from langdetect import DetectorFactory
        from lm_eval.tasks.ifeval import instructions, instructions_util
        from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

        patch.setattr(DetectorFactory, "seed", 0)
        patch.setattr(instructions.logger, "disabled", True)
        patch.setattr(nltk, "word_tokenize", partial(nltk.word_tokenize, preserve_line=True))
        punkt = PunktSentenceTokenizer(PunktParameters())
        patch.setattr(instructions_util, "_get_sentence_tokenizer", lambda: punkt)
        yield utils


PIECES = """* ** *** ****** - -- [ ] [x] << >> <<t>> > < ` ``` ```json {} {"a":1} [1] " ' . .. ! ? , ; 1 2 a
go Go GO ego rain RAIN sun ſun NATO U.N. I I'm Dr. P.S. P.P.S p.s. p. s. p.p.s. PS: Section SECTION Section1
SECTION2 yes Straße Σας ﬁn 中文。 no. _ é""".split()
PIECES += ["My answer is no.", "Any questions?", "What is rain?", "SECTION\u00a02", "\u212a", "\ud800"]
JOINTS = ["", "", " ", " ", " ", "\n", "\n", "\n\n", "\n\n", "\r\n", "\t", "\u2028", "\x1c", "  \n"]
VARIED = [  # id and arguments, beside those of EXAMPLES
    ("keywords:existence", {"keywords": ["go", "straße"]}),
    ("keywords:frequency", {"keyword": "go", "frequency": 2, "relation": "less than"}),
    ("keywords:forbidden_words", {"forbidden_words": ["go", "sun", "é"]}),
    ("keywords:letter_frequency", {"letter": "s", "let_frequency": 3, "let_relation": "less than"}),
    ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"}),
    ("length_constraints:number_words", {"num_words": 5, "relation": "less than"}),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 1}),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "GO"},
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "a"},
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 1}),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}),
    ("detectable_content:postscript", {"postscript_marker": "PS"}),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}),
    ("detectable_format:multiple_sections", {"section_spliter": "Section", "num_sections": 1}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Go"}),
    ("startend:end_checker", {"end_phrase": "go "}),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "less than"}),
]


def random_text(rng: random.Random) -> str:
    parts = rng.choices(PIECES, k=rng.randint(1, rng.choice((3, 8, 20))))
    text = "".join(part + rng.choice(JOINTS) for part in parts)
    return rng.choice((str, str, str, str.upper, str.lower, '"{}"'.format))(text)


# The letter "#" is left out, because upstream draws another one in its place.
CASES = [(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items() if kwargs.get("letter") != "#"] + VARIED
DETECTING = ("language:response_language", "change_case:english_capital", "change_case:english_lowercase")


@pytest.mark.parametrize(("detecting", "n_texts"), [(False, 400), (True, 30)])  # detection is slow
def test_both_verdicts_equal_lm_evals_on_random_texts(published, detecting, n_texts):
    ids, kwargs = map(list, zip(*(c for c in CASES if (c[0] in DETECTING) == detecting), strict=True))
    built = build_all(ids, kwargs)
    rng = random.Random(0)
    n_passed = [0] * len(ids)
    for text in (random_text(rng) for _ in range(n_texts)):
        row = published.InputExample(key=0, instruction_id_list=ids, prompt="", kwargs=kwargs)
        strict = published.test_instruction_following_strict(row, text).follow_instruction_list
        loose = published.test_instruction_following_loose(row, text).follow_instruction_list
        verdicts = check(built, text)
        ours, theirs = zip(verdicts.strict, verdicts.loose, strict=True), zip(strict, loose, strict=True)
        differ = [name for name, v, w in zip(ids, ours, theirs, strict=True) if v != w]
        assert not differ, repr(text)
        n_passed = [n + v for n, v in zip(n_passed, strict, strict=True)]
    one_sided = [name for name, n in zip(ids, n_passed, strict=True) if not 0 < n < n_texts]
    assert not one_sided, "a type that every random text follows, or none, is not compared"


@needs_data
def test_every_verdict_on_text_bison_equals_lm_evals():
    def rows(name):
        return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]

    responses = {row["prompt"]: row["response"] for row in rows("ifeval_textbison_responses.jsonl")}
    expected = {row["key"]: row for row in rows("reference_verdicts_textbison.jsonl")}
    prompts = rows("ifeval_input_textbison_matched.jsonl")
    assert len(prompts) == 541
    for row in prompts:
        built, response = build_all(row["instruction_id_list"], row["kwargs"]), responses[row["prompt"]]
        verdicts = check(built, response)
        assert list(verdicts.strict) == expected[row["key"]]["strict"], row["key"]
        assert list(verdicts.loose) == expected[row["key"]]["loose"], row["key"]
        assert all_strict(built, response) == all(verdicts.strict)


@needs_data
def test_every_instruction_of_the_current_prompts_builds():
    rows = [json.loads(line) for line in (DATA / "ifeval_input.jsonl").read_text(encoding="utf-8").splitlines()]
    built = [build_all(row["instruction_id_list"], row["kwargs"], where=f"key {row['key']}") for row in rows]
    assert sum(map(len, built)) == 834
    assert {name for row in rows for name in row["instruction_id_list"]} == INSTRUCTIONS.keys()
