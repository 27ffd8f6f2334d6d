"""Synthetic experiments, and their analyses as the stage analyse writes them."""

import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from baselines import grpo, sft, uniapl
from uniapl.analyse import analyse
from uniapl.analyse.inputs import SPENT, Inputs, Question
from uniapl.config import load_experiment

METHODS = ("sft", "sft_then_grpo", "uniapl")
VARIANTS = ("d24", "d96", "d384", "noise20", "noise50", "biased")
LOSSES = (0.25, 0.1, 0.03, 0.06, 0.2, 0.05)
ARMS = {"base": 0.28, "sft": 0.63, "grpo": 0.46, "sft_then_grpo": 0.65, "uniapl": 0.62}  # pass rates
OTHERS = {
    **dict(a_sft=0.64, sft_then_a_grpo=0.66, a_sft_then_a_grpo=0.68, a_grpo=0.5, chord=0.6, grpo_reward_shaped=0.53),
    **dict(lambda_003=0.61, lambda_03=0.6, lambda_1=0.47, mu_constant=0.57, mu_phi=0.6, mu_warmup=0.61),
    **dict(switch_10=0.5, switch_25=0.58, switch_50=0.66, switch_75=0.66, d_cotrained=0.6, d_random=0.58, d_length=0.6),
    **dict(eps_low=0.59, eps_high=0.61, sft_control=0.66, sft_control_then_a_grpo=0.67),
    **{f"{arm}_{v}": ARMS[arm] - x for arm in METHODS for v, x in zip(VARIANTS, LOSSES, strict=True)},
}
BOTH_ENDS = ("base", "expert")
TEACHERS = ("noise20", "noise50", "biased")
MEMBERS = {  # arms of the experiments other than the headline
    "staged": "sft a_sft sft_then_grpo sft_then_a_grpo a_sft_then_a_grpo grpo a_grpo".split(),
    "unified": ["chord", "uniapl"],
    "controls": ["sft", "sft_control", "a_sft", "sft_control_then_a_grpo", "a_sft_then_a_grpo"],
    "reward_shaping": ["a_grpo", "grpo_reward_shaped"],
    "lambda_sweep": ["chord", "lambda_003", "uniapl", "lambda_03", "lambda_1"],
    "switch": ["grpo", "switch_10", "sft_25", "switch_25", "switch_50", "switch_75", "sft", "uniapl"],
    "demonstrations": ["uniapl", "sft_then_grpo"] + [f"{m}_d{n}" for m in METHODS[1:] for n in (24, 96, 384)],
    "teachers": [*METHODS, *(f"{m}_{t}" for m in METHODS for t in TEACHERS)],
    "constrained": ["eps_low", "eps_high", "uniapl"],
    "discriminators": ["uniapl", "d_cotrained", "d_random", "d_length", "chord"],
    "mu_schedule": ["chord", "uniapl", "mu_warmup", "mu_constant", "mu_phi"],
    "mixtures": ["sft", "grpo", "sft_then_grpo", "uniapl", "chord"],
}
EASE = {"trained": 1.0, "new_types": 0.55, "new_topics": 0.93}
WORDS = {"base": (38, 20), "sft": (60, 9), "grpo": (33, 14), "sft_then_grpo": (56, 11), "uniapl": (58, 9)}
LAST_STEP = {"sft": 400, "grpo": 300, "sft_then_grpo": 160, "uniapl": 400}
PROBES = {  # at the start and at the end of training, for a policy that is perfect
    "probe_reward": (0.28, 1.0),
    "probe_kl": (0.0, 1.5),
    "probe_entropy": (1.4, 0.1),
    "probe_score": (-0.9, 1.5),
    "probe_auc": (0.97, 0.3),
    "probe_length": (60.0, 90.0),
    "reward": (0.0, 1.0),
    "distance": (3.0, 0.2),
    "distance_mean": (3.0, 0.4),
    "lam": (0.05, 0.4),
}


