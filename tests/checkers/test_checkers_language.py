"""Language detection answers as langdetect does with seed 0 and its profiles in sorted order, on every text."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ifeval_examples import ALL, ENGLISH, GERMAN
from support.places import PUBLISHED_DATA, WITHOUT_DATA

from uniapl.checkers import build, texts, variants

DATA = PUBLISHED_DATA / "ifeval"


class Upstream:
    """langdetect itself."""

    def __init__(self):
        from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

        self.factory = DetectorFactory()
        self.factory.seed = 0
        profiles = sorted(path for path in Path(PROFILES_DIRECTORY).iterdir() if path.is_file())
        self.codes = [path.name for path in profiles]
        self.factory.load_json_profile([path.read_text(encoding="utf-8") for path in profiles])
        self.profiles = {path.name: json.loads(path.read_text(encoding="utf-8"))["freq"] for path in profiles}

    def grams(self, text: str) -> list[str]:
        detector = self.factory.create()
        detector.append(text)
        detector.cleaning_text()
        return detector._extract_ngrams()

    def detect(self, text: str) -> str | None:
        from langdetect import LangDetectException

        detector = self.factory.create()
        detector.append(text)
        try:
            return detector.detect()
        except LangDetectException:
            return None

    def first_trial(self, text: str) -> list[float]:
        """Its likelihoods, by language."""
        detector = self.factory.create()
        detector.append(text)
        detector.n_trial = 1
        detector._detect_block()
        return detector.langprob

    def sample(self, code: str, rng: random.Random) -> str:
        """A text of n-grams as frequent as in the language's profile."""
        grams, counts = zip(*self.profiles[code].items(), strict=True)
        return "".join(rng.choices(grams, counts, k=rng.randint(1, 40)))


@pytest.fixture(scope="module")
def upstream():
    return Upstream()


def our_grams(text: str) -> list[str]:
    names = texts.profiles()[0]
    return [names[row] for row in texts.known_grams(texts.normal_letters(text))]


def assert_equal(upstream, text):
    assert our_grams(text) == upstream.grams(text), repr(text)
    assert texts.detect_language(text) == upstream.detect(text), repr(text)


def test_the_stream_is_what_the_seeded_generator_draws_from():
    rng, stream = random.Random(texts.SEED), texts._stream()
    assert texts._two_gauss(stream[:4].tolist()) == (rng.gauss(0.0, 1.0), rng.gauss(0.0, 1.0))
    for bits in range(1, 33):
        assert int(stream[3 + bits] >> (32 - bits)) == rng.getrandbits(bits)
    assert texts._two_gauss(stream[36:40].tolist()) == (rng.gauss(0.0, 1.0), rng.gauss(0.0, 1.0))


def test_the_stream_is_long_enough_for_all_rounds_of_all_trials():
    most = texts.TRIALS * (1 + 5 * texts.ROUNDS)
    for bits in range(16):  # lists as long as a power of two have every other draw repeated, and no list has more
        assert (texts._stream() >> (31 - bits) < 1 << bits).sum() > most + texts.AHEAD, bits


@pytest.mark.parametrize("certain", [texts.CERTAIN, 2.0])  # the second is never reached: all rounds
@pytest.mark.parametrize("text", ["\u4e00", "ab", "de la", "NL", "x" * 40, ENGLISH, GERMAN, ENGLISH.upper()])
def test_likelihoods_are_langdetects_to_the_last_bit(upstream, text, certain, monkeypatch):
    from langdetect.detector import Detector

    monkeypatch.setattr(texts, "CERTAIN", certain)
    monkeypatch.setattr(Detector, "CONV_THRESHOLD", certain)
    deviation = texts._two_gauss(texts._stream()[:4].tolist())[0]
    smoothing = (texts.SMOOTHING + deviation * texts.SMOOTHING_SD) / texts.PER
    likelihood, _ = texts._trial(texts.known_grams(texts.normal_letters(text)), 4, smoothing)
    assert likelihood.tolist() == upstream.first_trial(text)


