"""Multi-IF (He et al. 2024, arXiv 2410.15553): conversations of three turns, each scored by all instructions so far.

    conversations = read("multiIF_20241018.csv")
    messages(conversations[0], responses=[])                            # what a model is asked at the first turn
    frame = score(conversations, join(conversations, read_jsonl("responses.jsonl")))
    accuracy(frame), conversation_accuracy(frame)

The published file (facebook/Multi-IF, 4,501 conversations, CC BY-NC 2.0) has one conversation per row: key, language
and, for turns 1 to 3, turn_N_prompt (JSON of a message), turn_N_instruction_id_list (JSON of IFEval's ids, those of
the earlier turns first) and turn_N_kwargs (JSON of a list of JSON texts). It holds the languages of `LANGUAGES` but
German and Vietnamese, which facebookresearch/Multi-IF names too and checks as it does English.

The verdicts are those of that repository: IFEval's, but that sentences and words are counted by the language of the
response (not of the row: an English row may ask for Hindi), and that other quotation marks may wrap a response.
Except:

- What uniapl/checkers/ifeval.py lists. Upstream draws a letter also for every one outside a to z, so for each
  letter_frequency of a Russian, Hindi or Chinese row; here the letter itself is counted.
- A response in Thai is counted like an English one. Upstream cuts Thai words and sentences with PyThaiNLP, which is no
  dependency of this suite; so Thai rows, which the published file does not have, are refused.
- Emoji among Chinese and Japanese words are found by Unicode's properties, not by a list of the package emoji.
- A response of blanks follows nothing. Upstream checks it strictly, and then loosely not at all.

An end of a word at each combining mark, as published, inflates Hindi word counts: the id with "~fixed" counts whole
words.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd

from uniapl import checkers
from uniapl.checkers import Checker, ifeval, punkt
from uniapl.checkers.arguments import Relation
from uniapl.checkers.texts import detect_language
from uniapl.config.suites import TURNS
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl, writable

LANGUAGES = (
    "English",
    "Chinese",
    "French",
    "German",
    "Hindi",
    "Italian",
    "Portuguese",
    "Russian",
    "Spanish",
    "Vietnamese",
)

# checkers that differ from IFEval's ---------------------------------------------------------------

CHINESE_JAPANESE = ("zh-cn", "zh-tw", "ja")
OWN_RULES = ("hi", *CHINESE_JAPANESE)  # languages that are not counted like English
# langdetect finds none of these languages without one of these characters: by its profiles any other n-gram is at least
# as likely in Czech.
OWN_CHARACTERS = re.compile("[\u00b7\u0900-\u097f\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uffef\ufffd]")
HAN_KANA_HANGUL = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
PUNCTUATION = re.compile(
    "[" + re.escape("\\.!?/_,{}<>:;$%^&*(+\"'`~@#)[]-．—！，。？、￥…（）：；《》“”»〔〕「」") + "]+"
)


@lru_cache(maxsize=1)
def _emoji():
    """An emoji: a flag, a keycap, or signs that joiners hold together, with skin colours and variation selectors."""
    import regex  # re knows no Unicode property

    sign = r"[\p{Emoji}--[0-9#*]](?:\p{Emoji_Modifier}|\uFE0F)?[\U000E0020-\U000E007F]*"
    return regex.compile(rf"\p{{RI}}{{2}}|[0-9#*]\uFE0F?\u20E3|{sign}(?:\u200D{sign})*", regex.V1)


def count_hindi_sentences(text: str) -> int:
    """Each danda, `!` or `?` ends a sentence, a full stop does not; what follows the last is one if it is not blank."""
    *ended, rest = re.split("[।!?]", text)
    return len(ended) + bool(rest.strip())


def count_chinese_japanese_sentences(text: str) -> int:
    """In each line, what stands between full stops, question and exclamation marks, ASCII or wide."""
    return sum(len(re.findall("[^!?.。！？．]+", line.strip())) for line in text.splitlines())


def count_chinese_japanese_words(text: str) -> int:
    """Each Han, kana or Hangul character, each emoji, and what blanks and these separate; punctuation is taken out."""
    text, n_emoji = _emoji().subn("", PUNCTUATION.sub("", text))
    others, n_characters = HAN_KANA_HANGUL.subn(" ", text)
    return n_emoji + n_characters + len(others.split())


def _language_with_own_rules(text: str) -> str | None:
    language = detect_language(text) if OWN_CHARACTERS.search(text) else None
    return language if language in OWN_RULES else None


def count_sentences(text: str) -> int:
    """Sentences by the rule for the language that is detected; English's where there is no other."""
    language = _language_with_own_rules(text)
    if language == "hi":
        return count_hindi_sentences(text)
    if language in CHINESE_JAPANESE:
        return count_chinese_japanese_sentences(text)
    return len(punkt.sentences(text))


