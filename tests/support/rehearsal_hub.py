"""A folder that stands for the hub at scale rehearsal: every id of the paper scale with a miniature in its place.

`python tests/support/rehearsal_hub.py FOLDER` trains a student and a teacher for about a minute and writes them with a
POLAR of random weights, and prompts of the miniature world in the published form of each data set.
"""

import json
import random
import sys
import tempfile
from pathlib import Path

from safetensors.torch import save_file

from baselines import sft
from support import polar_world, public_files
from uniapl.config import Run
from uniapl.config.job import Job
from uniapl.data.miniature import rows as data
from uniapl.data.miniature.world import TOPICS, World
from uniapl.discriminators import polar

WORLD = World(corpus=6_000, train=600, validation=64, test=32, comparisons=6)
STUDENT = {"text": "corpus", "prompt_loss": True, "steps": 250, "rows_per_step": 64, "schedule": "cosine"}
TEACHER = {"steps": 150, "rows_per_step": 32}
IFBENCH = 12  # prompts of types that nothing here was trained on
TURNS = (  # of Multi-IF: what the user says, and the instruction that comes with it; the last in the words of training
    ("Say something of the {topic} with no comma.", "punctuation:no_comma", {}),
    ("Now in fewer than 12 words.", "length_constraints:number_words", {"num_words": 12, "relation": "less than"}),
    ("Use only small letters.", "change_case:english_lowercase", {}),
)


def train(folder: Path, start: Path, out: Path, **settings) -> Path:
    """Train a policy with the method of the arm sft and save it to `out`."""
    settings = sft.Settings(learning_rate=6e-3, warmup=10, **settings)
    run = Run(scale="", arm=out.name, seed=0, method=sft, settings=settings, world=WORLD, start=None)
    with tempfile.TemporaryDirectory() as state:
        trainer = sft.build(Job(run=run, data=folder, start=start, state=Path(state)))
        trainer.train()
    trainer.save_model(str(out))
    (out / "training_args.bin").unlink()
    return out


def write_polar(folder: Path) -> None:
    """A checkpoint of POLAR's architecture and layout, with a token per character."""
    folder.mkdir(parents=True)
    config = {**polar_world.SHAPE, "max_position_embeddings": 2_048}
    (folder / "config.json").write_text(json.dumps(config))
    marks = {"<s>": polar_world.BOS, polar.SEPARATOR: polar_world.SEP, polar.SCORED: polar_world.SCORED}
    polar_world.with_marks(polar_world.characters(), marks).save(str(folder / "tokenizer.json"))
    save_file(polar_world.internlm2_weights(), str(folder / "model.safetensors"))


def keyword_rows(n: int) -> list[dict]:
    """IFBench prompts about the miniature's topics, as its table has them."""
    drawn, rows = random.Random(1), []
    for key in range(n):
        topic = drawn.choice(sorted(TOPICS))
        word = drawn.choice(TOPICS[topic][0])
        rows.append(
            {
                "key": str(key),
                "prompt": f"Write about the {topic}. Include the word {word} in sentence {1 + key % 2}, {key}.",
                "instruction_id_list": ["words:keywords_specific_position"],
                "kwargs": [{"keyword": word, "n": 1.0 + key % 2, "m": 1.0}],
            }
        )
    return rows


def conversation(topic: str) -> dict:
    """A row of Multi-IF's file: one instruction more at each turn, those of the earlier turns first."""
    prompts, ids, kwargs = zip(*TURNS, strict=True)
    turns = [(prompt.format(topic=topic), ids[:n], kwargs[:n]) for n, prompt in enumerate(prompts, start=1)]
    return public_files.multi_if(f"{topic}:1:en", "English", turns)


def write_prompts(root: Path) -> None:
    """The training set, IFEval, IFBench and Multi-IF; of the ready-made demonstrations what public_files has."""
    public_files.write_hub(root, n=3)
    rng, seen = random.Random(0), set()
    test, train = (data.prompts_with_expert(n, 0, "trained", rng, seen) for n in (WORLD.test, WORLD.train))
    ifeval = [{name: row[name] for name in ("key", "prompt", "instruction_id_list", "kwargs")} for row in test]
    path = root / "google/IFEval/ifeval_input_data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ifeval))
    rows = [
        public_files.if_multi(f"k{i}", row["prompt"], row["instruction_id_list"], row["kwargs"])
        for i, row in enumerate(train)
    ]
    table = "data/train-00000-of-00001.parquet"
    public_files.parquet(root / "allenai/IF_multi_constraints_upto5" / table, rows, public_files.IF_MULTI)
    public_files.parquet(root / "allenai/IFBench_test" / table, keyword_rows(IFBENCH), public_files.IFBENCH)
    spoken = [*map(conversation, sorted(TOPICS)[:4]), public_files.MULTI_IF_ROWS[1]]  # the last in another script
    public_files.write_csv(root / "facebook/Multi-IF/multiIF_20241018.csv", spoken)


def build(root: Path) -> Path:
    """Write the whole hub to `root`."""
    write_prompts(root)
    write_polar(root / "internlm/POLAR-1_8B")
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        data.build(WORLD, world)
        student = train(world, world / "scratch", root / "Qwen/Qwen3-0.6B", **STUDENT)
        train(world, student, root / "Qwen/Qwen3-235B-A22B-Instruct-2507", **TEACHER)
    return root


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
