"""How long a checker may take: every instruction type, with several arguments, on texts built to be slow.

`python -m benchmarks.checkers robustness` prints the slowest. A text has 100,000 characters, so 100 kB and more. Each
call starts with empty caches; its time is CPU time, the least of up to five calls where the first took long, and of
five more at the end where they took more than 50 ms.

`python -m benchmarks.robustness --minutes 30` searches for texts whose time grows faster than their length: a random
head, a block of random signs and units that is repeated, and a random end, through every type. What takes long at
3,000 characters is timed at 12,000 too, where a linear checker takes 4 times, a quadratic one 16 times as long.
"""

import argparse
import itertools
import math
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from uniapl.checkers import Checker, arguments, build, families, iftrain, sentences, texts
from uniapl.checkers.arguments import Argument, Instruction
from uniapl.checkers.ifbench import arguments as ifbench_arguments
from uniapl.errors import UserError, one_line_errors

SIZE = 100_000
LIMIT = 0.05  # seconds
AGAIN = 0.025  # seconds from which a call is timed again: another process may have had the core's caches
CALLS = 5
CHOICES = 6  # of arguments, the first valid ones of DRAWS from all combinations
DRAWS = 2_000

SMALL, TIMES = 3_000, 4  # characters of a text in the search, and how much longer it is made
SUSPECT = 0.003  # seconds of a call in the search that are a reason to make its text longer
GROWTH = 8  # times as long with TIMES the length: between a linear checker's 4 and a quadratic one's 16

COUNTS = (1, 3, 1000, 30_000)
WORDS = ("a", "rain", "a. a", "\u7684")
VALUES: dict[Argument, tuple] = {
    arguments.COUNT: COUNTS,
    arguments.RELATION: ("at least", "less than"),
    arguments.PHRASE: WORDS,
    arguments.CHARACTER: ("a", "#", ".", " "),
    arguments.LANGUAGE: ("en", "hi", "zh-cn", "ko"),
    arguments.KEYWORD: WORDS,
    arguments.KEYWORDS: tuple([word, "x"] for word in WORDS),
    arguments.FORBIDDEN: tuple([word, "x"] for word in WORDS),
    arguments.MARKER: ("P.S.", "P.P.S", "a.", "p. p. "),
    arguments.HEADING: ("Section", "a", "1", "SECTION"),
    ifbench_arguments.NUMBER: COUNTS,
    ifbench_arguments.INDEX: (0, 1),
    ifbench_arguments.PERCENTAGE: (0, 50, 100),
    ifbench_arguments.TEXT: WORDS,
    ifbench_arguments.WORD: WORDS,
    ifbench_arguments.REFERENCE: ("a. a. a. ", "It rains. " * 1000),
    ifbench_arguments.OPTIONS: ("a/b/c", "a), b), c)", "yes or no", "a,b"),
    iftrain.TEXT: ("a a", "rain a", "red warm fox", "a. b"),
    iftrain.INDEX: (0, 1),
    iftrain.WORD: WORDS,
}
# Arguments that a text meets in full, so that every sentence of it must be looked at.
MET = {"count:counting_composition": {"n_sent": 3000, "n_words": 3}}


def values(argument: Argument) -> tuple:
    """What an argument is given: for a kind that is not of VALUES, what it accepts of theirs.

    Raises UserError where that is nothing.
    """
    if argument in VALUES:
        return VALUES[argument]
    pooled = {repr(value): value for pool in VALUES.values() for value in pool}  # a list has no hash
    accepted = tuple(value for value in pooled.values() if argument.accepts(value))
    if not accepted:
        where = "benchmarks/robustness.py"
        raise UserError(f"{where}: no value for an argument that must be {argument.expected}: add some to VALUES")
    return accepted


def choices(instruction: Instruction) -> list[dict]:
    """Arguments of an instruction that are valid together."""
    pools = {name: values(argument) for name, argument in instruction.arguments.items()}
    every = math.prod(map(len, pools.values()))
    drawn = (combination(pools, number) for number in random.Random(0).sample(range(every), min(DRAWS, every)))
    return list(itertools.islice((kwargs for kwargs in drawn if not instruction.together(kwargs)), CHOICES))


def combination(pools: dict[str, tuple], number: int) -> dict:
    """One of all combinations of the pools' values, by its number from 0: there may be millions of them."""
    kwargs = {}
    for name, pool in pools.items():
        number, at = divmod(number, len(pool))
        kwargs[name] = pool[at]
    return kwargs


def checkers() -> Iterator[tuple[str, str, Checker]]:
    """Family, id and checker of every type, once for each choice of arguments."""
    for family in families.FAMILIES:
        others = families.BY_NAME[family.rules_for].types if family.rules_for else {}
        for name, instruction in family.types.items():
            if instruction == others.get(name):  # timed once
                continue
            met = MET.get(name.removesuffix("~fixed"))
            for kwargs in choices(instruction) + ([met] if met else []):
                yield family.name, name, build(name, kwargs, family=family.name)