def count_words(text: str) -> int:
    r"""Words by the rule for the language that is detected; runs of \w characters where there is no other."""
    if _language_with_own_rules(text) in CHINESE_JAPANESE:
        return count_chinese_japanese_words(text)
    return len(re.findall(r"\w+", text))


def count_words_with_marks(text: str) -> int:
    """As `count_words`, but that a combining mark does not end a word."""
    import regex

    if _language_with_own_rules(text) in CHINESE_JAPANESE:
        return count_chinese_japanese_words(text)
    return len(regex.findall(r"[\w\p{M}]+", text))


def number_sentences(text: str, num_sentences: int, relation: Relation) -> bool:
    """The text has enough (or few enough) sentences, by the rule for its language."""
    return relation(count_sentences(text), num_sentences)


def number_words(text: str, num_words: int, relation: Relation) -> bool:
    """The text has enough (or few enough) words, by the rule for its language."""
    return relation(count_words(text), num_words)


def number_words_fixed(text: str, num_words: int, relation: Relation) -> bool:
    """The text has enough (or few enough) words; a vowel sign, as in Hindi, does not end one."""
    return relation(count_words_with_marks(text), num_words)


def quotation(text: str) -> bool:
    """Double quotation marks wrap the whole text: ASCII, curly or corner brackets."""
    text = text.strip()
    return len(text) > 1 and text[0] + text[-1] in ('""', "“”", "「」")


CHANGED: dict[str, Callable[..., bool]] = {
    "length_constraints:number_sentences": number_sentences,
    "length_constraints:number_words": number_words,
    "startend:quotation": quotation,
}
FIXED: dict[str, Callable[..., bool]] = {"length_constraints:number_words~fixed": number_words_fixed}


def build(instruction_id: str, kwargs: Mapping[str, object], *, where: str = "") -> Checker:
    """`checkers.build` for one of IFEval's instructions as Multi-IF checks it. Raises UserError like it."""
    plain = instruction_id.removesuffix("~fixed") if instruction_id in FIXED else instruction_id
    if plain in checkers.INSTRUCTIONS and plain not in ifeval.INSTRUCTIONS:
        raise UserError(f"{where + ': ' if where else ''}{plain}: is none of the 25 instructions of Multi-IF")
    follows = checkers.build(plain, kwargs, where=where)
    changed = {**CHANGED, **FIXED}.get(instruction_id)
    return partial(changed, **follows.keywords) if changed else follows


# conversations ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """What the user says at one turn, and every instruction that the response to it must follow."""

    prompt: str
    instruction_id_list: tuple[str, ...]
    kwargs: tuple[Mapping, ...]

    def checkers(self, where: str = "") -> tuple[Checker, ...]:
        """One checker for each instruction."""
        return tuple(build(i, k, where=where) for i, k in zip(self.instruction_id_list, self.kwargs, strict=True))


@dataclass(frozen=True)
class Conversation:
    """A row of the file: its key, its language and up to three turns."""

    key: str
    language: str
    turns: tuple[Turn, ...]