def experiment(n: int, seeds: int, seed: int, arms=ARMS) -> Inputs:
    """A synthetic experiment: `n` prompts per benchmark; one instruction each; the base has one seed."""
    rng = np.random.default_rng(seed)
    test = pd.DataFrame(
        [dict(key=f"{b}{i}", benchmark=b, instructions=1) for b in EASE for i in range(n)],
    )
    keys, trained = list(test.key), [f"trained{i}" for i in range(n)]
    ease = test.benchmark.map(EASE).to_numpy() * np.clip(rng.normal(1, 0.3, len(test)), 0, 1.5)
    texts = {key: int(words) for key, words in zip(trained, rng.normal(61, 8, n).clip(1), strict=True)}
    expert = pd.DataFrame([dict(key=key, response="word " * texts.get(key, 60)) for key in keys])
    scores, responses, logprobs, history, runs = [], [], [], [], []
    for arm, rate in arms.items():
        for s in range(1 if arm == "base" else seeds):
            run = dict(arm=arm, seed=s)
            skill = rate + rng.normal(0, 0.012)
            for decoding in ("greedy", "sampled"):
                passed = (rng.random(len(keys)) < skill * ease).astype(int)
                rows = pd.DataFrame(dict(key=keys, index=0, instruction_id="a:b", strict=passed, loose=passed))
                scores.append(rows.assign(decoding=decoding, **run))
            lengths = rng.normal(*WORDS.get(arm, (90 * rate, 10)), n).clip(1).astype(int)
            responses.append(
                pd.DataFrame(dict(key=trained, response=["word " * int(k) for k in lengths])).assign(**run)
            )
            for key, (text, under) in itertools.product(
                trained, itertools.product(("own", "expert"), ("self", "base"))
            ):
                far = 0 if text == "own" and under == "self" else 3 * (0.7 - rate)
                logprobs.append(run | dict(key=key, text=text, under=under, logprobs=-rng.gamma(0.4, 0.8 + far, 40)))
            last = LAST_STEP.get(arm, 400)
            for step in range(0, last + 1, last // 20):
                t = rate if "_then_" in arm else rate * (1 - np.exp(-4 * step / last))
                noise = rng.normal(0, 0.012, len(PROBES))
                values = {q: a + (b - a) * (t + e) for (q, (a, b)), e in zip(PROBES.items(), noise, strict=True)}
                history += [run | dict(step=step) | values] if arm != "base" else []
            runs.append(run | dict.fromkeys(SPENT, 1) | dict(start="base", peak_memory_mb=1))
    frames = [pd.DataFrame(rows) for rows in (logprobs, history, runs)]
    return Inputs(test, expert, pd.concat(scores), pd.concat(responses), *frames)


def write(inputs: Inputs, folder: Path, arms=ARMS, against=("grpo", "sft_then_grpo"), claims=()) -> Path:
    """The analysis of `inputs` as CSV files, as the stage writes them."""
    plan = Question(tuple(arms), against, claims=tuple(claims))
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in analyse(inputs, plan, rng=np.random.default_rng(0), resamples=199).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def write_all(results: Path) -> Path:
    """Every analysis that a figure needs: the headline's, and one of all other arms dealt out to their experiments."""
    claims = load_experiment("headline").claims
    write(experiment(n=37, seeds=3, seed=0), results / "analyse/headline", claims=claims)
    arms = ARMS | OTHERS
    held = {name: [c for c in load_experiment(name).claims if {c.arm, c.against} <= {*arms, None}] for name in MEMBERS}
    everything = experiment(n=12, seeds=3, seed=1, arms=arms)
    everything = write(everything, results / "all", arms, (), sum(held.values(), []))
    for name, members in MEMBERS.items():
        (results / "analyse" / name).mkdir()
        for csv in ("main", "curves", "diversity", "distances", "cost", "claims"):
            table = pd.read_csv(everything / f"{csv}.csv")
            column, wanted = ("id", [c.id for c in held[name]]) if csv == "claims" else ("arm", [*members, *BOTH_ENDS])
            table = table[table[column].isin(wanted)]
            table.to_csv(results / "analyse" / name / f"{csv}.csv", index=False)
    return results


LAMBDAS = dict(chord=0.0, lambda_003=0.03, uniapl=0.1, lambda_03=0.3, lambda_1=1.0)
TARGETS = dict(eps_low=0.9, eps_high=1.8)


def chains(results: Path, name: str) -> dict[str, list]:
    """In place of `recipes.chains`: the settings that a figure may ask for, as the arms' names have them."""

    def run(arm: str, method, steps: int) -> SimpleNamespace:
        digits = re.search(r"_d(\d+)", arm)
        teacher = next((t for t in TEACHERS if arm.endswith(t)), "expert")
        settings = dict(steps=steps, demonstrations=int(digits[1]) if digits else None, teacher=teacher)
        settings |= dict(lam=LAMBDAS.get(arm), eps=TARGETS.get(arm), lam_step=0.1 if arm in TARGETS else 0.0)
        return SimpleNamespace(method=method, settings=SimpleNamespace(**settings), world=SimpleNamespace(train=1536))

    found = {}
    for arm in MEMBERS[name]:
        share = {"grpo": 0, "sft": 100, "sft_25": 100}.get(arm, int(arm[7:]) if arm.startswith("switch") else None)
        stages = [(grpo, 100 - (share or 0)), (sft, share or 0)]
        stages = stages if share is not None else [(uniapl, 100)]
        found[arm] = [run(arm, method, steps) for method, steps in stages if steps]
    return found
