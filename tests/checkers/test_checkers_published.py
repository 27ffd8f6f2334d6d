"""Both verdicts equal those of the published checkers, but for the listed differences."""

import json
import random
import unicodedata

import pytest
from support.ifeval_examples import EXAMPLES
from support.places import PUBLISHED_DATA, WITHOUT_DATA

from benchmarks.checkers import published_checkers
from uniapl.checkers import all_strict, build_all, check, ifeval
from uniapl.checkers.ifeval import without_small_words

DATA = PUBLISHED_DATA / "ifeval"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=WITHOUT_DATA)


@pytest.fixture(scope="module")
def published():
    pytest.importorskip("lm_eval.tasks.ifeval.utils", reason="lm-eval's ifeval extra is not installed")
    with published_checkers() as module:
        yield module


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


CASES = [(name, kwargs) for name, (kwargs, _, _) in EXAMPLES.items()] + VARIED
DETECTING = ("language:response_language", "change_case:english_capital", "change_case:english_lowercase")


def is_documented(name: str, kwargs: dict, text: str) -> bool:
    """A difference that the module's docstring names: upstream draws another letter, or `regex` counts its words."""
    if name == "keywords:letter_frequency":
        return not "a" <= kwargs["letter"].lower() <= "z"
    return name == "length_constraints:number_words" and any(unicodedata.category(c).startswith("M") for c in text)


def both(published, ids, kwargs, text) -> tuple[list, list]:
    """Strict and loose verdict of each instruction: ours, and those of the published checkers."""
    row = published.InputExample(key=0, instruction_id_list=ids, prompt="", kwargs=kwargs)
    strict = published.test_instruction_following_strict(row, text).follow_instruction_list
    loose = published.test_instruction_following_loose(row, text).follow_instruction_list
    verdicts = check(build_all(ids, kwargs), text)
    return list(zip(verdicts.strict, verdicts.loose, strict=True)), list(zip(strict, loose, strict=True))


def differing(ids, kwargs, text, ours, theirs) -> list[str]:
    """The instructions whose verdicts differ, but for the documented differences."""
    each = zip(ids, kwargs, ours, theirs, strict=True)
    return [name for name, given, mine, other in each if mine != other and not is_documented(name, given, text)]


def differences(published, ids, kwargs, text) -> list[str]:
    """The instructions on which we differ from the published checkers, but for the documented differences."""
    return differing(ids, kwargs, text, *both(published, ids, kwargs, text))


@pytest.mark.parametrize(("detecting", "n_texts"), [(False, 400), (True, 30)])  # upstream's detection is slow
def test_random_texts(published, detecting, n_texts):
    ids, kwargs = map(list, zip(*(c for c in CASES if (c[0] in DETECTING) == detecting), strict=True))
    rng = random.Random(0)
    n_passed = [0] * len(ids)
    for text in (random_text(rng) for _ in range(n_texts)):
        ours, theirs = both(published, ids, kwargs, text)
        assert not differing(ids, kwargs, text, ours, theirs), repr(text)
        n_passed = [n + strict for n, (strict, _) in zip(n_passed, theirs, strict=True)]
    one_sided = [name for name, n in zip(ids, n_passed, strict=True) if not 0 < n < n_texts]
    assert not one_sided, "a type that every random text follows, or none, is not compared"


def edited(text: str, rng: random.Random) -> str:
    """The text cut, its lines shuffled or repeated, in another case, or with stars and other marks put in."""
    lines, at = text.split("\n"), rng.randrange(len(text) + 1)
    mark = rng.choice(
        ("*", "**", "***", "******", "\n", "\n\n", "[", "]", ",", '"', "- ", "* ", ". ", "P.S. ", "<<", ">>")
    )
    return rng.choice(
        (
            lambda: text[:at],
            lambda: text[at:],
            lambda: "\n".join(rng.sample(lines, len(lines))),
            lambda: "\n".join(lines + lines[: rng.randrange(3)]),
            lambda: rng.choice((text.upper, text.lower, text.title, text.swapcase))(),
            lambda: mark + text + mark,
            lambda: text[:at] + mark + text[at:],
            lambda: "\n".join(mark + line for line in lines),
            lambda: "\r\n".join(lines),
        )
    )()


def edits(text: str, rng: random.Random) -> str:
    """One to three edits."""
    for _ in range(rng.randint(1, 3)):
        text = edited(text, rng)
    return text


@pytest.mark.parametrize("n_edits", [6, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", EXAMPLES)
def test_edited_examples(published, name, n_edits):
    kwargs, *responses = EXAMPLES[name]
    rng = random.Random(name)
    for response in responses:
        for text in (edits(response, rng) for _ in range(n_edits)):
            assert not differences(published, [name], [kwargs], text), repr(text)


@needs_data
@pytest.mark.parametrize(("every", "n_edits"), [(9, 1), pytest.param(1, 5, marks=pytest.mark.slow)])
def test_edited_responses_of_text_bison(published, every, n_edits):
    rng = random.Random(1)
    prompts, responses = of_text_bison()
    for row in prompts[::every]:
        for text in (edits(responses[row["prompt"]], rng) for _ in range(n_edits)):
            found = differences(published, row["instruction_id_list"], row["kwargs"], text)
            assert not found, (row["key"], text)


def test_small_words_do_not_count_as_capital_words(published):
    """The published tokenizer counts as many capital words with as without them."""
    from nltk import word_tokenize

    def n_capital(text):
        return sum(word.isupper() for word in word_tokenize(text))

    rng = random.Random(2)
    words = "a it's 'tis i'm gonna (b) say: ... -- ' \" '' `` can't. ,".split()
    words += "U.N. NATO NATO'S DON'T. CANNOT A, 'TIS I The Then. I'm Cannot D'ye Gimme \u00c9".split()
    n_shorter = 0
    for _ in range(3_000):
        drawn = "".join(rng.choice(words) + rng.choice("  \n\t") * rng.randrange(3) for _ in range(rng.randint(1, 9)))
        for text in (drawn, edits(drawn, rng), random_text(rng)):
            assert n_capital(without_small_words(text)) == n_capital(text), repr(text)
            n_shorter += without_small_words(text) != text
    assert n_shorter > 1_000


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def of_text_bison() -> tuple[list[dict], dict[str, str]]:
    """The prompts, and the response to each prompt's text."""
    responses = {row["prompt"]: row["response"] for row in rows("ifeval_textbison_responses.jsonl")}
    return rows("ifeval_input_textbison_matched.jsonl"), responses


@needs_data
def test_every_verdict_on_text_bison_equals_lm_evals():
    prompts, responses = of_text_bison()
    expected = {row["key"]: row for row in rows("reference_verdicts_textbison.jsonl")}
    assert len(prompts) == 541
    for row in prompts:
        built, response = build_all(row["instruction_id_list"], row["kwargs"]), responses[row["prompt"]]
        verdicts = check(built, response)
        assert list(verdicts.strict) == expected[row["key"]]["strict"], row["key"]
        assert list(verdicts.loose) == expected[row["key"]]["loose"], row["key"]
        assert all_strict(built, response) == all(verdicts.strict)


@needs_data
def test_every_instruction_of_the_current_prompts_builds():
    prompts = rows("ifeval_input.jsonl")
    built = [build_all(row["instruction_id_list"], row["kwargs"], where=f"key {row['key']}") for row in prompts]
    assert sum(map(len, built)) == 834
    assert {name for row in prompts for name in row["instruction_id_list"]} == ifeval.INSTRUCTIONS.keys()
