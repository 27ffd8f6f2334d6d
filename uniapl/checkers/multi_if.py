"""The 25 instruction types of IFEval as Multi-IF checks them in eight languages (He et al. 2024, arXiv 2410.15553).

The verdicts are those of facebookresearch/Multi-IF: IFEval's, but that sentences and words are counted by the language
of the response (not of the row: an English row may ask for Hindi), and that other quotation marks may wrap a response.
Except:

- What uniapl/checkers/ifeval.py lists. Upstream draws a letter also for every one outside a to z, so for each
  letter_frequency of a Russian, Hindi or Chinese row; here the letter itself is counted.
- A response in Thai is counted like an English one. Upstream cuts Thai words and sentences with PyThaiNLP, which is no
  dependency of this suite; so Thai rows, which the published file does not have, are refused.
- Emoji among Chinese and Japanese words are found by Unicode's properties, not by a list of the package emoji.
- A response of blanks follows nothing. Upstream checks it strictly, and then loosely not at all.

An end of a word at each combining mark, as published, inflates Hindi word counts: the id with "~fixed" counts whole
words. No checker takes quadratic time.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from uniapl.checkers import ifeval, punkt
from uniapl.checkers.arguments import Instruction, Relation
from uniapl.checkers.texts import detect_language, emoji_pattern

CHINESE_JAPANESE = ("zh-cn", "zh-tw", "ja")
OWN_RULES = ("hi", *CHINESE_JAPANESE)  # languages that are not counted like English
# langdetect finds none of these languages without one of these characters: by its profiles any other n-gram is at least
# as likely in Czech.
OWN_CHARACTERS = re.compile("[\u00b7\u0900-\u097f\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uffef\ufffd]")
HAN_KANA_HANGUL = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
PUNCTUATION = re.compile(
    "[" + re.escape("\\.!?/_,{}<>:;$%^&*(+\"'`~@#)[]-．—！，。？、￥…（）：；《》“”»〔〕「」") + "]+"
)


def count_hindi_sentences(text: str) -> int:
    """Each danda, `!` or `?` ends a sentence, a full stop does not; what follows the last is one if it is not blank."""
    *ended, rest = re.split("[।!?]", text)
    return len(ended) + bool(rest.strip())


def count_chinese_japanese_sentences(text: str) -> int:
    """In each line, what stands between full stops, question and exclamation marks, ASCII or wide."""
    return sum(len(re.findall("[^!?.。！？．]+", line.strip())) for line in text.splitlines())


def count_chinese_japanese_words(text: str) -> int:
    """Each Han, kana or Hangul character, each emoji, and what blanks and these separate; punctuation is taken out."""
    text, n_emoji = emoji_pattern().subn("", PUNCTUATION.sub("", text))
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


def _with_rule(instruction_id: str, follows: Callable[..., bool]) -> Instruction:
    """IFEval's type, and what its arguments may be, with another rule."""
    return replace(ifeval.INSTRUCTIONS[instruction_id], follows=follows)


INSTRUCTIONS: dict[str, Instruction] = ifeval.INSTRUCTIONS | {
    "length_constraints:number_sentences": _with_rule("length_constraints:number_sentences", number_sentences),
    "length_constraints:number_words": _with_rule("length_constraints:number_words", number_words),
    "startend:quotation": _with_rule("startend:quotation", quotation),
}

FIXED: dict[str, Instruction] = {
    "length_constraints:number_words~fixed": _with_rule("length_constraints:number_words", number_words_fixed),
}