def test_the_codes_and_their_order_are_those_of_langdetect(upstream):
    assert texts.LANGUAGES == upstream.codes == sorted(upstream.codes)


def test_the_matrix_holds_langdetects_shares(upstream):
    names, matrix = texts.profiles()
    theirs = upstream.factory.word_lang_prob_map
    assert sorted(names) == sorted(theirs)
    assert all(matrix[row].tolist() == theirs[names[row]] for row in random.Random(0).sample(range(len(names)), 5_000))


def test_texts_of_every_language(upstream):
    rng = random.Random(0)
    found = set()
    for code in upstream.codes:
        for _ in range(4):
            text = upstream.sample(code, rng)
            assert_equal(upstream, text)
            found.add(texts.detect_language(text))
    assert len(found) > 50, "the samples are not of their languages"


def test_texts_of_two_languages_or_scripts(upstream):
    rng = random.Random(1)
    for _ in range(100):
        one, other = rng.sample(upstream.codes, 2)
        text = upstream.sample(one, rng) + " " + upstream.sample(other, rng)
        assert_equal(upstream, rng.choice((str, str.upper, str.title, str.swapcase))(text))


def test_short_words_that_many_languages_have(upstream):
    rng = random.Random(2)
    words = "no la de en si ja man an so die das tag do para on il mare sol vita en Er A NL".split()
    answers = []
    for _ in range(300):
        text = " ".join(rng.choices(words, k=rng.randint(1, 3)))
        assert_equal(upstream, text)
        answers.append(texts.detect_language(text))
    assert len(set(answers)) > 10, "texts too clear to notice another draw"


LIMITS = (  # of the rules: letters, scripts, marks, normal forms
    "ABab AZaz[\\]^_`{@:/.-\ud800\x00\u2028\u00aa\u01c5\u0219\u0300\u0301"
    "e\u06cc\u1e9f\u1ea0\u3042\u30a2\u3105\u4e00\uac00"
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.text(st.characters(exclude_categories=()), max_size=50)
    | st.text(LIMITS, max_size=50)
    | st.text(st.characters(exclude_categories=(), max_codepoint=0x2FF), max_size=50)
)
def test_any_text(upstream, text):
    assert_equal(upstream, text)


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/a?b=c or http://x then write to a.b-c@d-e.org. now",
        "a@b" + "c" * 600 + " tail of the text",
        "x" * 70 + "@yy.zz after",
        "\u0430" * 9 + "abcd",  # 2 * 4 < 9: the Latin letters go
        "\u0430" * 8 + "abcd",  # 2 * 4 = 8: they stay
        "Toi khong biet tie\u0302\u0301ng Vie\u0323t a\u0300 e\u0303",
        ENGLISH * 130,  # 10,000 characters and more
        "a" + " " * 12_000 + "b",
        "ABC Abc aBC A BC AbC",
        "",
        " \n",
    ],
)
def test_addresses_scripts_marks_and_long_texts(upstream, text):
    assert_equal(upstream, text)


def texts_of_bison() -> list[str]:
    lines = (DATA / "ifeval_textbison_responses.jsonl").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(text for line in lines for text in variants(json.loads(line)["response"])))


@pytest.mark.skipif(not DATA.is_dir(), reason=WITHOUT_DATA)
@pytest.mark.parametrize("every", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_variants_of_text_bisons_responses(upstream, every):
    for text in texts_of_bison()[::every]:
        for cased in (text, text[:60].upper(), text[-40:].lower()):
            assert_equal(upstream, cased)


def test_undetectable_text_counts_as_the_language():
    assert texts.detect_language("123 456") is None
    assert build("language:response_language", {"language": "ko"})("123 456")
    assert not build("change_case:english_capital", {})("123 456"), "but has no capital letters"
    assert ALL["change_case:english_capital"]("\U0001d400"), "a capital that no profile has"
