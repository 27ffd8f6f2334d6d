"""Prompts of our own in IFEval's form, and the published evaluation sets, as the files that later stages read.

    python -m uniapl.data.everyday.prompts --out D [--scale small] [--train 2048 --validation 128 --test 256 --seed 0]

writes to D what `python -m uniapl.data.public` writes at the paper's scale:

    train_prompts.jsonl        key, prompt, instruction_id_list, kwargs, topic, benchmark (trained)
    validation_prompts.jsonl   the same, of the same topics
    test.jsonl                 the same without topic; benchmarks trained, held_out_types (both IFEval), new_types
                               (IFBench), new_topics (prompts of our own about topics of their own)
    summary.json               counts, what was left out and why, SHA-256 of every file

A prompt has one to three instructions. Kept are those that can be followed together, which the editor shows by making
an answer of texts that we write for the topic (`plain_texts`); that do not overlap with an evaluation prompt, nor a
training prompt with a validation or test prompt (uniapl/data/public/overlap.py); and of which no other has the same
words. The same seed gives the same files.
"""

import argparse
import dataclasses
import json
import random
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from uniapl.data.everyday import evaluation
from uniapl.data.everyday.editor import edit
from uniapl.data.everyday.instructions import TRAINED, ask, compatible, demanding, draw
from uniapl.data.everyday.topics import FORMS, NEW_TOPICS, OLD_TOPICS, Form
from uniapl.data.everyday.world import World, world_of
from uniapl.data.public import overlap
from uniapl.data.public.prepare import write
from uniapl.errors import UserError, one_line_errors

GIVE_UP = 200  # draws for one prompt
PLAIN = (  # sentences of the texts that show whether instructions can be followed together
    "There is a lot to say about {topic}.",
    "Most people begin with the {0}.",
    "After that comes the {1}, and it takes some time.",
    "A good {2} makes the work easier.",
    "Nobody should worry when something goes wrong.",
    "My sister once forgot the {3} and had to start again.",
    "We laughed about it for the rest of the afternoon.",
    "It is a small thing, but it stays in your mind.",
    "The {4} can wait until the next morning.",
    "Take your time, ask a friend, and try once more.",
    "In my opinion the {5} is what you notice last.",
    "Every year we do it a little better than before.",
    "Some find it hard at first because they want too much.",
    "Others see at once how simple it can be.",
    "What matters is that you do it with care.",
    "The best part is the quiet moment when it is done.",
    "Then you can sit down and look at what you have made.",
    "Tell me how it went when we meet again.",
    "Put everything on the table before you begin and look at it.",
    "A neighbour of mine has done this for more than twenty years.",
    "According to her the secret is to stay calm and keep going.",
    "Children usually ask the best questions about such things.",
    "You will need a little money, some patience and a free afternoon.",
    "When the weather is bad, there is plenty to do inside.",
    "Write down what worked so that you can repeat it later.",
    "Good company turns a dull job into a pleasant one.",
    "Somebody will certainly offer you a hand if you look lost.",
    "The old way is slower, yet many people prefer it.",
    "At the end of the day nobody counts the mistakes.",
    "I once read a whole book on the subject and learned only one thing.",
    "Practice a bit each week and you will notice the difference.",
    "Keep the window open and let some fresh air into the room.",
    "Even a clumsy beginner can produce something lovely.",
    "Prepare properly, and the rest will almost happen by itself.",
    "Local shops often carry what you cannot find elsewhere.",
    "Compare a few options before you pick one of them.",
)


