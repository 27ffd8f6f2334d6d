"""Prompts of the miniature world: IFEval's rows and instruction types, few words, ten topics.

A row is IFEval's: key, prompt, instruction_id_list, kwargs; plus its topic, which the writers need.
"""

import random
from dataclasses import dataclass
from typing import ClassVar

from uniapl.data.miniature.model import Size

TOPICS = {  # topic: (nouns, verbs)
    "sea": (("wave", "ship", "gull", "shore", "tide", "sail"), ("rises", "drifts", "glows", "turns")),
    "forest": (("tree", "fox", "leaf", "moss", "owl", "path"), ("grows", "bends", "waits", "hides")),
    "city": (("street", "tower", "train", "bridge", "lamp", "market"), ("wakes", "hums", "shines", "fills")),
    "kitchen": (("bread", "pot", "oven", "spoon", "soup", "table"), ("warms", "steams", "bakes", "cools")),
    "sky": (("cloud", "star", "moon", "storm", "wind", "sun"), ("moves", "fades", "burns", "passes")),
    "farm": (("horse", "barn", "field", "fence", "goat", "seed"), ("rests", "stands", "sleeps", "stirs")),
    "school": (
        ("book", "teacher", "desk", "lesson", "pencil", "class"),
        ("begins", "opens", "helps", "ends"),
    ),
    "music": (("song", "drum", "piano", "choir", "note", "dance"), ("plays", "rings", "swells", "echoes")),
    "garden": (("rose", "bee", "pond", "hedge", "root", "bird"), ("blooms", "climbs", "sings", "spreads")),
    "winter": (("snow", "ice", "sled", "frost", "scarf", "fire"), ("falls", "melts", "cracks", "gleams")),
}
NEW_TOPICS = ("garden", "winter")  # in the pretraining text, never in a training prompt
NOUNS = tuple(noun for nouns, _ in TOPICS.values() for noun in nouns)
ENDINGS = ("That is all.", "Thank you.", "The end.", "Good night.")

TRAINED = (
    "length_constraints:number_words",
    "length_constraints:number_sentences",
    "keywords:existence",
    "keywords:forbidden_words",
    "startend:end_checker",
    "change_case:english_lowercase",
    "detectable_format:number_highlighted_sections",
    "punctuation:no_comma",
    "detectable_format:number_bullet_lists",
    "detectable_content:postscript",
)
NEW_TYPES = (  # in the pretraining text, never in a training prompt
    "keywords:frequency",
    "startend:quotation",
    "detectable_format:title",
)
LONG = (  # need more words or sentences than "less than" leaves
    "detectable_format:number_bullet_lists",
    "detectable_content:postscript",
    "keywords:frequency",
    "startend:end_checker",
    "detectable_format:title",
    "detectable_format:number_highlighted_sections",
)
CONFLICTS = {
    frozenset(pair)
    for pair in (
        ("detectable_format:number_highlighted_sections", "detectable_format:number_bullet_lists"),
        ("length_constraints:number_sentences", "detectable_format:number_bullet_lists"),
        ("length_constraints:number_sentences", "length_constraints:number_words"),
        ("length_constraints:number_sentences", "detectable_content:postscript"),
        ("length_constraints:number_sentences", "startend:end_checker"),
        ("startend:end_checker", "detectable_content:postscript"),
        ("keywords:existence", "keywords:frequency"),
        ("keywords:forbidden_words", "keywords:existence"),
        ("keywords:forbidden_words", "keywords:frequency"),
    )
}


@dataclass(frozen=True)
class World:
    """Sizes, in rows, and the seed of everything that is drawn.

    `corpus`: pretraining documents. `train`: prompts with one demonstration each. `validation`, `test`: prompts of
    trained types, and half as many for each other benchmark. `comparisons`: triples of the discriminator.
    `obedience`: the probability that a pretraining document follows each of its instructions. `size`: the policy's.
    """

    seed: int = 0
    corpus: int = 16_000
    train: int = 1_600
    validation: int = 192
    test: int = 384
    comparisons: int = 6_000
    obedience: float = 0.7
    size: Size = Size()
    kind: ClassVar[str] = "miniature"
    drawn_by_seed: ClassVar[bool] = True


def _arguments(instruction_id: str, topic: str, rng: random.Random) -> tuple[dict, str]:
    """IFEval's keyword arguments for an instruction, and the sentence that asks for it."""
    word = rng.choice(TOPICS[topic][0])
    match instruction_id:
        case "length_constraints:number_words":
            relation = rng.choice(("at least", "less than"))
            n = rng.randint(10, 18) if relation == "at least" else rng.randint(8, 12)
            return {"relation": relation, "num_words": n}, f"Use {relation} {n} words."
        case "length_constraints:number_sentences":
            relation = rng.choice(("at least", "less than"))
            n = rng.randint(2, 4)
            return {"relation": relation, "num_sentences": n}, f"Use {relation} {n} sentences."
        case "keywords:existence":
            return {"keywords": [word]}, f"Include the word {word}."
        case "keywords:forbidden_words":
            return {"forbidden_words": [word]}, f"Do not use the word {word}."
        case "keywords:frequency":
            arguments = {"relation": "at least", "keyword": word, "frequency": 2}
            return arguments, f"Use the word {word} at least 2 times."
        case "startend:end_checker":
            phrase = rng.choice(ENDINGS)
            return {"end_phrase": phrase}, f"Finish with the phrase {phrase}"
        case "startend:quotation":
            return {}, "Put double quotation marks around it."
        case "change_case:english_lowercase":
            return {}, "Use only small letters."
        case "detectable_format:number_highlighted_sections":
            n = rng.randint(1, 2)
            return {"num_highlights": n}, f"Highlight at least {n} words with asterisks."
        case "punctuation:no_comma":
            return {}, "Do not use commas."
        case "detectable_format:number_bullet_lists":
            n = rng.randint(2, 3)
            return {"num_bullets": n}, f"Use exactly {n} bullet points."
        case "detectable_content:postscript":
            return {"postscript_marker": "P.S."}, "Add a postscript with P.S."
        case "detectable_format:title":
            return {}, "Add a title in double angular brackets."
    raise ValueError(f"the miniature world has no instruction {instruction_id!r}")


def _infeasible(ids: list[str], kwargs: list[dict]) -> bool:
    if any(frozenset((a, b)) in CONFLICTS for a in ids for b in ids):
        return True
    short = any(k.get("relation") == "less than" and "frequency" not in k for k in kwargs)
    return short and bool(set(LONG) & set(ids))


def draw_prompt(key: int, topics: tuple[str, ...], types: tuple[str, ...], rng: random.Random, *, must=()) -> dict:
    """A row with one to three instructions of `types`; at least one is of `must` where `must` is given."""
    while True:
        topic = rng.choice(topics)
        ids = rng.sample(types, rng.choice((1, 2, 2, 3)))
        if must and not set(ids) & set(must):
            continue
        arguments = [_arguments(i, topic, rng) for i in ids]
        kwargs = [k for k, _ in arguments]
        if not _infeasible(ids, kwargs):
            text = " ".join([f"Write about the {topic}.", *(sentence for _, sentence in arguments)])
            return {"key": key, "prompt": text, "instruction_id_list": ids, "kwargs": kwargs, "topic": topic}
