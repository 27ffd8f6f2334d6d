"""Responses short enough to be of several languages, and what all checkers say of them."""

import hashlib
import json
import random

from support.ifeval_examples import ALL, EXAMPLES
from uniapl.checkers import build, check

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
