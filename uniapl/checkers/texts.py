"""The language of a text. Libraries are imported at first use; none downloads."""

import json
import random
import re
from functools import lru_cache
from itertools import chain, islice
from operator import add
from pathlib import Path

LANGUAGES = (  # the codes that langdetect 1.0.9 can answer, sorted: where two are equally likely the first wins
    "af ar bg bn ca cs cy da de el en es et fa fi fr gu he hi hr hu id it ja kn ko lt lv mk ml mr ne nl no "
    "pa pl pt ro ru sk sl so sq sv sw ta te th tl tr uk ur vi zh-cn zh-tw"
).split()

SEED = 0  # upstream has none, and draws
TRIALS = 7
SMOOTHING, SMOOTHING_SD = 0.5, 0.05
PER = 10_000  # of the smoothing
CERTAIN = 0.99999  # ends a trial
LIKELY = 0.1  # below it the answer is "unknown"
ROUNDS = 200  # of five n-grams, at most, after the first n-gram of a trial
LONGEST = 10_000  # characters that are read


@lru_cache(maxsize=1)
def profiles():
    """The row of every n-gram, from 1, and the matrix of its shares: of the n-grams of its length, by language."""
    import numpy as np
    from langdetect import PROFILES_DIRECTORY

    rows, cells = {}, []
    for column, code in enumerate(LANGUAGES):
        profile = json.loads(Path(PROFILES_DIRECTORY, code).read_text(encoding="utf-8"))
        for gram, count in profile["freq"].items():
            cells.append((rows.setdefault(gram, len(rows) + 1), column, count / profile["n_words"][len(gram) - 1]))
    at, of, share = map(list, zip(*cells, strict=True))
    matrix = np.zeros((len(rows) + 1, len(LANGUAGES)))
    matrix[at, of] = share
    return rows, matrix


class _NormalForms(dict):
    """For `str.translate`: langdetect's one form of similar characters; a blank for digits and punctuation."""

    def __missing__(self, code: int) -> str:
        from langdetect.utils.ngram import NGram

        self[code] = form = NGram.normalize(chr(code))
        return form


_NORMAL_FORMS = _NormalForms()


def normal_letters(text: str) -> str:
    """What of a text is compared with the profiles: no address, no Latin letters in a text of another script."""
    from langdetect.detector import Detector
    from langdetect.utils.ngram import NGram

    text = Detector.URL_RE.sub(" ", text)
    if "@" in text:
        text = Detector.MAIL_RE.sub(" ", text)
    if not text.isascii():
        text = NGram.normalize_vi(text)
    text = re.sub("  +", " ", text[:LONGEST])
    if not text.isascii():
        n_latin = sum(map(len, re.findall("[A-z]+", text)))
        n_other = sum(map(len, re.findall("[\u0300-\U0010ffff]+", text)))
        if 2 * n_latin < n_other:
            text = re.sub("[A-z]+", "", text)
    return re.sub("  +", " ", text.translate(_NORMAL_FORMS))


@lru_cache(maxsize=100_000)
def rows_that_end(three: str) -> tuple[int, ...]:
    """The rows of the n-grams that end three characters; none at the second or a later capital of a run."""
    two, last = three[1:], three[2]
    if two.isupper() and two[0].isupper() and last.isupper():  # a pair is upper already where one of it is no letter
        return ()
    return tuple(filter(None, map(profiles()[0].get, (last, two, three))))


def known_grams(letters: str) -> list[int]:
    """The rows of the text's n-grams, in order."""
    padded = "  " + letters  # no profile has an n-gram of two blanks, or of a blank between two letters
    threes = map(add, padded, map(add, padded[1:], letters))
    return list(chain.from_iterable(map(rows_that_end, threes)))


def _choices(rng: random.Random, of: list):
    """`rng.choice(of)` again and again, at a third of its time: bits are drawn until they are a place in the list."""
    n, bits = len(of), len(of).bit_length()
    while True:
        if (place := rng.getrandbits(bits)) < n:
            yield of[place]


@lru_cache(maxsize=1024)
def likeliest_language(letters: str) -> str | None:
    """The language of `normal_letters`, None where they hold no n-gram of any profile.

    langdetect's algorithm (Apache-2.0; Shuyo 2010): a naive Bayes classifier over n-grams of one to three characters.
    A trial draws a smoothing and then n-grams of the text, one after another, each of which multiplies the languages'
    likelihoods by its shares, until one language is certain. The answer has the highest mean over the trials. The
    numbers are langdetect's to the last bit; here a profile is a column of one matrix, and trials that cannot change
    the answer are left out.
    """
    import numpy as np

    grams, matrix = known_grams(letters), profiles()[1]
    if not grams:
        return None
    rng = random.Random(SEED)
    drawn = _choices(rng, grams)
    mean = np.zeros(len(LANGUAGES))
    for trial in range(1, TRIALS + 1):
        smoothing = (SMOOTHING + rng.gauss(0.0, 1.0) * SMOOTHING_SD) / PER
        likelihood = np.full(len(LANGUAGES), 1.0 / len(LANGUAGES))
        for n_drawn in (1, *[5] * ROUNDS):
            factors = matrix.take(list(islice(drawn, n_drawn)), axis=0)
            factors += smoothing
            factors[0] *= likelihood
            likelihood = np.multiply.reduce(factors)  # one after another, as upstream: the last bit depends on it
            each = likelihood.tolist()
            total = sum(each)  # not NumPy's, which adds in another order
            likelihood /= total
            if max(each) / total > CERTAIN:
                break
        mean += likelihood / TRIALS
        second, first = sorted(mean.tolist())[-2:]
        if first - second > (TRIALS - trial) / TRIALS + 1e-9:  # the trials that are left cannot change the answer
            break
    return LANGUAGES[mean.argmax()] if first > LIKELY else "unknown"


def detect_language(text: str) -> str | None:
    """langdetect's code for the text, the same at every call; None where the text has nothing to detect."""
    return likeliest_language(normal_letters(text))
