"""The discriminator's triples of scale small: reference and chosen by one policy, rejected by another (POLAR).

    python -m uniapl.data.everyday.comparisons --prompts train_prompts.jsonl --samples demonstrations.samples.jsonl \\
        --model FOLDER --out comparisons.jsonl [--scale small] [--asked 200 --seed 0]

`--samples` are the base's answers of which the demonstrations were made (demonstrations.py); FOLDER is the base's
checkpoint. Of the prompts with at least two answers that can be edited to obey, `--asked` are drawn. Policies:

    edited           these answers, edited until every instruction is followed: the expert
    base             these answers as they are, T = 1
    greedy, cool, hot   the base again, at T = 0, 0.6 and 1.4; one of them for each prompt
    broken           a text of the expert's with its sentences shuffled, said twice or left out, and words dropped

The base is asked again in minutes, so a killed run starts anew. Beside `--out` lies `.summary.json`: counts. A row of
`--out` has

    prompt, reference, chosen, rejected    texts; no two of a triple come from one answer of the base
    same, other      the policies of reference and chosen, and of rejected
    expert, broken   same is edited; other is broken
    split            heldout for a sixth of the prompts, else train

For every prompt EXPERT triples have the expert as their reference, and one has not, so that the score depends on the
reference. The expert is the one policy whose texts the trainings show as references.
"""

import argparse
import dataclasses
import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from uniapl.data.everyday.demonstrations import UNUSABLE, edited_answers
from uniapl.data.everyday.editor.text import join, parse
from uniapl.data.everyday.sampling import Sampler, load_engine
from uniapl.data.everyday.world import BASE, World, world_of
from uniapl.data.teach import Teacher
from uniapl.data.teach.__main__ import read_all
from uniapl.data.teach.answer import seed_of
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl, write_jsonl

EXPERT = 2  # triples of each prompt with the expert as reference, beside one with another policy
AGAIN = {"greedy": (0.0, 1), "cool": (0.6, 2), "hot": (1.4, 2)}  # policy: its temperature, its answers to a prompt
DROPPED = 0.1  # the share of words that a broken text has lost
HELDOUT = 6  # each how many-th prompt is held out


class Text(NamedTuple):
    """A text of a policy; `source` names the base's answer that it is, or was made of."""

    text: str
    source: str


def broken(text: str, rng: random.Random) -> str:
    """The text in its lines, with its sentences shuffled, one said twice or one left out, and a tenth of its words
    dropped."""
    lines = parse(text)
    parts = [sentence for line in lines for sentence in line]
    how = rng.choice(("shuffled", "twice", "out"))
    if how == "shuffled":
        rng.shuffle(parts)
    elif how == "twice" and parts:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(parts))
    elif len(parts) > 1:
        parts.pop(rng.randrange(len(parts)))
    left = iter(parts)
    laid = [list(islice(left, len(line))) for line in lines]
    whole = join([*laid, list(left)])
    return re.sub(r"\S+ ?", lambda word: word[0] if rng.random() >= DROPPED else "", whole)


def texts_of(prompt: dict, answers: Sequence[dict]) -> dict[str, list[Text]]:
    """What the expert and the base wrote to a prompt, of the base's answers as stage teach wrote them."""
    edited = [Text(row["response"], str(row["attempt"])) for row in edited_answers(prompt, answers) if row["passed"]]
    base = [Text(row["response"], str(row["attempt"])) for row in answers if row["reason"] not in UNUSABLE]
    return {"edited": edited, "base": base}


def _pair(texts: Sequence[Text], rng: random.Random) -> tuple[Text, Text] | None:
    """Two different texts of one policy, from different answers; None where there are none."""
    both = [(a, b) for a in texts for b in texts if a.source != b.source and a.text != b.text]
    return rng.choice(both) if both else None


def triple(texts: Mapping[str, Sequence[Text]], same: str, other: str, rng: random.Random) -> dict | None:
    """A triple of these policies; None where they have not written enough."""
    if not (pair := _pair(texts.get(same, ()), rng)):
        return None
    reference, chosen = pair
    if other == "broken":
        rejected = [Text(broken(chosen.text, rng), "")]
    else:
        rejected = [one for one in texts.get(other, ()) if one.source != reference.source]
    rejected = [one for one in rejected if one.text not in (reference.text, chosen.text)]
    if not rejected:
        return None
    return {
        "reference": reference.text,
        "chosen": chosen.text,
        "rejected": rng.choice(rejected).text,
        "same": same,
        "other": other,
        "expert": same == "edited",
        "broken": other == "broken",
    }


