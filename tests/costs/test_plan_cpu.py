"""The plan on a CPU: hand-derived numbers of a made-up scale, memory that is refused, rates that are read."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest
import torch
from support.places import ROOT

from baselines import grpo, layers_discriminator, sft, uniapl
from experiments.scales import SMALL
from uniapl.config import Evaluation, load_scale
from uniapl.config.runs import Runs
from uniapl.costs import cpu, fit, jobs, machine, measure, rates, report_cpu
from uniapl.costs.__main__ import main
from uniapl.costs.assumptions import ON_CPU, OnCpu, with_sources
from uniapl.costs.cpu import CpuEstimate
from uniapl.costs.shapes import Shape, read_shape, shape_of
from uniapl.data.everyday.world import BASE, World
from uniapl.errors import UserError
from uniapl.models.gguf import SMOLLM2
from uniapl.preflight import inputs
from uniapl.preflight.__main__ import checks
from uniapl.train import training as train

POLICY = shape_of(SMOLLM2)
RL = {"steps": 3, "prompts_per_step": 2, "group": 3, "max_new_tokens": 4, "probe_every": 3}
MADE_UP = replace(
    SMALL,
    seeds=(0, 1),
    most_seeds={},
    world=World(
        train=30, validation=10, test=9, comparisons=6, base=replace(BASE, max_tokens=5, attempts=2, concurrency=10)
    ),
    settings=SMALL.settings
    | {
        sft: SMALL.settings[sft] | {"steps": 4, "rows_per_step": 2, "probe_every": 2},
        grpo: SMALL.settings[grpo] | RL,
        uniapl: SMALL.settings[uniapl] | RL | {"demonstrations_per_step": 2, "mu_decay": 3},
        layers_discriminator: SMALL.settings[layers_discriminator]
        | {"steps": 2, "pairs_per_step": 3, "response_tokens": 4},
    },
    evaluation=Evaluation(max_new_tokens=8, batch=10, probe_prompts=4, measured_prompts=5, each_seed=True),
)
RATES = rates.Rates(SMOLLM2, "a machine", "float32", "today", "made up", 2, 1, {}, 2.0, 1.0, 0.0, 10.0, 5.0)
NEVER = {"median": 1e9, "spread": 0.01}  # no response ends before its limit
C = OnCpu(
    prompt_tokens=10,
    asked_tokens=20,
    accepted=0.5,
    idle=0,
    step_seconds=7,
    start_seconds=100,
    question_tokens=30,
    **NEVER,
)


def estimate(scale=MADE_UP, c=C, memory=1e12) -> CpuEstimate:
    runs = Runs(scale)
    return CpuEstimate(runs, runs.default, RATES, memory, c=c)


def test_the_shape_of_the_policy_by_hand():
    # a layer: 2 x 576 x (576 + 192) + 3 x 576 x 1536 = 3,538,944, norms 2 x 576; embedding 49,152 x 576; a last norm
    assert POLICY.parameters == 49_152 * 576 + 30 * (3_538_944 + 1_152) + 576 == 134_515_008


def test_a_decoding_step_is_split_into_what_it_and_its_rows_cost():
    # 3 + R (2 + C / 10): 2 rows after 10 tokens 9, 8 rows after 10 and after 50 tokens 27 and 59
    assert rates.split(2, 8, 10, 50, (9.0, 27.0, 59.0)) == pytest.approx((3.0, 2.0, 0.1))
    assert rates.split(2, 8, 10, 50, (9.0, 8.0, 7.0)) == (8.0, 1e-9, 0.0)  # noise


def test_lengths_are_log_normal_and_cut():
    lengths = rates.Lengths(median=1.0, spread=1.0)
    # all have a first token, half of them a second; ln 2 is 0.693 deviations above: 24.4 % a third
    assert (lengths.mean(1), lengths.mean(2)) == (1.0, 1.5) and lengths.mean(3) == pytest.approx(1.744, abs=1e-3)


def test_a_batch_is_decoded_until_its_longest_response_ends():
    one = replace(RATES, context=0.5)
    # of 2 rows each has a first token; a second has each with 1/2, and so the batch with 3/4
    first, second = 2 + 2 * (1 + 0.5 * 4), 0.75 * 2 + 2 * 0.5 * (1 + 0.5 * 5)
    assert rates.decode(one, 2, 4, 2, rates.Lengths(1.0, 1.0), idle=0) == pytest.approx(first + second)
    idle = rates.decode(one, 2, 4, 1, rates.Lengths(1.0, 1.0), idle=0.5)
    assert idle == pytest.approx(2 + 4 * (1 + 0.5 * 4))  # two rows of four have ended


def test_a_step_by_hand():
    e = estimate()
    # 6 rollouts of 4 tokens: 4 x (2 + 6) s; 2 prompts of 10 tokens at 5/s; the pass reads 6 x 4 + 2 x 10 at 10/s
    assert e.step(e.runs.run("grpo", 0)) == pytest.approx({"other": 7, "rollouts": 32 + 4, "pass": 4.4})
    # beside it 2 demonstrations of 10 + 5 tokens; 6 x 4 + 2 x (10 + 5 + 10) tokens for six of thirty layers
    judged = (6 * 3_538_944 + 576) / (30 * 3_538_944 + 49_152 * 576)
    learned = {"other": 7, "rollouts": 36, "pass": 4.4 + 3, "discriminator": 74 * judged / 5}
    assert e.step(e.runs.run("uniapl", 0)) == pytest.approx(learned)
    assert "discriminator" not in e.step(e.runs.run("chord", 0))
    assert e.step(e.runs.run("sft", 0)) == pytest.approx({"other": 7, "pass": 2 * 15 / 10})
    # 3 pairs of 2 rows of 2 x (10 + 4) tokens
    assert e.step(e.runs.run("discriminator", 0)) == pytest.approx({"other": 7, "pass": 168 * judged / 10})
    # the probe: 4 answers of 8 tokens, read by policy and base, and by the discriminator beside their reference
    probe = 8 * (2 + 4) + 4 * 10 / 5 + (2 * 4 * 18 + judged * (4 * 8 + 4 * 25)) / 5
    assert e.probe == pytest.approx(probe)
    assert e.train_seconds(e.runs.run("grpo", 0)) == pytest.approx(100 + 3 * 47.4 + 2 * probe)


def test_an_evaluation_by_hand():
    e = estimate()
    assert e.benchmarks("test") == {"trained": 415, "held_out_types": 126, "new_types": 300, "new_topics": 9}
    # 850 prompts, 85 batches of 10: 8 x (2 + 10) s each; 850 x 20 tokens read at 5/s
    decoding = 85 * 96 + 3400
    seconds = e.generate_seconds("test")
    assert seconds["trained"] == pytest.approx(decoding * 415 / 850)
    # 5 prompts, two texts under two models: 4 x 5 x (20 + 8) tokens
    assert seconds.pop("log-probabilities") == 112 and sum(seconds.values()) == pytest.approx(decoding)
    assert e.evaluated("test") == pytest.approx(100 + 2 * decoding + 112)


def test_the_other_stages_by_hand():
    other = estimate().other
    # 890 prompts, 1.5 answers each: 133 batches of 10 and one of 5, 5 tokens; 40 prompts of 10 tokens, 850 of 20
    teach = 100 + 133 * 5 * 12 + 5 * 7 + 1.5 * (400 + 17_000) / 5
    assert other["teach"] == pytest.approx(teach / 2 / 3600)  # of a machine with two jobs at a time
    assert other["data"] == pytest.approx((100 + 5 * 12 + 10 * 10 / 5) / 7200)  # 6 x 5/3 answers
    suite = 100 + 1400 / 64 * 64 * (2 + 64) + (1400 * 30 + C.texts_tokens) / 5
    assert other["suite"] == pytest.approx(5 * suite / 7200)


def test_the_stages_add_up_and_the_jobs_are_those_of_the_run():
    e = estimate()
    counts = jobs.by_stage(e.runs, e.experiments)
    assert sum(hours.runs for hours in e.arms.values()) == counts["train"]
    assert e.arms["grpo"].train == pytest.approx(2 * e.train_seconds(e.runs.run("grpo", 0)) / 7200)
    evaluations = sum(hours.generate for hours in e.arms.values()) * 7200 / e.evaluated("test")
    assert evaluations == pytest.approx(counts["generate"])
    assert e.total == pytest.approx(sum(h.train + h.generate for h in e.arms.values()) + sum(e.other.values()))
    first = replace(e, experiments=e.runs.tuning)
    assert first.arms["everyday_sft_twice"].train > 1.5 * first.arms["everyday_sft_lr1"].train
    (line,) = report_cpu.tuning(e)
    trained = [run for run in jobs.trainings(e.runs, e.runs.tuning) if run[0] not in ("base", "discriminator")]
    assert line.endswith(f"(snakemake tuning: {len(trained)} trainings)")


def test_a_job_that_does_not_fit_is_one_line_in_plan_and_preflight(monkeypatch, capsys, tmp_path):
    e = estimate(SMALL, ON_CPU, memory=8e9)
    assert estimate(SMALL, ON_CPU).does_not_fit == []
    (grpo_line,) = (line for line in e.does_not_fit if "chord, grpo" in line)
    assert " GB of this machine's 8.0 (activations " in grpo_line and "set compute.rows_per_device" in grpo_line
    two = replace(e, memory=max(sum(parts.values()) for parts in e.peaks.values()), at_once=2).does_not_fit
    assert any(", 2 at a time, needs " in line and line.endswith("(experiments/scales.py)") for line in two)
    few = replace(SMALL, compute=replace(SMALL.compute, rows_per_device=6))
    assert not any(line.startswith("train") for line in estimate(few, ON_CPU, memory=8e9).does_not_fit)
    found = inputs.memory(e)
    assert not found.passed and found.seen in e.does_not_fit and "uniapl plan --scale small" in found.remedy
    assert "memory" in checks(e.runs, e, tmp_path) and "disk" not in checks(e.runs, e, tmp_path)
    monkeypatch.setattr(cpu, "memory_here", lambda: 8e9)
    monkeypatch.setattr(machine, "at_once", lambda runs: 1)
    monkeypatch.chdir(tmp_path)
    for folder in ("experiments", "baselines"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    with pytest.raises(SystemExit) as ended:
        main(["--scale", "small"])
    assert ended.value.code == 1 and f"- {grpo_line}" in capsys.readouterr().out


def test_memory_by_hand():
    runs = Runs(SMALL)
    parts = machine.training(runs, "grpo")
    assert parts["parameters"] == parts["gradients"] == parts["probe's base"] == 4 * 134_515_008
    assert parts["AdamW"] == 8 * 134_515_008
    # a group's prompt is read once: rows are as long as a share of it and a whole response
    grpo_run = replace(runs.run("grpo", 0), compute=replace(SMALL.compute, rows_per_device=None))
    s = grpo_run.settings
    lengths = fit.Lengths(100, 0, 384, 0)
    row = -(-100 // s.group) + s.max_new_tokens
    assert list(fit.passes(grpo_run, 1, lengths))[-1][:2] == (s.prompts_per_step * s.group, row)
    # old cache and seven eighths of it: 2 x 30 x 192 float32 of every token of the batch
    answers = SMALL.evaluation.batch * (ON_CPU.longest_asked + SMALL.evaluation.max_new_tokens)
    found = machine.generation(runs)
    assert found["KV cache"] == 4 * 2 * 30 * 192 * answers * 15 / 8 and found["the decoder"] == 4 * 134_515_008


def test_a_training_that_cannot_fit_is_refused_before_a_model_is_loaded(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(machine, "memory_here", lambda: 4e9)
    monkeypatch.setattr(fit, "gpu_memory", lambda: None)
    folders = [
        word for name in ("data", "start", "base", "discriminator") for word in (f"--{name}", str(tmp_path / name))
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/summary.json").touch()
    with pytest.raises(SystemExit):
        train.main(["--scale", "small", "--arm", "grpo", "--seed", "0", *folders, "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert "arm grpo needs" in error and "of this machine's 4.0" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="an evaluation needs .* GB of this machine's 4.0"):
        machine.check(SMALL)
    machine.check(SMALL, "discriminator")  # six of thirty layers, of a few rows
    machine.check(load_scale("tiny"), "grpo")  # no arithmetic: nothing is refused
    monkeypatch.setattr(fit, "gpu_memory", lambda: 80e9)  # where a GPU holds the models
    machine.check(SMALL, "grpo")


def test_this_machines_rates_come_before_the_committed_ones(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    committed, path = rates.rates_for("small", SMOLLM2)
    assert path == rates.COMMITTED and committed.model == SMOLLM2
    assert "uniapl rates --scale small" in report_cpu.rates(estimate())[1]
    rates.write(RATES, tmp_path / rates.OWN.format(scale="small"))
    own, path = rates.rates_for("small", SMOLLM2)
    assert own == RATES
    assert "uniapl rates" not in report_cpu.rates(replace(estimate(), rates=own, path=path))[1]
    with pytest.raises(UserError, match="rates of package:.*, and small has another: uniapl rates --scale small"):
        rates.rates_for("small", "another")


@pytest.mark.parametrize(("name", "value"), [("train", 0), ("token", "fast"), ("step", -1), ("forward", float("nan"))])
def test_rates_that_no_machine_has_are_refused(tmp_path, name, value):
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(asdict(RATES) | {name: value}))
    with pytest.raises(UserError, match=rf"rates.json: {name} is .* must be a number"):
        rates.read(path)


def test_a_small_policy_is_measured(monkeypatch):
    shape = Shape(32, 2, 4, 2, 8, 64, 100, qk_norm=False)
    small = replace(MADE_UP, evaluation=replace(MADE_UP.evaluation, max_new_tokens=32))
    monkeypatch.setattr(measure, "REPEATS", 1)
    found = measure.measure(small, shape, 2, torch.get_num_threads())
    assert min(found.token, found.train, found.forward) > 0 and min(found.step, found.context) >= 0
    assert found.precision in ("float32", "bfloat16") and found.model == SMOLLM2 and "torch" in found.versions


def test_processes_that_measure_side_by_side_are_averaged(monkeypatch):
    given = iter((RATES, replace(RATES, step=4.0, train=20.0)))
    monkeypatch.setattr(measure, "ProcessPoolExecutor", lambda jobs, mp_context: ThreadPoolExecutor(jobs))
    monkeypatch.setattr(measure, "one_of", lambda name, jobs, threads: next(given))
    assert measure.side_by_side("small", 2, 1) == replace(RATES, step=3.0, train=15.0)


def test_rates_of_a_scale_without_arithmetic_are_one_line(capsys):
    with pytest.raises(SystemExit):
        measure.main(["--scale", "tiny"])
    assert "scale tiny: has no plan on a CPU" in capsys.readouterr().err


def test_a_measured_model_has_the_shape_that_was_asked(tmp_path):
    shape = Shape(32, 2, 4, 2, 8, 64, 100, qk_norm=False)
    measure.policy(shape).save_pretrained(tmp_path)
    assert read_shape(tmp_path) == shape


def test_every_assumption_has_a_source():
    assert all(source for _, _, source in with_sources(ON_CPU))


def test_the_documentation_shows_the_hours_of_today():
    runs = Runs(SMALL)
    e = CpuEstimate(runs, runs.default, rates.read(rates.COMMITTED), 1e12)
    plan = "\n".join(report_cpu.rates(e) + report_cpu.time(e)).strip()
    assert plan in (ROOT / "docs/small.md").read_text(), "put these lines of `uniapl plan --scale small` there"


def test_what_is_repeated_here_is_what_the_stages_do():
    from uniapl.data.everyday.comparisons import AGAIN
    from uniapl.models.sampler import LEAVE

    assert machine.STAY == 1 - LEAVE
    assert cpu.AGAIN == sum(count for _, count in AGAIN.values()) / len(AGAIN)
