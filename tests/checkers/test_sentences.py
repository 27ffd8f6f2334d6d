"""Sentences and words are cut as by the published rules and by NLTK."""

import random
import re
from itertools import chain

import pytest
import regex

from uniapl.checkers import iftrain, punkt, sentences, treebank

PIECES = """a I it It rain Rain RAIN level red warm fox furry . .. ... ! ? !! , ; : - -- * *** ' " '' `` << >> [ ] ( )
[a] ?" !" ." 1 2 1.2.3 3.5 A. U.S. U.S.A. Dr. Mr. Mrs. St. Inc. Co. Ph.D. e.g. i.e. approx. x.com www.me.org He She
It\tThis However “ ” .” can't cannot gonna wanna don't o'clock <prd> <stop> é \u0130 中。 \ud800""".split()
JOINTS = ["", " ", " ", " ", " ", "  ", "\n", "\n\n", "\t", "\u2028", "\r\n"]


def random_texts(n: int):
    rng = random.Random(0)
    for _ in range(n):
        parts = rng.choices(PIECES, k=rng.randint(1, rng.choice((3, 10, 40))))
        yield "".join(part + rng.choice(JOINTS) for part in parts)


def test_sentences_are_those_of_lm_evals_copy_of_the_rule(monkeypatch):
    nltk = pytest.importorskip("nltk", reason="lm-eval's ifeval extra is not installed")
    monkeypatch.setattr(nltk, "download", lambda *args, **kwargs: False)
    theirs = pytest.importorskip("lm_eval.tasks.ifeval.instructions_util", reason="lm-eval is not installed")
    for text in random_texts(4000):
        assert list(sentences.split_sentences(text)) == theirs.split_into_sentences(text), repr(text)


def nltk_tokens(text: str) -> list[str]:
    from nltk.tokenize.destructive import NLTKWordTokenizer
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    sentences = PunktSentenceTokenizer(PunktParameters()).tokenize(text)
    return [token for sentence in sentences for token in NLTKWordTokenizer().tokenize(sentence)]


def test_tokens_are_nltks_and_a_checker_sees_those_at_either_end():
    n_unique = 0
    for text in random_texts(3000):
        tokens = nltk_tokens(text)
        assert list(punkt.word_tokens(text)) == tokens, repr(text)
        assert list(punkt.tokens_from_both_ends(punkt.sentences(text))[1]) == tokens[::-1], repr(text)
        assert iftrain.count_unique(text) == (len(tokens) == len(set(tokens))), repr(text)
        n_unique += len(tokens) == len(set(tokens))
    assert 0 < n_unique < 3000


MARKS = (  # of texts in which a sentence may end almost anywhere
    ".?! a\u00e9\n",
    ".,;:'\"()aA1-*?! \n",
    "aA1 .\u00a0\x1c\x85\u4e2d\U0001f327\u0301)\"'\u201d`-_",
    ". .!?)\"' Xx5",
    "a. b. 1. \u0416. \u4e2d? ",
    "\u00d7.-\u0416a\u00c02 ( .",
    ".?a\u00e9 \n\x1c\x85",
    ".\u00a0 \x1cA?)",
    "((.A ?b",
    ".A. 1.. ?-b",
    "ab.?1,\u00a0A :;",
    "\u00a0. \n\x1cA?",
    ("\u0301. ", "A ", "x. "),
    (".\u00a0", ". ", "\n\x1c", "A", "x", "?", "P.S. ", "1-2. ", "a,b. ", ",. "),
    ("A.", "b.", "?1", "\u00a0", ". ", "..", "1.", "xy.", "-1", "--", "\x1c"),
    ("1. ", "2.5. ", "a. ", "\U0001d400.", "\U0001d7ce. ", " \U00010428", "\u00b2. ", ".\u2003", "1,.", ":"),
    ("\u201cA.", "\u2019b", "'", ". ", "x!", "\u00bb ", "-- ", "(a) ", ") ", "\u00a0)"),
    ("A.", "b.", ": ", ",", ".. ", ". ", "?", "x", "1", "\n", "\u00a0"),
    ("P.:Q. ", "?x.. ", "a.\u00a0", "b.:C. ", "x, y. ", "q.\n", ". ", ".)", "xy. ", "x.,y. ", "-- ", "\u4e2d. "),
    (
        "It rains. ",
        "it? ",
        "!?! ",
        '.? "',
        "a?!b ",
        "P. Lee. ",
        "\u00c0. \u0416. ",
        "(\u00c0. ",
        "\x85",
        "x.) ",
        "... ",
    ),
)