def triples(prompt: dict, texts: Mapping[str, Sequence[Text]], split: str, rng: random.Random) -> list[dict]:
    """The triples of a prompt: EXPERT with the expert as reference (the base first), one with another policy."""
    others = [policy for policy in (*AGAIN, "broken") if policy == "broken" or texts.get(policy)]
    rest = [policy for policy in ("base", *AGAIN) if _pair(texts.get(policy, ()), rng)]
    asked = [("edited", "base"), *(("edited", rng.choice(others)) for _ in range(EXPERT - 1))]
    if rest:
        same = rng.choice(rest)
        against = [policy for policy in ("edited", "base", *AGAIN) if policy != same and texts.get(policy)]
        asked.append((same, rng.choice(against)))
    found = (triple(texts, same, other, rng) for same, other in asked)
    return [{"prompt": prompt["prompt"], **one, "split": split} for one in found if one]


def again(
    prompts: Sequence[dict], load: Callable[[Teacher], Sampler], seed: int, batch: int
) -> dict[str, dict[str, list[Text]]]:
    """key -> policy -> texts: the base asked again, one policy of AGAIN for each prompt."""
    found: dict[str, dict[str, list[Text]]] = {prompt["key"]: {} for prompt in prompts}
    for place, (policy, (temperature, count)) in enumerate(AGAIN.items()):
        mine = [(prompt, number) for prompt in prompts[place :: len(AGAIN)] for number in range(count)]
        sampler = load(dataclasses.replace(BASE, temperature=temperature)) if mine else None
        for start in range(0, len(mine), batch):
            some = mine[start : start + batch]
            seeds = [seed_of(seed, f"{policy}/{prompt['key']}", number) for prompt, number in some]
            answers = sampler([prompt["prompt"] for prompt, _ in some], seeds)
            for (prompt, number), answer in zip(some, answers, strict=True):
                found[prompt["key"]].setdefault(policy, []).append(Text(answer.text, f"{policy}/{number}"))
    return found


def build(
    prompts: Sequence[dict],
    answers: Sequence[dict],
    load: Callable[[Teacher], Sampler],
    out: Path,
    *,
    asked: int = World.comparisons,
    seed: int = World.seed,
    batch: int = BASE.concurrency,
) -> dict:
    """Write the triples and their summary; returns it. Raises UserError where no prompt has two edited answers."""
    by_key: dict[str, list[dict]] = defaultdict(list)
    for row in answers:
        by_key[row["key"]].append(row)
    order = [prompt for prompt in prompts if len(by_key[prompt["key"]]) > 1]
    random.Random(f"{seed}/comparisons").shuffle(order)
    chosen: list[tuple[dict, dict[str, list[Text]]]] = []
    for prompt in order:
        texts = texts_of(prompt, by_key[prompt["key"]])
        if len(texts["edited"]) > 1:
            chosen.append((prompt, texts))
        if len(chosen) == asked:
            break
    if not chosen:
        raise UserError(f"{out}: no prompt has two answers that could be edited to obey: sample more (--attempts)")
    out.parent.mkdir(parents=True, exist_ok=True)
    more = again([prompt for prompt, _ in chosen], load, seed, batch)
    rows = []
    for number, (prompt, texts) in enumerate(chosen):
        rng = random.Random(f"{seed}/{prompt['key']}")
        split = "train" if (number + 1) % HELDOUT else "heldout"
        rows += triples(prompt, texts | more[prompt["key"]], split, rng)
    write_jsonl(out, rows)
    summary = {
        "prompts": len(chosen),
        "triples": dict(Counter(row["split"] for row in rows)),
        "policies": dict(sorted(Counter(f"{row['same']} over {row['other']}" for row in rows).items())),
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }
    out.with_suffix(".summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    return summary


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m uniapl.data.everyday.comparisons",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prompts", type=Path, nargs="+", required=True)
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's checkpoint")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", help="take what is not named here from this scale's world")
    parser.add_argument("--asked", type=int, help=f"prompts; default: {World.comparisons}")
    parser.add_argument("--seed", type=int, help=f"default: {World.seed}")
    args = parser.parse_args(argv)
    world = world_of(args.scale) if args.scale else World()
    asked = world.comparisons if args.asked is None else args.asked
    seed = world.seed if args.seed is None else args.seed
    if asked < 1:
        raise UserError(f"--asked {asked}: must be at least 1")

    def load(teacher: Teacher) -> Sampler:
        return load_engine(teacher, args.model)

    summary = build(read_all(args.prompts), read_jsonl(args.samples), load, args.out, asked=asked, seed=seed)
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
