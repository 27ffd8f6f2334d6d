"""The instruction types of our own prompts: arguments that are drawn, wordings that ask for them, what goes together.

TRAINED are 20 of IFEval's 25 types; the other five (HELD_OUT) are in no training, validation or own test prompt. Some
of the held-out types the base follows now and then (a title), others hardly ever (a language): forgetting and transfer
need both. DEMANDING instructions cannot be followed by a short answer: without them a policy learns brevity.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from uniapl.data.everyday.substitutes import SUBSTITUTES

HELD_OUT = (
    "language:response_language",
    "combination:repeat_prompt",
    "detectable_format:json_format",
    "detectable_format:title",
    "detectable_format:constrained_response",
)
ENDINGS = (
    "Is there anything else you would like to know?",
    "Let me know what you think.",
    "That is all for today.",
    "I hope this helps.",
    "See you next week!",
    "Thank you for reading.",
    "Have a wonderful day!",
    "And that was that.",
)
OPENERS = (  # words that can begin a sentence, followed by a comma
    "usually finally sometimes today often however perhaps later naturally meanwhile instead luckily clearly still "
    "secondly eventually otherwise above afterwards fortunately"
).split()
HEADINGS = ("Section", "SECTION", "Part", "PART", "Chapter", "Step")
COMMON_LETTERS, RARE_LETTERS = "acdilmnoprstu", "jkqvxz"
WRITTEN = "zero one two three four five six seven eight nine ten eleven twelve".split()

Arguments = Callable[[random.Random, Sequence[str]], dict]  # of a generator and the topic's keywords


def _numbers(name: str, low: int, high: int) -> Arguments:
    return lambda rng, words: {name: rng.randint(low, high)}


def _related(name: str, least: tuple[int, int, int], most: tuple[int, int, int], often: float) -> Arguments:
    """At least (probability `often`) or less than a number of range(*least), range(*most)."""

    def draw(rng: random.Random, words: Sequence[str]) -> dict:
        if rng.random() < often:
            return {"relation": "at least", name: rng.randrange(*least)}
        return {"relation": "less than", name: rng.randrange(*most)}

    return draw


def _frequency(rng: random.Random, words: Sequence[str]) -> dict:
    if rng.random() < 0.8:
        return {"relation": "at least", "keyword": rng.choice(words), "frequency": rng.randint(2, 5)}
    return {"relation": "less than", "keyword": rng.choice(words), "frequency": rng.randint(2, 4)}


def _forbidden(rng: random.Random, words: Sequence[str]) -> dict:
    general = rng.sample(sorted(SUBSTITUTES), rng.randint(1, 3))
    return {"forbidden_words": [*general, *rng.sample(words, rng.randint(0, 1))]}


def _letter(rng: random.Random, words: Sequence[str]) -> dict:
    if rng.random() < 0.6:
        return {"let_relation": "at least", "letter": rng.choice(COMMON_LETTERS), "let_frequency": rng.randint(8, 40)}
    return {"let_relation": "less than", "letter": rng.choice(RARE_LETTERS), "let_frequency": rng.randint(2, 5)}


def _nth(rng: random.Random, words: Sequence[str]) -> dict:
    n = rng.randint(2, 4)
    return {"num_paragraphs": n, "nth_paragraph": rng.randint(1, n), "first_word": rng.choice(OPENERS)}


def _capitals(rng: random.Random, words: Sequence[str]) -> dict:
    if rng.random() < 0.7:
        return {"capital_relation": "at least", "capital_frequency": rng.randint(2, 8)}
    return {"capital_relation": "less than", "capital_frequency": rng.randint(3, 8)}


def _nothing(rng: random.Random, words: Sequence[str]) -> dict:
    return {}


TYPES: dict[str, tuple[Arguments, tuple[str, ...]]] = {
    "length_constraints:number_words": (
        _related("num_words", (60, 221, 10), (40, 121, 10), 0.65),
        (
            "Use {relation} {num_words} words.",
            "The answer should have {relation} {num_words} words.",
            "I need {relation} {num_words} words.",
            "Make sure that the text is {relation} {num_words} words long.",
        ),
    ),
    "length_constraints:number_sentences": (
        _related("num_sentences", (5, 14, 1), (4, 8, 1), 0.65),
        (
            "Use {relation} {num_sentences} sentences.",
            "Your reply must have {relation} {num_sentences} sentences.",
            "Write {relation} {num_sentences} sentences in total.",
            "The number of sentences must be {relation} {num_sentences}.",
        ),
    ),
    "length_constraints:number_paragraphs": (
        _numbers("num_paragraphs", 2, 5),
        (
            "Write exactly {num_paragraphs} paragraphs and put *** between them.",
            "There should be {num_paragraphs} paragraphs, divided by the markdown divider: ***",
            "Divide the text into {num_paragraphs} paragraphs with three asterisks (***) between one and the next.",
            "Use {num_paragraphs} paragraphs. Between two paragraphs stands a line with *** alone.",
        ),
    ),
    "length_constraints:nth_paragraph_first_word": (
        _nth,
        (
            "Write {num_paragraphs} paragraphs with two line breaks between them. Paragraph {nth_paragraph} must start "
            "with the word {first_word}.",
            "There should be {num_paragraphs} paragraphs, and only paragraphs are separated by an empty line. The "
            'first word of paragraph {nth_paragraph} is "{first_word}".',
            "Leave a blank line between paragraphs, of which I want {num_paragraphs}. Begin paragraph {nth_paragraph} "
            "with {first_word}.",
        ),
    ),
    "keywords:existence": (
        lambda rng, words: {"keywords": rng.sample(words, rng.randint(1, 3))},
        (
            "Include the following words: {keywords}.",
            "The answer must mention {keywords}.",
            "Use these keywords somewhere in the text: {keywords}.",
            "Make sure that each of these words appears: {keywords}.",
        ),
    ),
    "keywords:frequency": (
        _frequency,
        (
            'Use the word "{keyword}" {relation} {frequency} times.',
            "The word {keyword} should appear {relation} {frequency} times.",
            "I want to read the word {keyword} {relation} {frequency} times in your answer.",
            "In your response, {keyword} must occur {relation} {frequency} times.",
        ),
    ),
    "keywords:forbidden_words": (
        _forbidden,
        (
            "Do not use these words: {forbidden_words}.",
            "Avoid the following words: {forbidden_words}.",
            "None of these words may appear in the answer: {forbidden_words}.",
            "Write it without saying {forbidden_words}.",
        ),
    ),
    "keywords:letter_frequency": (
        _letter,
        (
            "The letter {letter} should appear {let_relation} {let_frequency} times.",
            'Use the letter "{letter}" {let_relation} {let_frequency} times.',
            "Count the letter {letter} in your answer: it must be there {let_relation} {let_frequency} times.",
        ),
    ),
    "detectable_content:number_placeholders": (
        _numbers("num_placeholders", 1, 5),
        (
            "Leave at least {num_placeholders} placeholders in square brackets, such as [name].",
            "Use at least {num_placeholders} placeholders like [date] that can be filled in later.",
            "The text must contain {num_placeholders} or more fields in square brackets, for example [address].",
        ),
    ),
    "detectable_content:postscript": (
        lambda rng, words: {"postscript_marker": rng.choice(("P.S.", "P.P.S"))},
        (
            "Add a postscript that starts with {postscript_marker}",
            "At the end there must be a postscript, beginning with {postscript_marker}",
            "Finish with one more thought after {postscript_marker}",
        ),
    ),
    "detectable_format:number_bullet_lists": (
        _numbers("num_bullets", 2, 6),
        (
            "Include exactly {num_bullets} bullet points in markdown, such as:\n* This is a point.",
            "The answer needs exactly {num_bullets} bullet points. Begin each with an asterisk and a space (* point).",
            "Use a markdown list of exactly {num_bullets} bullet points.",
            "I want {num_bullets} bullet points, no more and no fewer, each on a line that starts with *",
        ),
    ),
    "detectable_format:number_highlighted_sections": (
        _numbers("num_highlights", 1, 5),
        (
            "Highlight at least {num_highlights} parts of the text with markdown, like *this part*.",
            "Put at least {num_highlights} important phrases between asterisks, i.e. *important phrase*.",
            "Emphasize {num_highlights} or more passages in *italics* (with single asterisks).",
        ),
    ),
    "detectable_format:multiple_sections": (
        lambda rng, words: {"section_spliter": rng.choice(HEADINGS), "num_sections": rng.randint(2, 4)},
        (
            "Divide the answer into {num_sections} sections. Each begins with {section_spliter} and its number, such "
            "as:\n{section_spliter} 1\n[what it says]\n{section_spliter} 2\n[what it says]",
            "Structure the text in {num_sections} sections and mark the start of each with {section_spliter} X, where "
            "X is 1, 2 and so on.",
            "There must be {num_sections} sections, headed {section_spliter} 1, {section_spliter} 2 and so on.",
        ),
    ),
    "combination:two_responses": (
        _nothing,
        (
            "Give two different answers and put six asterisks (******) between them.",
            "I would like two different versions to choose from. Separate them by ******.",
            "Write it twice, differently each time. Only ****** stands between the two responses.",
        ),
    ),
    "startend:end_checker": (
        lambda rng, words: {"end_phrase": rng.choice(ENDINGS)},
        (
            'The very last words must be "{end_phrase}"',
            "Finish with exactly this sentence and write nothing after it: {end_phrase}",
            "End your answer with the phrase {end_phrase}",
        ),
    ),
    "startend:quotation": (
        _nothing,
        (
            "Put the whole answer in double quotation marks.",
            "Begin and end your reply with a double quotation mark.",
            'Wrap the entire text in double quotes ("...").',
        ),
    ),
    "change_case:capital_word_frequency": (
        _capitals,
        (
            "Write {capital_relation} {capital_frequency} words in capital letters only.",
            "Words in all capitals should appear {capital_relation} {capital_frequency} times.",
            "The text should have {capital_relation} {capital_frequency} words such as THIS, with all letters capital.",
        ),
    ),
    "change_case:english_capital": (
        _nothing,
        (
            "Answer in English and in capital letters only.",
            "WRITE EVERYTHING IN CAPITALS, in English.",
            "Every letter of your English answer must be a capital.",
        ),
    ),
    "change_case:english_lowercase": (
        _nothing,
        (
            "Answer in English and use lowercase letters only.",
            "Your answer must be in English without a single capital letter.",
            "Write everything in small letters, in English.",
        ),
    ),
    "punctuation:no_comma": (
        _nothing,
        (
            "Do not use any commas.",
            "Write it without commas.",
            "There must be no comma in the whole answer.",
            "Please avoid commas altogether.",
        ),
    ),
}
TRAINED = tuple(TYPES)

EXCLUSIVE = (  # of each group a prompt has one at most
    {
        "length_constraints:number_paragraphs",
        "length_constraints:nth_paragraph_first_word",
        "detectable_format:multiple_sections",
        "detectable_format:number_bullet_lists",
        "combination:two_responses",
    },
    {"change_case:capital_word_frequency", "change_case:english_capital", "change_case:english_lowercase"},
    {"startend:end_checker", "detectable_content:postscript", "startend:quotation"},
    {"length_constraints:number_words", "length_constraints:number_sentences"},
    {"keywords:existence", "keywords:frequency"},
    {"keywords:letter_frequency", "keywords:existence"},
    {"detectable_content:number_placeholders", "combination:two_responses"},
)
STRUCTURED = EXCLUSIVE[0] | {"detectable_content:number_placeholders", "keywords:frequency"}
ALWAYS_DEMANDING = EXCLUSIVE[0]
RELATIONS = ("relation", "let_relation", "capital_relation")
COUNTED = {  # the relation "at least" demands length
    "length_constraints:number_words",
    "length_constraints:number_sentences",
    "keywords:frequency",
    "keywords:letter_frequency",
}


def demanding(instruction_id: str, given: Mapping) -> bool:
    """Whether an answer of one sentence cannot, or can hardly, follow the instruction."""
    if instruction_id == "keywords:existence":
        return len(given["keywords"]) > 1
    if instruction_id == "detectable_format:number_highlighted_sections":
        return given["num_highlights"] > 2
    at_least = any(given.get(name) == "at least" for name in RELATIONS)
    return instruction_id in ALWAYS_DEMANDING or (instruction_id in COUNTED and at_least)


def compatible(ids: Sequence[str], kwargs: Sequence[Mapping]) -> bool:
    """Whether the instructions can stand in one prompt: no two of a group, nothing long that must be short."""
    if any(len(group & set(ids)) > 1 for group in EXCLUSIVE):
        return False
    given = dict(zip(ids, kwargs, strict=True))
    brief = any(given.get(name, {}).get("relation") == "less than" for name in EXCLUSIVE[3])
    if brief and STRUCTURED & set(ids):
        return False
    wanted = {
        *given.get("keywords:existence", {}).get("keywords", []),
        given.get("keywords:frequency", {}).get("keyword"),
    }
    return not wanted & set(given.get("keywords:forbidden_words", {}).get("forbidden_words", []))


def _listed(words: Sequence[str], rng: random.Random) -> str:
    """Words as a sentence names them."""
    if len(words) == 1:
        return words[0]
    if rng.random() < 0.5:
        return ", ".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def ask(instruction_id: str, given: Mapping, rng: random.Random) -> str:
    """A sentence that asks for the instruction. Numbers up to twelve are now and then written out."""
    written = rng.random() < 0.3

    def shown(value):
        if isinstance(value, list):
            return _listed(value, rng)
        return WRITTEN[value] if written and isinstance(value, int) and value < len(WRITTEN) else value

    fields = {name: value if name == "nth_paragraph" else shown(value) for name, value in given.items()}
    text = rng.choice(TYPES[instruction_id][1]).format(**fields)
    return text.replace("1 times", "1 time").replace("one times", "one time")


def draw(instruction_id: str, words: Sequence[str], rng: random.Random) -> dict:
    """Arguments of the instruction for a topic with these keywords."""
    return TYPES[instruction_id][0](rng, words)