def plain_texts(topic: str, words: Sequence[str]) -> list[str]:
    """Four texts of ours about the topic: half of the sentences each, in an order of its own."""
    sentences = [sentence.format(*words, topic=topic) for sentence in PLAIN]
    return [" ".join(random.Random(number).sample(sentences, len(sentences) // 2)) for number in range(4)]


def feasible(row: dict, words: Sequence[str]) -> bool:
    """Whether the editor can make an answer that follows all of the row's instructions."""
    first, *others = plain_texts(row["topic"], words)
    return edit(first, row["instruction_id_list"], row["kwargs"], others).followed


def _text(form: Form, topic: str, rules: Sequence[str], rng: random.Random) -> str:
    """Task and rules in one of four layouts."""
    task = rng.choice(form.wordings).format(topic=topic)
    layout = rng.choice(("after", "after", "after", "before", "list", "lines"))
    if layout == "before":
        return f"{' '.join(rules)} Here is the task: {task}"
    if layout == "list" and len(rules) > 1 and not any("\n" in rule for rule in rules):
        return f"{task}\n\nRules:\n" + "\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, 1))
    return task + ("\n" if layout == "lines" else " ") + " ".join(rules)


def draw_row(form: Form, topic: str, words: Sequence[str], count: int, share: float, rng: random.Random) -> dict | None:
    """A row with `count` instructions, without key; None where those that were drawn do not go together.

    `share`: the probability that one of them must demand length.
    """
    types = [name for name in TRAINED if form.blanks or name != "detectable_content:number_placeholders"]
    ids = rng.sample(types, count)
    kwargs = [draw(name, words, rng) for name in ids]
    must = rng.random() < share
    if not compatible(ids, kwargs) or (must and not any(map(demanding, ids, kwargs))):
        return None
    text = _text(form, topic, [ask(name, given, rng) for name, given in zip(ids, kwargs, strict=True)], rng)
    row = {"prompt": text, "instruction_id_list": ids, "kwargs": kwargs, "topic": topic}
    return row if feasible(row, words) else None


class Draw:
    """Prompts drawn one after another: `taken` are the texts so far, `left_out` counts what was drawn in vain."""

    def __init__(self, world: World, taken: Collection[str]):
        self.world, self.taken, self.left_out = world, set(taken), Counter()

    def rows(self, n: int, split: str, topics: dict, benchmark: str, apart: overlap.Index) -> list[dict]:
        """`n` rows of these topics that do not occur in `apart`. Every pair of form and topic comes before one comes
        again. Raises UserError where there are not so many."""
        rng = random.Random(f"{self.world.seed}/{split}")
        pairs = [(form, topic) for form in FORMS for topic in topics]
        rows: list[dict] = []
        while len(rows) < n:
            rng.shuffle(pairs)
            before = len(rows)
            for form, topic in pairs[: n - len(rows)]:
                row = self._row(form, topic, topics[topic], apart, rng)
                if row is not None:
                    rows.append({"key": f"{split}/{len(rows)}", **row, "benchmark": benchmark})
            if len(rows) == before:
                raise UserError(f"{n} {split} prompts cannot be drawn: {before} could be; ask for fewer")
        return rows

    def _row(self, form: Form, topic: str, words, apart: overlap.Index, rng: random.Random) -> dict | None:
        (count,) = rng.choices(
            (1, 2, 3), self.world.instructions
        )  # once: what goes together more easily is no likelier
        for _ in range(GIVE_UP):
            row = draw_row(form, topic, words, count, self.world.demanding, rng)
            if row is None:
                self.left_out["do not go together"] += 1
                continue
            same = overlap.normalised(row["prompt"])
            if same in self.taken:
                self.left_out["same words as an earlier prompt"] += 1
            elif overlap.find(row["prompt"], apart):
                self.left_out["overlaps with an evaluation prompt or another split"] += 1
            else:
                self.taken.add(same)
                return row
        return None


def build(world: World, out: Path) -> dict:
    """Write the files to `out`; returns the summary. Raises UserError, and then writes nothing."""
    published = evaluation.read_all()
    draws = Draw(world, (overlap.normalised(row["prompt"]) for row in published))
    test = draws.rows(world.test, "test", NEW_TOPICS, "new_topics", overlap.index(published))
    validation = draws.rows(world.validation, "validation", OLD_TOPICS, "trained", overlap.index(published + test))
    apart = overlap.index(published + test + validation)
    train = draws.rows(world.train, "train", OLD_TOPICS, "trained", apart)
    files = {
        "train_prompts.jsonl": train,
        "validation_prompts.jsonl": validation,
        "test.jsonl": [*published, *({k: v for k, v in row.items() if k != "topic"} for row in test)],
    }
    types = Counter(name for row in train for name in row["instruction_id_list"])
    long = sum(any(map(demanding, row["instruction_id_list"], row["kwargs"])) for row in train)
    summary = {
        "seed": world.seed,
        "rows": {name: len(rows) for name, rows in files.items()},
        "benchmarks": dict(Counter(row["benchmark"] for row in files["test.jsonl"])),
        "types of training": dict(types.most_common()),
        "instructions per training prompt": dict(sorted(Counter(len(r["kwargs"]) for r in train).items())),
        "training prompts that demand length": long,
        "left out": dict(draws.left_out),
        "overlap": {"words": overlap.N, "share": overlap.SHARE, "source": overlap.SOURCE},
        "published": {name: sha256 for name, (_, sha256) in evaluation.FILES.items()},
    }
    return write(out, files, summary)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", help="take what is not named here from this scale's world")
    sizes = ("train", "validation", "test", "seed")
    for name in sizes:
        parser.add_argument(f"--{name}", type=int, help=f"default: {getattr(World(), name)}")
    args = parser.parse_args(argv)
    named = {name: getattr(args, name) for name in sizes if getattr(args, name) is not None}
    for name in ("train", "validation", "test"):
        if named.get(name, 1) < 1:
            raise UserError(f"--{name} {named[name]}: must be at least 1")
    world = dataclasses.replace(world_of(args.scale) if args.scale else World(), **named)
    summary = build(world, args.out)
    print(json.dumps({name: summary[name] for name in ("rows", "benchmarks", "left out")}, indent=2))


if __name__ == "__main__":
    main()