def _decoded(value: object) -> object:
    """JSON text as the object that it holds; anything else as it is."""
    return json.loads(value) if isinstance(value, str) else value


def _absent(prompt: object) -> bool:
    return prompt is None or prompt in ("", "None")


def _turn(row: Mapping, number: int, where: str) -> Turn:
    """Turn `number` of a row. Raises UserError where a field is not in the published form."""
    try:
        message = _decoded(row[f"turn_{number}_prompt"])
        ids = _decoded(row[f"turn_{number}_instruction_id_list"])
        kwargs = [_decoded(given) for given in _decoded(row[f"turn_{number}_kwargs"])]
        turn = Turn(message["content"], tuple(ids), tuple(kwargs))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(f"{where}: not in the form of Multi-IF's file: {error!r}") from None
    texts = (turn.prompt, *turn.instruction_id_list)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(given, dict) for given in kwargs):
        raise UserError(f"{where}: the prompt and the ids must be texts, the kwargs objects")
    if not ids or len(ids) != len(kwargs):
        raise UserError(f"{where}: {len(ids)} in instruction_id_list but {len(kwargs)} in kwargs")
    turn.checkers(where)
    return turn


def read_row(row: Mapping, where: str) -> Conversation:
    """The conversation of a row; a turn without prompt ends it.

    Raises UserError that names `where`, the turn and the instruction, for a language that is not of `LANGUAGES` too.
    """
    for field in ("key", "language"):
        if not isinstance(row.get(field), str | int) or not str(row[field]):
            raise UserError(f"{where}: {field} is missing")
        if not writable(str(row[field])):
            raise UserError(f"{where}: {field} {row[field]!r} has half a surrogate pair, which no table can hold")
    if row["language"] not in LANGUAGES:
        raise UserError(f"{where}: no rules for {row['language']!r}: choose languages among {', '.join(LANGUAGES)}")
    here = [number for number in TURNS if not _absent(row.get(f"turn_{number}_prompt"))]
    if not here or here != list(TURNS[: len(here)]):
        raise UserError(f"{where}: has a prompt for the turns {here}, which must begin with 1 and leave none out")
    turns = tuple(_turn(row, number, f"{where}, turn {number}") for number in here)
    return Conversation(str(row["key"]), row["language"], turns)


def _csv_rows(path: Path) -> list[dict]:
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: {error}") from error
    if not rows:
        raise UserError(f"{path}: holds no rows")
    return rows


def read(path: str | Path, languages: Collection[str] | None = None) -> list[Conversation]:
    """The conversations of a CSV or JSON Lines file in the published form, in its order, of `languages` or all.

    Raises UserError that names the file, the row and its key; unless a language is left out, it must be of `LANGUAGES`.
    """
    path = Path(path)
    rows = _csv_rows(path) if path.suffix == ".csv" else read_jsonl(path)
    found = [
        read_row(row, f"{path}: row {number}, key {row.get('key')}")
        for number, row in enumerate(rows, start=1)
        if languages is None or row.get("language") in languages
    ]
    if not found:
        raise UserError(f"{path}: has no conversation in {', '.join(languages or ())}")
    _refuse([key for key, n in Counter(one.key for one in found).items() if n > 1], f"keys of {path} are there twice")
    return found


def messages(conversation: Conversation, responses: Sequence[str]) -> list[dict]:
    """The chat that asks for the response after these: what the user said so far, and the model's own answers."""
    said = [{"role": "user", "content": turn.prompt} for turn in conversation.turns[: len(responses) + 1]]
    answered = [{"role": "assistant", "content": response} for response in responses]
    if len(said) <= len(responses):
        raise UserError(f"key {conversation.key}: has {len(said)} turns, no turn {len(responses) + 1}")
    return [message for pair in zip(said, answered, strict=False) for message in pair] + said[-1:]


# scores -------------------------------------------------------------------------------------------


