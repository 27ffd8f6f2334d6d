"""The same response has the same verdicts, whatever else runs, in whatever order, process and environment."""

import multiprocessing
import os
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest
from support.places import ROOT
from support.short_responses import digest, responses, verdicts_of

from uniapl.checkers import texts


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
    code = "from support.short_responses import digest, responses; print(digest(responses()))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == digest(responses())
