"""Stage data: the prompts, demonstrations and texts of a scale, as files.

`python -m uniapl.data.miniature.rows --scale tiny --seed 3 --out results/local/tiny/data/seed3` writes

    train.jsonl        key, prompt, instruction_id_list, kwargs, topic, demonstration
    validation.jsonl   key, prompt, instruction_id_list, kwargs, topic, benchmark
    test.jsonl         the same; benchmark is trained, new_types or new_topics
    teachers.jsonl     key, teacher, demonstration: three wrong teachers (see `teachers`) on every training prompt
    expert.jsonl       key, response: the expert on every validation and test prompt
    corpus.jsonl       prompt, completion: the pretraining text
    comparisons.jsonl  prompt, reference, chosen, rejected, expert, broken, split: the discriminator's triples
    scratch/           tokenizer and random weights, Hugging Face format
    summary.json       counts and the SHA-256 of every file

Every seed of a training has a draw of its own: training prompts, demonstrations, pretraining text, triples and first
weights. Validation, test and the expert's responses to them are the same in all.
"""

import argparse
import json
import random
from pathlib import Path

from uniapl import checkers
from uniapl.config import load_scale
from uniapl.data.miniature.model import write_scratch
from uniapl.data.miniature.world import NEW_TOPICS, NEW_TYPES, TOPICS, TRAINED, World, draw_prompt
from uniapl.data.miniature.writers import BIASED, EXPERT, degenerate, random_style, write
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import write_jsonl
from uniapl.provenance import checksums, sha256_of

OLD_TOPICS = tuple(topic for topic in TOPICS if topic not in NEW_TOPICS)
BENCHMARKS = {  # benchmark: (topics, instruction types, at least one of these)
    "trained": (OLD_TOPICS, TRAINED, ()),
    "new_types": (OLD_TOPICS, TRAINED + NEW_TYPES, NEW_TYPES),
    "new_topics": (NEW_TOPICS, TRAINED, ()),
}
TRIES = 20
NOISE = {"noise20": 0.2, "noise50": 0.5}  # teacher: the share of its prompts that it answers wrongly


def follows(row: dict, response: str) -> bool:
    """Whether the response follows all of the row's instructions, strictly."""
    return checkers.all_strict(checkers.build_row(row, where=f"key {row['key']}"), response)


def expert_response(row: dict, rng: random.Random) -> str | None:
    """The expert's response, tried again until it follows every instruction; None where it cannot."""
    tries = (write(row, EXPERT, rng) for _ in range(TRIES))
    return next((text for text in tries if follows(row, text)), None)


def prompts_with_expert(n: int, first_key: int, benchmark: str, rng: random.Random, seen: set[str]) -> list[dict]:
    """`n` rows of a benchmark with the expert's response; no prompt text occurs in `seen`, which grows."""
    topics, types, must = BENCHMARKS[benchmark]
    rows: list[dict] = []
    while len(rows) < n:
        row = draw_prompt(first_key + len(rows), topics, types, rng, must=must)
        response = None if row["prompt"] in seen else expert_response(row, rng)
        if response is not None:
            seen.add(row["prompt"])
            rows.append({**row, "benchmark": benchmark, "response": response})
    return rows


def disobedient_response(row: dict, rng: random.Random) -> str:
    """What the expert writes on the row's topic for other instructions, so that it breaks one of the row's or more."""
    while True:
        other = draw_prompt(row["key"], (row["topic"],), TRAINED, rng)
        text = expert_response(other, rng)
        if text is not None and not follows(row, text):
            return text


def biased_response(row: dict, rng: random.Random) -> str:
    """What BIASED writes for the row, which the expert has answered: it follows every instruction."""
    while True:
        text = write(row, BIASED, rng)
        if follows(row, text):
            return text


def teachers(train: list[dict], seed: int | str) -> list[dict]:
    """The demonstrations of the wrong teachers for rows with the expert's `response`: key, teacher, demonstration.

    noise20, noise50   the expert, but a prompt is answered disobediently with probability 0.2 or 0.5; the prompts that
                       noise20 answers so are among those of noise50, with the same text
    biased             follows every instruction, in another style than the expert's
    """
    noise, style = random.Random(f"{seed}/noise"), random.Random(f"{seed}/biased")
    rows = []
    for row in train:
        chance, wrong = noise.random(), disobedient_response(row, noise)
        texts = {teacher: wrong if chance < share else row["response"] for teacher, share in NOISE.items()}
        texts["biased"] = biased_response(row, style)
        rows += [{"key": row["key"], "teacher": name, "demonstration": text} for name, text in texts.items()]
    return rows