UNITS = (
    *("a", "A", "a ", "A ", "rain ", "it ", "a a. ", "gon", "I'm ", "it's n't ", "A1. ", "de\u0301 ", "e\u0301"),
    *(
        "rain",
        ".",
        ". ",
        "a.",
        "a. ",
        "p. ",
        "1. ",
        "A.)",
        ".)",
        "a.)",
        '." ',
        ".' ",
        "it? ",
        "! ",
        "!? ",
        "?! x",
        "Go on. ",
        "!?! ",
        "it? !?! ",
    ),
    *("\u2026", ",", ", ", "A,", "A, ", "1,", "a.b-c,", ":", ";", "-", "A-", "- \n", "--", "...", "\u2014"),
    *("*", "* ", "***", "******", "*-\n", "**a", "* a\n", "[", "[[", "[a", "[A", "([{", "()", "<<", "<<a>", "<i>"),
    *('{"a":', '"', "'", "\"'", '"a"\t', "`", "``", "\u201c", "\u201d ", "'a", "a' "),
    *(" ", "\n", "\n\n", " \n\n", "\r\n", "a\n", "A\n", "\t", ".\u00a0", "\x00", "\x1c", "\ud800", "\ufdd0"),
    *("\u4e00", "\u7684\u3002", "\u732b ", "\u0e01 ", "\u05d0 \u0628", "\u0939\u093f ", "\u0939\u0964"),
    *("\U0001f327. ", "\U0001f600", "\U0001f468\u200d", "a@", "a@a ", "http://a ", "Section ", "SECTION 1"),
    *("Question 1. ", "P.S. ", "p. p. ", "\u0130", ".\u00a0. "),
)
SIGNS = (
    ".,;:'\"()aA1-*?!",
    ".,;:'\"()aA1-*?! \n",
    ".?! a\u00e9\n",
    ".,\u3002\u4e2d\u0939\U0001f600\u00e9A \n",
    "A1.,!? ",
    "ab ",
    "\u0939\u093f\u0964\u4e2d\u732b! ",
)
FORMS = ("{}", "A{}.", 'Is "{}" it?', "{}. Is {}? No {}!")
ALPHABETS = {
    "Han": range(0x4E00, 0x9FFF),
    "cased": [*range(0xC0, 0x24F), *range(0x391, 0x3C9), *range(0x410, 0x44F)],
    "English": [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)],
}
# Each full stop is decided by the word tokens around it.
STOPS = ("{}.:{}. ", "{}.\u00a0", "?{}.. ", "!{}. ", "{}{}.:{}. ", "{}. \n:)", "{}. {}. !", '"{}. ')
FRAMES = ("{}. ", "({}. ", "({}. {} ", "{}. {}? ", "{}-{}. ", "{} ", "{}{}{} ", '"{}!" ', "{}\n", "1.{}***", *STOPS)


def _filled(frame: str, letters: Iterator[str]) -> str:
    return re.sub("{}", lambda _: next(letters), frame)


