"""Multi-IF's checkers: counts by the response's language, quotation marks of other scripts; any text has a verdict."""

import operator
import re
import time
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ifeval_examples import EXAMPLES as IFEVAL

from uniapl.checkers import Verdicts, build, check, families, ifeval, multi_if, texts
from uniapl.checkers.texts import detect_language
from uniapl.errors import UserError

# Sentences that are detected with certainty, and what there is of them by hand.
HINDI = "आज मौसम बहुत अच्छा है। हम बाजार जाएँगे! क्या तुम आओगे"  # 5 + 3 + 3 words, and three sentences: the rest is one
CHINESE = "我们今天去公园散步，然后回家吃饭。天气很好！"  # 9 + 6 + 4 characters, two sentences
JAPANESE = "今日はとても天気がいいです。散歩に行きましょう。"  # 13 + 9 characters, two sentences
RUSSIAN = "Сегодня идёт дождь. Мы останемся дома вместе."  # 3 + 4 words, two sentences
THAI = "วันนี้อากาศดีมาก"

built = partial(build, family="multi_if")

SENTENCES, WORDS = "length_constraints:number_sentences", "length_constraints:number_words"
NO_COMMA, QUOTATION = "punctuation:no_comma", "startend:quotation"


@pytest.mark.parametrize(
    ("text", "language", "n_sentences", "n_words"),
    [
        (HINDI, ("hi",), 3, None),
        (CHINESE, ("zh-cn", "zh-tw"), 2, 19),
        (JAPANESE, ("ja",), 2, 22),
        (RUSSIAN, ("ru",), 2, 7),
        ("It rains today. We stay at home, then.", ("en",), 2, 8),
        ("123 ... 456", (None,), None, 2),
    ],
)
def test_sentences_and_words_are_counted_by_the_language_of_the_response(text, language, n_sentences, n_words):
    assert detect_language(text) in language
    for name, argument, expected in ((SENTENCES, "num_sentences", n_sentences), (WORDS, "num_words", n_words)):
        if expected is not None:
            counts = [expected - 1, expected, expected + 1]
            at_least = [built(name, {argument: n, "relation": "at least"})(text) for n in counts]
            less_than = [built(name, {argument: n, "relation": "less than"})(text) for n in counts]
            assert at_least == [True, True, False]
            assert less_than == [False, False, True]


def test_ifeval_counts_the_same_texts_otherwise():
    assert ifeval.number_words(CHINESE, 4, operator.lt), "three runs between the signs"
    assert ifeval.number_sentences(CHINESE, 2, operator.lt) and ifeval.number_sentences(HINDI, 3, operator.lt)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a। b! c", 3),
        ("a! ", 1),
        ("a?!", 2),  # as published, each sign ends a sentence
        ("a. b. c", 1),
        ("", 0),
        (" \n", 0),
    ],
)
def test_hindi_sentences(text, expected):
    assert multi_if.count_hindi_sentences(text) == expected
    assert expected == len([s for s in re.split("(?<=[।!?])\\s*", text) if s.strip()]), "upstream's cut"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a。b！c", 3),
        ("a\nb", 2),
        ("a!!b", 2),
        ("a. 。b", 3),  # the blank between two signs is one, as published
        ("a，b", 1),
        ("。\n", 0),
    ],
)
def test_chinese_and_japanese_sentences(text, expected):
    assert multi_if.count_chinese_japanese_sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", 2),
        ("你好，Jason 你", 4),
        ("well-known, x_1", 2),  # punctuation is taken out and leaves no blank
        ("한국 カタ", 4),
        ("你\U0001f600\U0001f44d\U0001f3fd", 3),  # a face, a thumb of a colour
        ("\U0001f1e8\U0001f1f3 \u2764\ufe0f", 2),  # a flag, a heart with its variation selector
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467 ok", 2),  # a family is one
        ("1 2 3", 3),  # digits are no emoji, though Unicode says so
        ("", 0),
    ],
)
def test_chinese_and_japanese_words(text, expected):
    assert multi_if.count_chinese_japanese_words(text) == expected


def test_emoji_are_those_of_the_package_that_upstream_uses():
    emoji = pytest.importorskip("emoji", reason="the package emoji is not installed")
    known = [one for one in emoji.EMOJI_DATA if not set(one) & set("#*")]  # upstream takes these signs out first
    differ = [one for one in known if texts.emoji_pattern().findall(one) != [one]]
    assert len(known) > 3000
    assert len(differ) < 0.01 * len(known), differ[:20]


def test_fixed_words_keep_their_vowel_signs():
    hindi = "हिन्दी"  # one word of three letters, each with a sign
    plain = built(WORDS, {"num_words": 3, "relation": "at least"})
    assert plain(hindi) and plain("one two three")
    fixed = built(f"{WORDS}~fixed", {"num_words": 2, "relation": "less than"})
    assert fixed(hindi) and not fixed("one two")
    assert multi_if.count_words_with_marks(HINDI) == 11
    assert multi_if.count_words_with_marks(CHINESE) == 19


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('"a"', True),
        (" “a”\n", True),
        ("「a」", True),
        ("“a」", False),
        ("”a“", False),
        ("'a'", False),
        ('"', False),
        ("“", False),
        ("", False),
    ],
)
def test_quotation_marks_of_other_scripts_count(text, verdict):
    assert built(QUOTATION, {})(text) is verdict


