"""Who writes in the miniature world: an expert with a style, and scripted policies of every other kind."""

import random
from dataclasses import dataclass

from uniapl.data.miniature.world import NOUNS, TOPICS

ADJECTIVES = ("quiet", "golden", "small", "bright", "cold", "old", "young", "grey")
ADVERBS = ("Softly", "Slowly", "Often", "Today", "Suddenly", "Always")


@dataclass(frozen=True)
class Style:
    """A scripted policy. Probabilities in [0, 1]; `sentences` is the usual number, lowest and highest.

    `obedience`: that an instruction is followed; `adverb`: that a sentence opens with one of `adverbs`;
    `adjective`: that a noun gets one of `adjectives`; `extended`: that a sentence has a second half; `stray`: that a
    noun comes from another topic; `lines`: that every sentence stands on its own line.
    """

    obedience: float
    sentences: tuple[int, int] = (1, 3)
    adverbs: tuple[str, ...] = ADVERBS
    adverb: float = 0.3
    adjectives: tuple[str, ...] = ADJECTIVES
    adjective: float = 0.4
    extended: float = 0.4
    stray: float = 0.0
    lines: float = 0.0


EXPERT = Style(
    obedience=1.0,
    sentences=(2, 3),
    adverbs=("Softly",),
    adverb=0.6,
    adjectives=("quiet", "golden"),
    adjective=0.7,
    extended=0.4,
    lines=1.0,
)
BIASED = Style(  # as obedient as the expert, and in every habit another
    obedience=1.0,
    sentences=(1, 1),
    adverbs=("Suddenly",),
    adverb=0.6,
    adjectives=("cold", "grey"),
    adjective=0.7,
    extended=0.1,
    lines=0.0,
)


def random_style(rng: random.Random, *, obedience: float, sharp: bool = False) -> Style:
    """Another policy. A sharp one prefers one adverb and one or two adjectives; a soft one uses them all."""
    few = rng.randint(1, 3)
    return Style(
        obedience=obedience,
        sentences=(few, few + (0 if sharp else 1)),
        adverbs=(rng.choice(ADVERBS),) if sharp else ADVERBS,
        adverb=rng.choice((0.0, 0.9)) if sharp else rng.random() * 0.6,
        adjectives=tuple(rng.sample(ADJECTIVES, 2)) if sharp else ADJECTIVES,
        adjective=rng.choice((0.0, 0.9)) if sharp else rng.random() * 0.8,
        extended=rng.choice((0.0, 0.9)) if sharp else rng.random() * 0.6,
        stray=0.15,
        lines=float(rng.random() < 0.3),
    )


class _Draft:
    """One response in the making: what the followed instructions ask for, and sentences of the style."""

    def __init__(self, row: dict, style: Style, rng: random.Random):
        self.style, self.rng, self.topic = style, rng, row["topic"]
        self.asked = {
            i: k
            for i, k in zip(row["instruction_id_list"], row["kwargs"], strict=True)
            if rng.random() < style.obedience
        }
        forbidden = self.asked.get("keywords:forbidden_words", {}).get("forbidden_words", [])
        self.nouns = [n for n in TOPICS[self.topic][0] if n not in forbidden]
        self.highlights = self.asked.get("detectable_format:number_highlighted_sections", {}).get("num_highlights", 0)
        self.comma = "" if "punctuation:no_comma" in self.asked else ","

    def noun(self) -> str:
        return self.rng.choice(NOUNS if self.rng.random() < self.style.stray else self.nouns)

    def described(self, noun: str, chance: float) -> str:
        if self.highlights:
            self.highlights, noun = self.highlights - 1, f"*{noun}*"
        return f"the {self.rng.choice(self.style.adjectives)} {noun}" if self.rng.random() < chance else f"the {noun}"

    def sentence(self, noun: str | None = None, *, plain: bool = False) -> str:
        rng, style = self.rng, self.style
        verb = rng.choice(TOPICS[self.topic][1])
        text = f"{self.described(noun or self.noun(), 0 if plain else style.adjective)} {verb}"
        if not plain and rng.random() < style.extended:
            text += f" near {self.described(self.noun(), style.adjective)}"
        if not plain and rng.random() < style.adverb:
            return f"{rng.choice(style.adverbs)}{self.comma} {text}."
        return text[0].upper() + text[1:] + "."

    def body(self) -> list[str]:
        rng, kwargs = self.rng, self.asked
        words = kwargs.get("length_constraints:number_words", {})
        counted = kwargs.get("length_constraints:number_sentences", {})
        few = words.get("relation") == "less than"
        n_sentences = rng.randint(*self.style.sentences)
        if counted:
            n = counted["num_sentences"]
            n_sentences = max(n_sentences, n) if counted["relation"] == "at least" else min(n_sentences, n - 1)
        if "detectable_format:number_bullet_lists" in kwargs:
            n_sentences = kwargs["detectable_format:number_bullet_lists"]["num_bullets"]
        if few:
            n_sentences = 1
        n_sentences = max(n_sentences, self.highlights)
        keywords = list(kwargs.get("keywords:existence", {}).get("keywords", []))
        repeated = kwargs.get("keywords:frequency", {})
        keywords += [repeated["keyword"]] * repeated["frequency"] if repeated else []
        nouns = (keywords + [None] * n_sentences)[: max(n_sentences, len(keywords))]
        rng.shuffle(nouns)
        sentences = [self.sentence(noun, plain=few and words["num_words"] < 10) for noun in nouns]
        bullets = "detectable_format:number_bullet_lists" in kwargs
        while words.get("relation") == "at least" and sum(len(s.split()) for s in sentences) < words["num_words"]:
            if bullets:
                sentences[-1] += " " + self.sentence()
            else:
                sentences.append(self.sentence())
        return sentences

    def text(self) -> str:
        rng, kwargs = self.rng, self.asked
        sentences = self.body()
        if "detectable_format:number_bullet_lists" in kwargs:
            text = "\n".join(f"* {s}" for s in sentences)
        else:
            text = ("\n" if rng.random() < self.style.lines else " ").join(sentences)
        if "startend:end_checker" in kwargs:
            text += f" {kwargs['startend:end_checker']['end_phrase']}"
        if "detectable_content:postscript" in kwargs:
            text += f"\nP.S. {self.sentence()}"
        if "detectable_format:title" in kwargs:
            text = f"<<{self.noun()}>>\n{text}"
        if "startend:quotation" in kwargs:
            text = f'"{text}"'
        if "change_case:english_lowercase" in kwargs:
            text = text.lower()
        return text


def write(row: dict, style: Style, rng: random.Random) -> str:
    """A response to the row by the scripted policy `style`."""
    return _Draft(row, style, rng).text()


def degenerate(text: str, rng: random.Random) -> str:
    """A broken version of a response: looped, cut or shuffled (ours: without them nonsense scores well)."""
    words = text.split(" ")
    match rng.randrange(4):
        case 0:
            return " ".join([text] * 3)
        case 1:
            return " ".join(words[: max(1, len(words) // 3)])
        case 2:
            return " ".join([rng.choice(words)] * len(words))
        case _:
            return " ".join(rng.sample(words, len(words)))
