"""The language of a text. Libraries are imported at first use; none downloads."""

import json
import math
import random
import re
import sys
from functools import lru_cache
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
AHEAD = 128  # numbers of the generator that are looked at together: half or more of them draw an n-gram
LONGEST = 10_000  # characters that are read


@lru_cache(maxsize=1)
def profiles():
    """The n-grams of all profiles, and the matrix of their shares: of the n-grams of their length, by language."""
    import numpy as np
    from langdetect import PROFILES_DIRECTORY

    rows, columns = {}, []
    for code in LANGUAGES:
        profile = json.loads(Path(PROFILES_DIRECTORY, code).read_text(encoding="utf-8"))
        counts, n_words = profile["freq"], np.array(profile["n_words"])
        shares = np.array(list(counts.values())) / n_words[[len(gram) - 1 for gram in counts]]
        columns.append(([rows.setdefault(gram, len(rows)) for gram in counts], shares))
    matrix = np.zeros((len(rows), len(LANGUAGES)))
    for column, (at, shares) in enumerate(columns):
        matrix[at, column] = shares
    return list(rows), matrix


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


def _codes(text: str):
    import numpy as np

    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


@lru_cache(maxsize=1)
def _numbered():
    """A number for every character, how many there are, and the n-grams' rows by their characters' numbers."""
    import numpy as np
    import pandas as pd

    names = profiles()[0]
    codes = _codes("".join(name.rjust(3, "\0") for name in names))  # a NUL is no character of a profile
    seen_codes, numbers = np.unique(codes, return_inverse=True)
    base = len(seen_codes) + 1
    number = np.full(sys.maxunicode + 1, base - 1)  # of a character without n-grams
    number[seen_codes] = range(len(seen_codes))
    return number, base, pd.Index(numbers.reshape(-1, 3) @ (base**2, base, 1))


def known_grams(letters: str):
    """The rows of the text's n-grams, in order: those of one to three characters that end at the first, and so on."""
    import numpy as np

    number, base, rows = _numbered()
    padded = "  " + letters  # no profile has an n-gram of two blanks, or of a blank between two letters
    numbers = number[_codes(padded)]
    one = numbers[2:]
    two = base * numbers[1:-1] + one
    three = base**2 * numbers[:-2] + two
    places = rows.get_indexer(np.stack((one, two, three), axis=1).ravel())
    capital = np.fromiter(map(str.isupper, padded), bool)
    places.reshape(-1, 3)[capital[1:-1] & capital[2:]] = -1  # none ends at the second or a later capital of a run
    return places[places >= 0]


@lru_cache(maxsize=1)
def _stream():
    """What the seeded generator draws from, numbers of 32 bits: enough for all rounds of all trials."""
    import numpy as np

    return np.frombuffer(random.Random(SEED).randbytes(4 << 14), "<u4")


def _two_gauss(four: list[int]) -> tuple[float, float]:
    """What `random.gauss` makes of four numbers of the stream, one at once and one at the next call."""
    one, two = (((a >> 5 << 26) + (b >> 6)) / 2**53 for a, b in (four[:2], four[2:]))
    radius = math.sqrt(-2.0 * math.log(1.0 - two))
    return math.cos(one * math.tau) * radius, math.sin(one * math.tau) * radius


def _trial(grams, at: int, smoothing: float):
    """The languages' likelihoods when one is certain, and the place in the stream then; it begins at place `at`."""
    import numpy as np

    likelihood = np.full(len(LANGUAGES), 1.0 / len(LANGUAGES))
    n, end, n_rounds = len(grams), 1, 0
    while True:
        places = _stream()[at : at + AHEAD] >> (32 - n.bit_length())
        in_range = np.flatnonzero(places < n)  # as `random.choice`: what is no place in the list is drawn again
        shares = profiles()[1].take(grams[places[in_range]], axis=0)
        shares += smoothing
        begin = 0
        while end <= len(in_range):
            shares[begin] *= likelihood
            likelihood = np.multiply.reduce(shares[begin:end])  # in upstream's order: the last bit depends on it
            each = likelihood.tolist()
            total = sum(each)  # not NumPy's, which adds in another order
            likelihood /= total
            n_rounds += 1
            if max(each) / total > CERTAIN or n_rounds > ROUNDS:
                return likelihood, at + 1 + int(in_range[end - 1])
            begin, end = end, end + 5
        at, end = at + 1 + int(in_range[begin - 1]), 5


@lru_cache(maxsize=1024)
def likeliest_language(letters: str) -> str | None:
    """The language of `normal_letters`, None where they hold no n-gram of any profile.

    langdetect's algorithm (Apache-2.0; Shuyo 2010): a naive Bayes classifier over n-grams of one to three characters.
    A trial draws a smoothing and then n-grams of the text, one after another, each of which multiplies the languages'
    likelihoods by its shares, until one language is certain. The answer has the highest mean over the trials. The
    numbers are langdetect's to the last bit; here a profile is a column of one matrix, what the generator draws is
    known beforehand because its seed is, and trials that cannot change the answer are left out.
    """
    import numpy as np

    grams = known_grams(letters)
    if not len(grams):
        return None
    at = 0  # in the stream
    mean = np.zeros(len(LANGUAGES))
    for trial in range(1, TRIALS + 1):
        if trial % 2:  # two deviations are drawn at once
            deviations = _two_gauss(_stream()[at : at + 4].tolist())
            at += 4
        smoothing = (SMOOTHING + deviations[1 - trial % 2] * SMOOTHING_SD) / PER
        likelihood, at = _trial(grams, at, smoothing)
        mean += likelihood / TRIALS
        second, first = sorted(mean.tolist())[-2:]
        if first - second > (TRIALS - trial) / TRIALS + 1e-9:  # the trials that are left cannot change the answer
            break
    return LANGUAGES[mean.argmax()] if first > LIKELY else "unknown"


def detect_language(text: str) -> str | None:
    """langdetect's code for the text, the same at every call; None where the text has nothing to detect."""
    return likeliest_language(normal_letters(text))


@lru_cache(maxsize=1)
def emoji_pattern():
    """An emoji: a flag, a keycap, or signs that joiners hold together, with skin colours and variation selectors."""
    import regex  # re knows no Unicode property

    sign = r"[\p{Emoji}--[0-9#*]](?:\p{Emoji_Modifier}|\uFE0F)?[\U000E0020-\U000E007F]*"
    return regex.compile(rf"\p{{RI}}{{2}}|[0-9#*]\uFE0F?\u20E3|{sign}(?:\u200D{sign})*", regex.V1)
