"""The engine against stock TRL on a real language model: one process, alternating steps, medians and ratios.

`python -m benchmarks.engine --model FOLDER [--rounds 5] [--vllm]` on an idle machine; FOLDER is a checkpoint of an
instruct model in Hugging Face's format. Same prompts, limits, reward and micro-batches on all sides. Of every step:

    rollouts   seconds in `_generate_single_turn`, new weights included; useful tokens are those up to the end token
    pass       seconds of all micro-batches' loss and gradient; rewards and discriminator are in neither
    step       everything: rollouts, rewards, loss, gradient, optimizer

`--memory` measures the peak of each side in a process of its own; `--growth` the engine's step at twice the rollouts
and at twice the response length. `--clock cpu` counts processor seconds, which a shared machine distorts less than
seconds: with `--threads 1`, for threads that wait for one another count too.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time

TOPICS = (
    "a walk in the rain",
    "how bread is baked",
    "why cities have parks",
    "a letter to a landlord",
    "the history of tea",
)
TOPICS += (
    "choosing a bicycle",
    "what a librarian does",
    "a weekend at the coast",
    "saving water at home",
    "a lost umbrella",
)
FORMS = ("Write a short story about", "Explain to a child", "Write a blog post about", "Give advice on", "Describe")
ASKS = (
    ("length_constraints:number_words", {"relation": "at least", "num_words": 60}, "Answer with at least 60 words."),
    ("punctuation:no_comma", {}, "Do not use any commas in your entire response."),
    (
        "detectable_format:title",
        {},
        "Your answer must contain a title, wrapped in double angular brackets, as <<title>>.",
    ),
    ("change_case:english_lowercase", {}, "Your entire response should be in English and in all lowercase letters."),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "At the end, add a postscript starting with P.S."),
)


def rows(count: int, seed: int = 0) -> list[dict]:
    """Prompts with one or two instructions, and a text that stands for a demonstration: its length is what costs."""
    rng, made = random.Random(seed), []
    for _ in range(count):
        asked = rng.sample(ASKS, rng.randint(1, 2))
        prompt = f"{rng.choice(FORMS)} {rng.choice(TOPICS)}. " + " ".join(text for _, _, text in asked)
        instructions = json.dumps([[name for name, _, _ in asked], [kwargs for _, kwargs, _ in asked]])
        answer = " ".join(rng.choice(TOPICS) for _ in range(rng.randint(12, 30)))
        chat = [{"role": "user", "content": prompt}]
        made.append({"prompt": chat, "instructions": instructions, "demonstration": answer})
    return made


class Encoder:
    """Pairs in POLAR's layout (uniapl/discriminators/miniature.py) with any tokenizer's end token between the texts."""

    def __init__(self, tokenizer):
        newline, end = tokenizer.encode("\n", add_special_tokens=False)[-1], tokenizer.eos_token_id
        self.tokenizer = tokenizer
        self.marks = {"newline": newline, "separator": end, "end": end, "limit": tokenizer.model_max_length}

    def __call__(self, prompts, references, responses):
        from uniapl.discriminators.miniature import layout
        from uniapl.discriminators.pairs import text_ids

        ids = [text_ids(self.tokenizer, texts) for texts in (prompts, references, responses)]
        return [layout(*row, **self.marks) for row in zip(*ids, strict=True)]


def trainers(args) -> dict:
    """What makes each side's trainer: stock, engine and uniapl."""
    import torch
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    from uniapl import UniAPLConfig, UniAPLTrainer
    from uniapl.checkers.reward import follows_all
    from uniapl.discriminators.pairs import Scorer
    from uniapl.method.engine.trainer import Engine, EngineTrainer

    class FastUniAPL(UniAPLTrainer, EngineTrainer):
        pass

    tokenizer = AutoTokenizer.from_pretrained(args.model, padding_side="left")
    layers = AutoConfig.from_pretrained(args.model).num_hidden_layers
    data = Dataset.from_list(rows(max(64, 4 * args.prompts)))
    count = args.prompts * args.group
    folder = tempfile.mkdtemp()
    shared = {"output_dir": folder, "max_steps": 1_000, "report_to": "none", "save_strategy": "no", "seed": 0}
    shared |= {"per_device_train_batch_size": args.rows, "gradient_accumulation_steps": count // args.rows}
    shared |= {"num_generations": args.group, "max_completion_length": args.limit, "bf16": True, "use_cpu": True}
    shared |= {"disable_tqdm": True, "gradient_checkpointing": False, "disable_dropout": True, "beta": 0.0}
    shared |= {"learning_rate": 1e-6, "logging_strategy": "no", "dataloader_pin_memory": False}
    vllm = (
        {"use_vllm": True, "vllm_mode": "colocate", "vllm_max_model_length": tokenizer.model_max_length}
        if args.vllm
        else {}
    )
    engine = Engine(packed=True, sampler=not args.vllm, late_correction=True, fast_head=True)
    mixed = {"mu_peak": 0.5, "mu_valley": 0.5, "lam": 0.1, "demonstrations_per_step": count // 2}

    def given() -> dict:
        policy = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
        return {"model": policy, "reward_funcs": [follows_all], "train_dataset": data, "processing_class": tokenizer}

    def discriminator():
        return Scorer(headed(args.model, min(4, layers)).to(torch.bfloat16), Encoder(tokenizer))

    return {
        "stock": lambda: GRPOTrainer(args=GRPOConfig(**shared), **given()),
        "engine": lambda: EngineTrainer(engine=engine, args=GRPOConfig(**shared, **vllm), **given()),
        "uniapl": lambda: FastUniAPL(
            engine=engine, discriminator=discriminator(), args=UniAPLConfig(**shared, **vllm, **mixed), **given()
        ),
    }


def headed(folder: str, layers: int):
    """The first layers of a checkpoint under a scalar head."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(folder)
    config.num_hidden_layers, config.num_labels = layers, 1
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:layers]
    return AutoModelForSequenceClassification.from_pretrained(folder, config=config)


class Stepper:
    """A trainer of which single steps are taken and timed."""

    def __init__(self, trainer, clock):
        from transformers import TrainerCallback

        self.trainer, self.clock, self.spent = trainer, clock, {}

        class Once(TrainerCallback):
            def on_step_end(self, args, state, control, **kwargs):
                control.should_training_stop = True

        trainer.add_callback(Once())
        trainer.train()  # builds optimizer and loader, and warms up
        self.batches = iter(trainer.get_train_dataloader())
        generate, prepare = trainer._generate_single_turn, trainer._prepare_inputs
        trainer._generate_single_turn = lambda *a, **k: self.counted(self.timed("rollouts", generate, *a, **k))
        trainer._prepare_inputs = lambda *a, **k: self.timed("prepare", prepare, *a, **k)
        trainer._step = 0

    def timed(self, name: str, function, *args, **kwargs):
        start = self.clock()
        value = function(*args, **kwargs)
        self.spent[name] = self.spent.get(name, 0.0) + self.clock() - start
        return value

    def counted(self, generated):
        self.spent["tokens"] = sum(map(len, generated[0]))
        return generated

    def step(self) -> dict[str, float]:
        """Seconds of one step's parts, and its useful tokens."""
        self.spent, start, t = {}, self.clock(), self.trainer
        t.model.train()
        accumulation = t.args.gradient_accumulation_steps
        t.current_gradient_accumulation_steps = accumulation
        began = self.clock()
        for i in range(accumulation):
            t.accelerator.gradient_state._set_sync_gradients(i + 1 == accumulation)
            t.training_step(t.model_wrapped, next(self.batches), None)
        passed = self.clock() - began - self.spent["prepare"]
        t.accelerator.clip_grad_norm_(t.model.parameters(), 1.0)
        t.optimizer.step()
        t.model.zero_grad()
        t.state.global_step += 1
        whole = self.clock() - start
        return {"rollouts": self.spent["rollouts"], "pass": passed, "step": whole, "tokens": self.spent["tokens"]}


def measured(args, names: tuple[str, ...]) -> dict:
    """Medians of each side's parts over alternating steps."""
    import torch

    clock = time.process_time if args.clock == "cpu" else time.perf_counter
    if args.threads:
        torch.set_num_threads(args.threads)
    makers = trainers(args)
    steppers = {name: Stepper(makers[name](), clock) for name in names}
    taken = {name: [] for name in names}
    for _ in range(args.rounds):
        for name, stepper in steppers.items():
            taken[name].append(stepper.step())
            print(json.dumps({name: {k: round(v, 2) for k, v in taken[name][-1].items()}}), file=sys.stderr, flush=True)
    medians = {}
    for name, steps in taken.items():
        rates = [step["tokens"] / step["rollouts"] for step in steps]
        medians[name] = {k: statistics.median(step[k] for step in steps) for k in steps[0]}
        medians[name]["tokens/s"] = statistics.median(rates)
    return medians


def ratios(found: dict) -> dict[str, float]:
    """The table: every side's parts over stock's."""
    stock, table = found["stock"], {}
    for name in found:
        if name != "stock":
            table[f"{name}: useful rollout tokens per second"] = found[name]["tokens/s"] / stock["tokens/s"]
            table[f"{name}: training pass"] = found[name]["pass"] / stock["pass"]
            table[f"{name}: whole step"] = found[name]["step"] / stock["step"]
    return table


def in_own_process(args, name: str, **changes) -> dict:
    """The figures of one side alone, in a fresh process."""
    options = {**vars(args), **changes, "only": name}
    flags = [f"--{key}={value}" for key, value in options.items() if not isinstance(value, bool) and value is not None]
    flags += ["--vllm"] if args.vllm else []
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine", *flags], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a checkpoint")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--group", type=int, default=6)
    parser.add_argument("--limit", type=int, default=128, help="response tokens")
    parser.add_argument("--rows", type=int, default=12, help="rollouts per micro-batch")
    parser.add_argument("--threads", type=int, help="default: PyTorch's")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--sides", default="stock,engine,uniapl")
    parser.add_argument("--vllm", action="store_true", help="the engine's rollouts by vLLM, stock's by transformers")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        from uniapl.provenance import peak_memory_mb

        found = measured(args, (args.only,))[args.only]
        print(json.dumps({**found, "peak (MiB)": peak_memory_mb()}))
        return
    if args.memory:
        peaks = {name: in_own_process(args, name, rounds=2)["peak (MiB)"] for name in args.sides.split(",")}
        print(json.dumps({"peak (MiB)": peaks, **{n: p / peaks["stock"] for n, p in peaks.items()}}, indent=2))
    elif args.growth:
        once = in_own_process(args, "engine")
        rollouts = in_own_process(args, "engine", prompts=2 * args.prompts)
        length = in_own_process(args, "engine", limit=2 * args.limit)
        growth = {"rollouts x 2": rollouts["step"] / once["step"], "length x 2": length["step"] / once["step"]}
        print(json.dumps({**growth, "steps": [once, rollouts, length]}, indent=2))
    else:
        found = measured(args, tuple(args.sides.split(",")))
        print(json.dumps({"medians": found, "ratios": ratios(found)}, indent=2))


if __name__ == "__main__":
    main()
