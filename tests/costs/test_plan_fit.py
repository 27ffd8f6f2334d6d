"""Too little GPU memory is refused before a model is loaded; on a CPU nothing is.

No GPU is here: `gpu_memory`, which asks PyTorch for one, is what the tests replace.
"""

import dataclasses
from dataclasses import replace

import pytest
from support import miniature

from experiments.scales import PAPER
from uniapl.config import Compute, Evaluation, arm_of, load_scale
from uniapl.config.job import Job
from uniapl.config.runs import Runs
from uniapl.costs import fit
from uniapl.costs.shapes import shape_of
from uniapl.errors import UserError
from uniapl.generate import responses as generate
from uniapl.jsonl import write_jsonl
from uniapl.train import training as train

EVALUATION = Evaluation(max_new_tokens=48, batch=256, probe_prompts=4)


@pytest.fixture
def job(tmp_path):
    """A UniAPL training of scale smoke with its files: start, discriminator, data."""
    miniature.policy().save_pretrained(tmp_path / "start")
    miniature.tokenizer().save_pretrained(tmp_path / "start")
    (tmp_path / "data").mkdir()
    rows = [{**row, "demonstration": row["response"]} for row in miniature.rows()]
    write_jsonl(tmp_path / "data/train.jsonl", rows)
    write_jsonl(tmp_path / "data/validation.jsonl", rows[:4])
    return Job(
        run=arm_of(load_scale("smoke"), "uniapl", 0),
        data=tmp_path / "data",
        start=tmp_path / "start",
        state=tmp_path / "out/state",
        base=tmp_path / "start",
        discriminator=tmp_path / "start",
    )


def with_gpu(monkeypatch, size):
    monkeypatch.setattr(fit, "gpu_memory", lambda: size)


def test_a_training_that_cannot_fit_is_refused_before_anything_is_written(monkeypatch, job, tmp_path):
    with_gpu(monkeypatch, 2e9)
    with pytest.raises(UserError, match=r"arm uniapl needs [\d.]+ GB of a GPU's 2.0 .*experiments/scales.py"):
        train.train(job, EVALUATION, tmp_path / "out")
    assert not job.state.exists()


def test_a_training_that_fits_passes(monkeypatch, job):
    with_gpu(monkeypatch, 4e9)
    fit.check_training(job, EVALUATION)


def test_on_a_cpu_nothing_is_checked(job):
    assert fit.gpu_memory() is None
    fit.check_training(replace(job, start=job.data / "nothing"), EVALUATION)
    fit.check_generation(job.start / "nothing", job.start, job.data / "nothing", EVALUATION, Compute())


def test_the_length_of_the_prompts_counts(monkeypatch, job):
    rows = [{**row, "demonstration": row["response"]} for row in miniature.rows()]
    found = []

    def note(what, parts, gpu):
        found.append(sum(parts.values()))

    with_gpu(monkeypatch, 1e12)
    monkeypatch.setattr(fit, "refusal", note)
    fit.check_training(job, EVALUATION)
    write_jsonl(job.data / "train.jsonl", [{**rows[0], "prompt": "word " * 4000}, *rows])  # 5,000 tokens
    fit.check_training(job, EVALUATION)
    assert found[1] > 2 * found[0]


def test_a_served_discriminator_and_served_rollouts_take_no_memory(job):
    run = Runs(PAPER).run("uniapl", 0)
    qwen, polar = shape_of("Qwen/Qwen3-0.6B"), shape_of("internlm/POLAR-1_8B")
    options = {"devices": 1, "gpu": 80e9, "lengths": fit.Lengths(200, 200, 600, 1280)}
    here = fit.training(run, qwen, polar, PAPER.evaluation, **options)
    served = fit.training(run, qwen, None, PAPER.evaluation, served=True, **options)
    assert here["vLLM"] == 28e9 and here["discriminators"] == 4 * polar.parameters
    assert "vLLM" not in served and served["discriminators"] == 0
    # noise is no model; a co-trained one is two of the policy's layers with gradients and AdamW, 16 bytes each
    other = {name: replace(run, settings=replace(run.settings, discriminator=name)) for name in ("random", "cotrained")}
    assert fit.own_discriminator(other["random"], qwen, polar) == 0
    assert fit.own_discriminator(other["cotrained"], qwen, polar) == 16 * (155_582_464 + 2 * 15_728_640)


def test_more_demonstrations_at_a_time_than_rollouts_are_seen():
    # 8 rollouts a step, of one prompt, are one micro-batch, and so are all of the step's 64 demonstrations
    run = Runs(dataclasses.replace(PAPER, fixed_settings=("learning_rate",))).run("sft_control", 0)
    lengths = fit.Lengths(100, 100, 600, 1280)
    assert list(fit.passes(run, 1, lengths)) == [(64, 700, 64 * 600), (8, 100 + 1024, 8 * 1024)]
    # uniapl: 256 rollouts are 32 micro-batches of 8, with 2 demonstrations each
    uniapl = Runs(PAPER).run("uniapl", 0)
    assert list(fit.passes(uniapl, 1, lengths)) == [(2, 700, 2 * 600), (8, 1124, 8 * 1024)]
    assert list(fit.passes(Runs(PAPER).run("sft", 0), 4, lengths)) == [(8, 700, 8 * 600)]


def test_an_evaluation_that_cannot_fit_is_refused_in_one_line(monkeypatch, capsys, job, tmp_path):
    with_gpu(monkeypatch, 2e9)
    line = ["--scale", "smoke", "--checkpoint", job.start, "--base", job.start, "--prompts"]
    line += [job.data / "train.jsonl", "--expert", job.data / "train.jsonl", "--out", tmp_path / "out"]
    capsys.readouterr()  # what saving the policy printed
    with pytest.raises(SystemExit):
        generate.main(list(map(str, line)))
    error = capsys.readouterr().err
    assert "the evaluation of" in error and "of a GPU's 2.0" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_evaluation_holds_base_and_checkpoint_in_float32():
    # 4 bytes x 4,022,468,096, twice
    large = shape_of("Qwen/Qwen3-4B")
    lengths = fit.Lengths(0, 200, 0, 1280)
    found = fit.generation(large, large, PAPER.compute, gpu=80e9, lengths=lengths)
    assert found["the base"] == found["the checkpoint"] == 16_089_872_384


def test_vllm_needs_its_weights_and_one_sequence(monkeypatch, job):
    # Qwen3-0.6B in bfloat16 and 4096 tokens of 114,688 bytes: 1.19 + 0.47 GB
    least, has = fit.vllm(shape_of("Qwen/Qwen3-0.6B"), 4096, gpu=4e9, memory_share=0.35)
    assert least == 2 * 596_049_920 + 4096 * 114_688
    assert has == 1.4e9
    said = fit.refusal_of_vllm("arm x", least, has, 0.35)
    assert "vLLM needs 1.7 GB" in said and "compute.vllm_memory=0.35" in said
    assert fit.refusal_of_vllm("arm x", 1.0, 1.0, 0.35) is None
    # and a training asks for it
    run = replace(job.run, compute=replace(PAPER.compute, vllm_memory=1e-9))
    with_gpu(monkeypatch, 100e9)
    with pytest.raises(UserError, match="arm uniapl: vLLM needs"):
        fit.check_training(replace(job, run=run), EVALUATION)


def test_unequal_shares_are_what_the_training_itself_refuses():
    run = Runs(PAPER).run("uniapl", 0)
    with pytest.raises(UserError, match="256 rows per step cannot be shared equally by 3 processes"):
        list(fit.passes(run, 3, fit.Lengths(1, 1, 1, 1)))