def adversarial(size: int = SIZE) -> Iterator[tuple[str, str]]:
    """Texts by what they are made of: one unit repeated; units, signs or letters drawn; numbers that all differ."""
    rng = random.Random(0)
    for unit in UNITS:
        yield repr(unit), (unit * size)[:size]
    for start in ("rain a rain. Question 1. ", 'ProductID,Category,Brand,Price,Stock\n1,a,"'):
        for unit in ("a. ", ".)", '"', "\n", "'", ", ", "[A"):
            yield f"{start!r} and {unit!r}", (start + unit * size)[:size]
    for sentence in ("rain rain. ", "it is so. "):
        yield f"3 x 3000 of {sentence!r}", "***".join([sentence * 3000] * 3)
    for run in ("\n", " \n", "\u00a0", "\x1c", ")", "'", "-"):
        yield f"{run!r} after a stop", "rain. a." + (run * size)[: size - 10] + "x"
    for n in (2, 10, len(UNITS)):
        yield f"{n} units drawn", "".join(rng.choices(rng.sample(UNITS, n), k=size))[:size]
    for signs in SIGNS:
        yield f"signs of {signs!r}", "".join(rng.choices(signs, k=size))
    for form in FORMS:
        yield f"{form!r} with numbers", " ".join(form.replace("{}", str(i)) for i in range(size // 3))[:size]
    for alphabet, codes in ALPHABETS.items():
        for frame in FRAMES:
            n = size // (len(frame) - frame.count("{}")) + 1
            letters = iter(rng.choices([*map(chr, codes)], k=size))
            repeated = "".join(_filled(frame, letters) for _ in range(n))
            yield f"{alphabet} letters in {frame!r}", repeated[:size]


CACHES = (texts.likeliest_language, sentences.split_sentences)


def cpu_seconds(follows: Checker, text: str) -> float:
    for cache in CACHES:
        cache.cache_clear()
    start = time.process_time()
    follows(text)
    return time.process_time() - start


def seconds_of(follows: Checker, text: str) -> float:
    """CPU seconds of one call, the least of CALLS where the first took longer than AGAIN."""
    first = cpu_seconds(follows, text)
    return first if first < AGAIN else min(first, *(cpu_seconds(follows, text) for _ in range(CALLS - 1)))


def slowest(chosen: Callable[[str], bool] = lambda name: True) -> dict[tuple[str, str], tuple[float, str]]:
    """The most seconds that each type took, and the text that took them; the slowest type first."""
    every = [entry for entry in checkers() if chosen(entry[1])]
    for _, _, follows in every:
        follows("It rains. Das ist Regen.")  # imports and profiles
    worst, again = {}, []
    for made_of, text in adversarial():
        for family, name, follows in every:
            seconds = seconds_of(follows, text)
            if seconds > LIMIT:  # perhaps in a slow moment of the machine: measured once more at the end
                again.append((seconds, family, name, made_of, follows, text))
                seconds = 0.0
            worst[family, name] = max(worst.get((family, name), (0.0, "")), (seconds, made_of))
    for seconds, family, name, made_of, follows, text in again:
        worst[family, name] = max(worst[family, name], (min(seconds, seconds_of(follows, text)), made_of))
    return dict(sorted(worst.items(), key=lambda item: -item[1][0]))


@dataclass
class Search:
    """What a search has tried: `slowest` at SMALL characters, `growing` those whose time grew by GROWTH or more."""

    texts: int = 0
    calls: int = 0
    longest: int = 0  # calls whose text was made longer
    slowest: tuple[float, str, str] = (0.0, "", "")  # seconds, type, text
    steepest: tuple[float, str, str] = (0.0, "", "")  # growth, type, text
    growing: list[tuple[float, str, str]] = field(default_factory=list)


def shape(rng: random.Random) -> tuple[str, Callable[[int], str]]:
    """A random text of any length: what it is made of, and the function that makes it."""

    def part(most: int) -> str:
        pieces = [rng.choice(UNITS) if rng.random() < 0.5 else rng.choice(rng.choice(SIGNS)) for _ in range(most)]
        return "".join(pieces[: rng.randint(0, most)])

    head, block, end = part(3), part(4) or rng.choice(UNITS), part(3)
    made_of = f"{head!r}, {block!r} repeated, {end!r}"
    return made_of, lambda size: (head + block * size)[: size - len(end)] + end


def search(seconds: float, seed: int, types: list[tuple[str, str, Checker]] | None = None) -> Search:
    """Every type, each with one choice of its arguments, on random texts, until so many CPU seconds have passed."""
    rng, found, begun = random.Random(seed), Search(), time.process_time()
    by_type: dict[tuple[str, str], list[Checker]] = {}
    for family, name, follows in types or checkers():
        by_type.setdefault((family, name), []).append(follows)
        follows("It rains. Das ist Regen.")  # imports and profiles
    while time.process_time() - begun < seconds:
        made_of, text = shape(rng)
        found.texts += 1
        for (family, name), choice in by_type.items():
            follows, what = rng.choice(choice), f"{family} {name}"
            found.calls += 1
            short = cpu_seconds(follows, text(SMALL))
            if short > SUSPECT:
                short = min(short, *(cpu_seconds(follows, text(SMALL)) for _ in range(2)))
            found.slowest = max(found.slowest, (short, what, made_of))
            if short > SUSPECT:
                found.longest += 1
                grown = min(cpu_seconds(follows, text(TIMES * SMALL)) for _ in range(2)) / short
                found.steepest = max(found.steepest, (grown, what, made_of))
                found.growing += [(grown, what, made_of)] if grown >= GROWTH else []
    return found


def told(found: Search) -> list[str]:
    """Lines about a search."""
    lines = [
        f"{found.texts} texts of {SMALL:,} characters, {found.calls:,} calls, {found.longest} of them with a text of "
        f"{TIMES * SMALL:,} too; {len(found.growing)} grew {GROWTH} times or more",
        f"slowest: {1000 * found.slowest[0]:.1f} ms, {found.slowest[1]} on {found.slowest[2]}",
        f"steepest: {found.steepest[0]:.1f} times, {found.steepest[1]} on {found.steepest[2]}",
    ]
    return lines + [f"{grown:.1f} times: {what} on {made_of}" for grown, what, made_of in sorted(found.growing)[::-1]]


def table(worst: dict[tuple[str, str], tuple[float, str]], n: int = 20) -> list[str]:
    """Lines: how many types are how fast, by family, and the n slowest."""
    families = dict.fromkeys(family for family, _ in sorted(worst))
    lines = []
    for family in families:
        times = [seconds for (member, _), (seconds, _) in worst.items() if member == family]
        above = sum(seconds > LIMIT for seconds in times)
        lines.append(f"{family:9} {len(times):3} types, slowest {1000 * max(times):4.0f} ms, {above} above 50 ms")
    slow = [*worst.items()][:n]
    return lines + [f"{1000 * s:5.0f} ms  {family} {name} on {made_of}" for (family, name), (s, made_of) in slow]


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True, help="of CPU time")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    print("\n".join(told(search(60 * args.minutes, args.seed))))


if __name__ == "__main__":
    main()
