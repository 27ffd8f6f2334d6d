"""The same response has the same verdicts, whatever else runs, in whatever order, process and environment."""

import hashlib
import json
import multiprocessing
import os
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest
from support.ifeval_examples import ALL, EXAMPLES
from support.places import ROOT

from uniapl.checkers import build, check, texts

SENTENCES = (  # a cut of them is short enough for several languages
    "Der schnelle braune Fuchs springt \u00fcber den faulen Hund und schl\u00e4ft dann unter dem Baum.",
    "El r\u00edo corre por la ciudad vieja y la gente canta en la plaza hasta la noche.",
    "O menino come uma ma\u00e7\u00e3 na cozinha enquanto a m\u00e3e l\u00ea o jornal de domingo.",
    "Il gatto dorme sulla sedia e il cane guarda la porta di casa tutto il giorno.",
    "De kat slaapt op de stoel en de hond kijkt de hele dag naar de deur.",
    "Katten sover p\u00e5 stolen, og hunden ser p\u00e5 d\u00f8ren hele dagen i huset.",
    "THE RAIN FALLS ON THE OLD TOWN. NOBODY SEES IT. I AM HERE, YOU ARE THERE.",
    "the sea is calm today. we walk along the shore, and then we go home again.",
    "Кот спит на стуле, а собака смотрит на дверь.",
)
BUILT = [*ALL.values(), *(build("language:response_language", {"language": code}) for code in ("es", "pt", "it", "da"))]


def responses() -> list[str]:
    """Cuts of 10 to 40 characters, and the examples."""
    rng = random.Random(0)
    cuts = []
    for _ in range(300):
        sentence = rng.choice(SENTENCES)
        start = rng.randrange(len(sentence) - 10)
        cuts.append(sentence[start : start + rng.randint(10, 40)])
    return cuts + [text for _, good, bad in EXAMPLES.values() for text in (good, bad)]


def verdicts_of(response: str) -> tuple:
    verdicts = check(BUILT, response)
    return verdicts.strict + verdicts.loose


def digest(responses: list[str]) -> str:
    return hashlib.sha256(json.dumps([verdicts_of(text) for text in responses]).encode()).hexdigest()


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple]:
    return {text: verdicts_of(text) for text in responses()}


def test_the_responses_tell_languages_apart():
    found = {texts.detect_language(text) for text in responses()}
    assert len(found) > 8, "texts too clear to notice a random draw"


@pytest.mark.parametrize("seed", range(20))
def test_order_global_random_state_and_earlier_calls_change_nothing(expected, seed):
    random.seed(seed)
    texts.likeliest_language.cache_clear()
    shuffled = random.sample(list(expected), len(expected))
    assert {text: verdicts_of(text) for text in shuffled} == expected


def test_no_verdict_draws_from_the_global_generator(expected):
    texts.likeliest_language.cache_clear()
    before = random.getstate()
    for text in expected:
        verdicts_of(text)
    assert random.getstate() == before


def test_langdetects_own_seed_changes_nothing(expected, monkeypatch):
    from langdetect import DetectorFactory

    monkeypatch.setattr(DetectorFactory, "seed", 17)
    texts.likeliest_language.cache_clear()
    assert {text: verdicts_of(text) for text in expected} == expected


def test_two_processes_agree_with_one(expected):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(verdicts_of, expected, chunksize=7))
    assert dict(zip(expected, found, strict=True)) == expected


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "2"},
        {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "random", "PYTHONUTF8": "1"},
    ],
    ids=lambda environment: environment["LC_ALL"],
)
def test_locale_time_zone_and_hash_seed_change_nothing(expected, environment):
    code = "from test_checkers_determinism import digest, responses; print(digest(responses()))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == digest(responses())