@pytest.mark.parametrize("n", [1_500, pytest.param(50_000, marks=pytest.mark.slow)])
def test_sentences_and_tokens_among_many_marks_are_nltks(n):
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    punkt_of_nltk = PunktSentenceTokenizer(PunktParameters())
    rng = random.Random(1)
    for _ in range(n):
        text = "".join(rng.choices(rng.choice(MARKS), k=rng.choice((5, 12, 40, 150))))
        assert punkt.sentences(text) == punkt_of_nltk.tokenize(text), repr(text)
        tokens = nltk_tokens(text)
        assert list(punkt.word_tokens(text)) == tokens, repr(text)
        assert list(punkt.tokens_from_both_ends(punkt.sentences(text))[1]) == tokens[::-1], repr(text)


HARD = (  # what follows decides, within the piece or in the next, or nothing follows
    "b.\u00a0A.?1",
    ". A.\u00a0b.?,: \u00a0A.,",
    "a..\u00a0A.?1",
    ",b.\u00a0\u00a0?,: :",
    "a.\u00a0. . ",
    "A.\n.*",
    "a?!.?",
    "\n.\u00a0.\u00a0. \n\x1c\t\n,?x. ",
    " \u00a0.)?\u00a0)\x1c\x1c \x1c",
    "..\x85 \x1c?\x1c.?\x1c?a",
)


@pytest.mark.parametrize("text", HARD, ids=ascii)
def test_sentences_of_texts_that_random_ones_hardly_reach_are_nltks(text):
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    assert punkt.sentences(text) == PunktSentenceTokenizer(PunktParameters()).tokenize(text)


def test_all_letters_digits_and_cases_are_among_the_signs_looked_at():
    others = "".join(map(chr, {*range(0x110000)} - {*map(ord, punkt._SIGNS)}))
    assert not regex.search(r"\w", others)
    assert not any(sign.islower() or sign.isupper() for sign in others)


def test_an_initial_goes_on_unless_a_sentence_ends_in_the_next_piece():
    assert punkt.sentences("Ask P. Lee. Go on.") == ["Ask P. Lee.", "Go on."]
    assert punkt.sentences("Ask P. so?!x. Go on.") == ["Ask P.", "so?!x.", "Go on."]


@pytest.mark.parametrize("long", [5, 1000])
def test_all_texts_have_so_many_tokens_where_each_has_whether_short_or_long(long, monkeypatch):
    monkeypatch.setattr(punkt, "_LONG", long)
    texts = ["Go on.", "It rains", "\ufdd0 x.", "Go. On"]
    assert [len(nltk_tokens(text)) for text in texts] == [3, 2, 3, 3]
    assert punkt.all_have_tokens([texts[0], texts[2], texts[3]] * 100, 3)
    for n, other in ((3, texts[1]), (4, texts[0]), (2, texts[0]), (3, "")):
        assert not punkt.all_have_tokens([*[texts[0]] * 100, other], n)


def test_tokens_from_both_ends_are_those_from_either():
    for text in random_texts(200):
        forwards, backwards = map(list, punkt.tokens_from_both_ends(punkt.sentences(text)))
        assert forwards == backwards[::-1] == list(punkt.word_tokens(text)), repr(text)


def test_the_noncharacter_between_sentences_is_read_as_its_neighbour():
    assert list(punkt.word_tokens("a\ufdd0b. \ufdd0 c.")) == ["a\ufdd1b", ".", "\ufdd1", "c", "."]
    assert treebank.tokens("Go.", '"It" is,', "on.") == ["Go", ".", "``", "It", "''", "is", ",", "on", "."]


SIGNS = """A b s n t 1 é \u0301 中 \ud800 _ . , : ; ' " ` - * ? ! ( ) [ ] { } < > $ @ # « » “ ” ‘ ’ „ — '' `` ... -- 's
n't 'll 't ') ." cannot d'ye more'n wanna Gonna gimme g\u0131mme \u0130 'tis 'twas word""".split()


@pytest.mark.parametrize("n", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_tokens_of_one_sentence_are_nltks_beside_any_sign_and_in_short_blocks(n, monkeypatch):
    from nltk.tokenize.destructive import NLTKWordTokenizer

    monkeypatch.setattr(treebank, "_BLOCK", 5)
    theirs = NLTKWordTokenizer()
    rng = random.Random(0)
    signs = SIGNS + [" "] * 8 + list("\n\t\x1c\x85\u00a0\u2028")
    for _ in range(n):
        text = "".join(rng.choices(signs, k=rng.randint(1, rng.choice((4, 12, 40)))))
        tokens = theirs.tokenize(text)
        assert treebank.tokens(text) == tokens, repr(text)
        assert list(chain.from_iterable(treebank.blocks([text]))) == tokens, repr(text)


def test_repetitions_are_those_of_upstreams_regular_expression():
    rng = random.Random(0)
    n_found = 0
    for _ in range(3000):
        text = "".join(rng.choices(["red", "fox", " ", " ", " ", "\n", "furry", "x"], k=rng.randint(1, 30)))
        expected = [found.split() for found in re.findall("red .*? fox", text)]
        assert iftrain._repetitions(text, "red", "fox") == expected, repr(text)
        n_found += len(expected)
    assert n_found > 200