def corpus(world: World, rng: random.Random) -> list[dict]:
    """Pretraining documents: every document its own writer, who follows each instruction with `world.obedience`."""
    rows = []
    for key in range(world.corpus):
        row = draw_prompt(key, tuple(TOPICS), TRAINED + NEW_TYPES, rng)
        style = random_style(rng, obedience=world.obedience)
        rows.append({"prompt": row["prompt"], "completion": write(row, style, rng)})
    return rows


def comparisons(world: World, rng: random.Random) -> list[dict]:
    """Triples in POLAR's sense: reference and chosen are by one policy, rejected is by another.

    The expert is the reference in 40 % and a quarter of the rejected responses are broken text (ours: a purely
    relational family stays near chance, and without broken text nonsense scores like the expert). A sixth of the
    triples is held out, and its policies other than the expert occur in no training triple.
    """
    policies = [random_style(rng, obedience=rng.choice((0.3, 0.6, 0.9)), sharp=True) for _ in range(24)]
    groups = {"train": policies[:18], "heldout": policies[18:]}
    rows = []
    for i in range(world.comparisons):
        split = "heldout" if i % 6 == 0 else "train"
        row = draw_prompt(i, OLD_TOPICS, TRAINED, rng)
        by_expert = rng.random() < 0.4
        author, *others = rng.sample(groups[split], len(groups[split]))
        author, others = (EXPERT, [author, *others]) if by_expert else (author, [*others, EXPERT])
        broken = rng.random() < 0.25
        other = write(row, author if broken else rng.choice(others), rng)
        rows.append(
            {
                "prompt": row["prompt"],
                "reference": write(row, author, rng),
                "chosen": write(row, author, rng),
                "rejected": degenerate(other, rng) if broken else other,
                "expert": by_expert,
                "broken": broken,
                "split": split,
            }
        )
    return rows


def _without(rows: list[dict], *names: str) -> list[dict]:
    return [{k: v for k, v in row.items() if k not in names} for row in rows]


def build(world: World, out: Path, seed: int = 0) -> dict:
    """Write every file of the miniature world, as trainings of this seed read it, to `out`; returns the summary."""
    out.mkdir(parents=True, exist_ok=True)
    drawn = f"{world.seed}/seed{seed}" if seed else f"{world.seed}"
    stream = {name: random.Random(f"{drawn}/{name}") for name in ("corpus", "comparisons")}
    prompts = random.Random(f"{world.seed}/prompts")
    seen: set[str] = set()
    test, validation = [], []
    for rows, n, first in ((test, world.test, 100_000), (validation, world.validation, 200_000)):
        for offset, benchmark in enumerate(BENCHMARKS):
            size = n if benchmark == "trained" else n // 2
            rows += prompts_with_expert(size, first + offset * 10_000, benchmark, prompts, seen)
    prompts = random.Random(f"{drawn}/prompts") if seed else prompts  # no test prompt is drawn again: they are `seen`
    train = prompts_with_expert(world.train, 0, "trained", prompts, seen)
    files = {
        "train": [{**row, "demonstration": row["response"]} for row in train],
        "teachers": teachers(train, drawn),
        "validation": validation,
        "test": test,
        "expert": [{"key": row["key"], "response": row["response"]} for row in test + validation],
        "corpus": corpus(world, stream["corpus"]),
        "comparisons": comparisons(world, stream["comparisons"]),
    }
    for name, rows in files.items():
        write_jsonl(out / f"{name}.jsonl", rows if name == "expert" else _without(rows, "response"))
    texts = [row["prompt"] + "\n" + row["completion"] for row in files["corpus"]]
    counts = write_scratch(out / "scratch", texts, world.size, world.seed + seed)
    hashes = {f.name: sha256_of(f) for f in sorted(out.glob("*.jsonl"))}
    return {"rows": {name: len(rows) for name, rows in files.items()}, "scratch": counts, "sha256": hashes}


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--seed", type=int, default=0, help="of the trainings that read it")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    scale = load_scale(args.scale)
    if scale.kind != "miniature":
        raise UserError(f"scale {scale.name!r} has published data, which uniapl.data.public prepares")
    summary = build(scale.world, args.out, args.seed)
    (args.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    checksums.record(args.out, args.out / "scratch")


if __name__ == "__main__":
    main()