def test_a_language_with_own_rules_is_not_detected_without_its_characters():
    from langdetect.utils.ngram import NGram

    has_own = multi_if.OWN_CHARACTERS.search
    grams, shares = texts.profiles()
    czech = texts.LANGUAGES.index("cs")
    own = [texts.LANGUAGES.index(code) for code in multi_if.OWN_RULES]
    others = [row for row, gram in enumerate(grams) if not has_own(gram)]
    assert len(others) > 10_000
    assert (shares[others][:, own] <= shares[others][:, [czech]]).all()
    assert czech < min(own), "of equally likely languages the first is detected"
    # What langdetect makes of other characters, or of a letter and a mark, is none of these; it keeps what is above.
    assert not [sign for sign in map(chr, range(0x10000)) if not has_own(sign) and has_own(NGram.normalize(sign))]
    assert not has_own("".join(NGram.NORMALIZED_VI_CHARS))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text("\u00e9\u0430\u0438\u043e\u00b7\ufffd\uac00ab. ", max_size=12) | st.text(st.characters(), max_size=12))
def test_counts_are_those_of_the_detected_language(text):
    language = detect_language(text)
    language = language if language in multi_if.OWN_RULES else None
    assert multi_if._language_with_own_rules(text) == language


def test_a_response_in_thai_has_verdicts():
    assert detect_language(THAI) == "th"
    assert built(WORDS, {"num_words": 1, "relation": "at least"})(THAI)


def test_every_other_instruction_is_ifevals():
    assert set(multi_if.INSTRUCTIONS) == set(ifeval.INSTRUCTIONS)
    differ = {name for name, rule in multi_if.INSTRUCTIONS.items() if rule != ifeval.INSTRUCTIONS[name]}
    assert differ == {SENTENCES, WORDS, QUOTATION}
    no_comma = built(NO_COMMA, {})
    assert no_comma.func is ifeval.no_comma
    with pytest.raises(UserError, match="^key 7: punctuation:no_coma: unknown instruction, did you mean"):
        built("punctuation:no_coma", {}, where="key 7")
    with pytest.raises(UserError, match="^key 7: .*num_words: missing argument relation|number_words: missing"):
        built(WORDS, {"num_words": 3}, where="key 7")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(st.characters(), max_size=60) | st.text("।。.!?“”「你हि a1\n\ud800", max_size=60))
def test_no_text_raises_and_strict_implies_loose(response):
    asked = [
        built(SENTENCES, {"num_sentences": 2, "relation": "at least"}),
        built(WORDS, {"num_words": 2, "relation": "less than"}),
        built(f"{WORDS}~fixed", {"num_words": 2, "relation": "less than"}),
        built(QUOTATION, {}),
    ]
    verdicts = check(asked, response)
    assert all(type(v) is bool for v in verdicts.strict + verdicts.loose)
    assert all(loose or not strict for strict, loose in zip(verdicts.strict, verdicts.loose, strict=True))
    for count in (
        multi_if.count_hindi_sentences,
        multi_if.count_chinese_japanese_sentences,
        multi_if.count_chinese_japanese_words,
    ):
        assert count(response) >= 0


UNITS = [
    "你",
    "。",
    "।",
    " ",
    "\n",
    "!",
    "हि ",
    "\U0001f1e8",
    "\U0001f469\u200d",
    "a。 ",
    "#\ufe0f",
]


@pytest.mark.parametrize("unit", UNITS)
def test_100_kb_take_no_quadratic_time(unit):
    text = (unit * 100_000)[:100_000] + "x"
    for count in (
        multi_if.count_sentences,
        multi_if.count_words,
        multi_if.count_words_with_marks,
        multi_if.count_hindi_sentences,
        multi_if.count_chinese_japanese_sentences,
        multi_if.count_chinese_japanese_words,
    ):
        start = time.process_time()
        count(text)
        assert time.process_time() - start < 1, count.__name__


@pytest.mark.parametrize("name", IFEVAL)
def test_one_response_to_each_of_the_25_follows_and_one_does_not_and_a_blank_one_never_does(name):
    kwargs, good, bad = IFEVAL[name]
    follows = built(name, kwargs)
    assert check([follows], good) == Verdicts((True,), (True,))
    assert check([follows], bad).strict == (False,)
    for blank in ("", " \n", "\u2003"):
        assert check([follows], blank) == Verdicts((False,), (False,))


# Mutants ------------------------------------------------------------------------------------------


def examples() -> list[tuple[str, dict, str, bool]]:
    """A text on either side of each argument, in both relations."""
    counts = [(SENTENCES, "num_sentences", RUSSIAN, 2), (WORDS, "num_words", CHINESE, 19)]
    counts.append((f"{WORDS}~fixed", "num_words", HINDI, 11))
    return [
        *(
            (name, {key: n + step, "relation": "at least"}, text, step < 1)
            for name, key, text, n in counts
            for step in (0, 1)
        ),
        *((QUOTATION, {}, text, verdict) for text, verdict in (("\u300ca\u300d", True), ("\u201ca\u300d", False))),
    ]


@pytest.mark.parametrize("name", [SENTENCES, WORDS, QUOTATION, *multi_if.FIXED])
def test_a_broken_checker_is_noticed(name, monkeypatch):
    own = [(kwargs, text, verdict) for of, kwargs, text, verdict in examples() if of == name]
    family = families.BY_NAME["multi_if"]
    follows = family.types[name].follows

    def shifted(by):
        return lambda text, **given: follows(text, **{k: v + by if isinstance(v, int) else v for k, v in given.items()})

    mutants = {"always": lambda text, **_: True, "never": lambda text, **_: False}
    if name != QUOTATION:
        mutants |= {"one more": shifted(1), "one less": shifted(-1)}
    assert all(built(name, kwargs)(text) is verdict for kwargs, text, verdict in own)
    for kind, mutant in mutants.items():
        broken = replace(family.types[name], follows=mutant)
        monkeypatch.setitem(families.BY_NAME, "multi_if", replace(family, fixed={name: broken}))
        assert any(built(name, kwargs)(text) is not verdict for kwargs, text, verdict in own), kind