def _refuse(names: Sequence, problem: str) -> None:
    """Raise UserError with a count and the first names, unless there are none."""
    if names:
        listed = ", ".join(map(str, names[:3])) + (", ..." if names[3:] else "")
        raise UserError(f"{len(names)} {problem}: {listed}")


def join(conversations: Sequence[Conversation], rows: Sequence[Mapping]) -> dict[str, tuple[str, ...]]:
    """The responses to each conversation by its key, in the order of its turns.

    A row has key, turn (from 1) and response. Raises UserError unless every turn has exactly one.
    """
    for field, kind in (("key", (str, int)), ("turn", int), ("response", str)):
        bad = [number for number, row in enumerate(rows, start=1) if not isinstance(row.get(field), kind)]
        _refuse(bad, f"responses have a wrong {field}, or none, in the rows")
    asked = [(one.key, number) for one in conversations for number in range(1, len(one.turns) + 1)]
    answers = {(str(row["key"]), row["turn"]): row["response"] for row in rows}
    counts = Counter((str(row["key"]), row["turn"]) for row in rows)
    for problem, names in (
        ("turns have several responses", [name for name, n in counts.items() if n > 1]),
        ("turns have no response", [name for name in asked if name not in answers]),
        ("responses answer no turn", [name for name in answers if name not in set(asked)]),
    ):
        _refuse([f"key {key}, turn {turn}" for key, turn in names], problem)
    return {one.key: tuple(answers[one.key, n] for n in range(1, len(one.turns) + 1)) for one in conversations}


def score(
    conversations: Sequence[Conversation],
    responses: Mapping[str, Sequence[str]],
    *,
    watch: Callable[[Sequence], Iterable] = iter,
) -> pd.DataFrame:
    """One row per turn and instruction: key, language, turn, index, instruction_id, strict, loose (1 is followed).

    `watch` sees the conversations go by, as a progress bar does.
    """
    rows = []
    for one in watch(conversations):
        for number, (turn, response) in enumerate(zip(one.turns, responses[one.key], strict=True), start=1):
            verdicts = checkers.check(turn.checkers(f"key {one.key}, turn {number}"), response)
            followed = zip(turn.instruction_id_list, verdicts.strict, verdicts.loose, strict=True)
            rows += [
                (one.key, one.language, number, i, name, int(s), int(lo)) for i, (name, s, lo) in enumerate(followed)
            ]
    return pd.DataFrame(rows, columns=["key", "language", "turn", "index", "instruction_id", "strict", "loose"])


def _four(frame: pd.DataFrame) -> dict[str, float]:
    """IFEval's four accuracies of one turn, and their mean."""
    prompts = frame.groupby("key")[["strict", "loose"]].min()
    four = {
        f"{unit}_{rule}": float(rows[rule].mean())
        for rule in ("strict", "loose")
        for unit, rows in (("prompt", prompts), ("inst", frame))
    }
    return {"prompts": len(prompts), **four, "average": sum(four.values()) / len(four)}


def accuracy(frame: pd.DataFrame) -> pd.DataFrame:
    """The accuracies of each turn, for all languages and for each: the published figure is the average of the four."""
    rows = [
        {
            "turn": turn,
            "language": language,
            **_four(of_turn if language == "all" else of_turn[of_turn.language == language]),
        }
        for turn, of_turn in frame.groupby("turn")
        for language in ("all", *sorted(of_turn.language.unique()))
    ]
    return pd.DataFrame(rows)


def conversation_accuracy(frame: pd.DataFrame) -> pd.DataFrame:
    """The share of conversations of which every instruction of every turn is followed, strictly and loosely."""
    each = frame.groupby(["language", "key"])[["strict", "loose"]].min().reset_index()
    groups = (("all", each), *each.groupby("language"))
    return pd.DataFrame(
        {"language": language, "conversations": len(of), "strict": of.strict.mean(), "loose": of.loose.mean()}
        for language, of in groups
    )
