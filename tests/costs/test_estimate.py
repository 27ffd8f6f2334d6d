"""The plan: hand-derived numbers, jobs that are the workflow's, and what is said of scales without a GPU."""

import re
import resource
import subprocess
import sys
from dataclasses import replace

import pytest
from support.places import ROOT

from experiments.scales import PAPER
from uniapl.config import load_scale
from uniapl.config.runs import Runs
from uniapl.costs import fit, jobs, memory, report, teaching, work
from uniapl.costs import time as seconds
from uniapl.costs.__main__ import main
from uniapl.costs.assumptions import DEFAULT, Assumptions, with_sources
from uniapl.costs.estimate import Estimate, group_by_peak
from uniapl.costs.gpus import GPUS, Gpu
from uniapl.costs.shapes import SHAPES, SOURCES, Shape, read_shape, shape_of
from uniapl.errors import UserError

QWEN = shape_of("Qwen/Qwen3-0.6B")
TINY = Shape(4, 2, 2, 1, 2, 8, 10)  # hidden, layers, heads, KV heads, head size, intermediate, vocabulary


def estimate(scale=PAPER, gpu="h100", gpus=8) -> Estimate:
    runs = Runs(scale)
    return Estimate(runs, runs.default, GPUS[gpu], gpus)


def test_parameters_by_hand():
    # queries 4 x 4, keys and values 4 x 2 each, output 4 x 4: 48; gate, up, down 3 x 4 x 8 = 96; norms 4 + 4, 2 + 2
    assert TINY.layer_matrices == 48 + 96
    # embedding 10 x 4, two layers, last norm; the head is the embedding
    assert TINY.parameters == 40 + 2 * (144 + 12) + 4
    assert replace(TINY, tied=False).parameters == TINY.parameters + 40
    # three experts and their router 4 x 3; one of them reads a token
    assert replace(TINY, experts=3).layer_matrices == 48 + 3 * 96 + 12
    assert replace(TINY, experts=3).multiplied == 2 * (48 + 96 + 12) + 40


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        # embedding 151,936 x 1024 = 155,582,464; a layer: q and o 2 x 1024 x 2048, k and v 2 x 1024 x 1024, MLP
        # 3 x 1024 x 3072, norms 2 x 1024 + 2 x 128: 15,730,944; 28 of them; last norm 1024
        ("Qwen/Qwen3-0.6B", 155_582_464 + 28 * 15_730_944 + 1024),
        # 151,936 x 2560 + 36 x (2 x 2560 x 4096 + 2 x 2560 x 1024 + 3 x 2560 x 9728 + 5376) + 2560
        ("Qwen/Qwen3-4B", 388_956_160 + 36 * 100_930_816 + 2560),
        # two matrices of 151,936 x 5120; 64 x (83,886,080 + 10,485,760 + 393,216,000 + 10,496) + 5120
        ("Qwen/Qwen3-32B", 1_555_824_640 + 64 * 487_598_336 + 5120),
        # 94 layers of 128 experts, 3 x 4096 x 1536 each, and a router of 4096 x 128
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", 235_093_634_560),
        # InternLM2-1.8B has 1,889,110,016; its head of 92,544 x 2048 is replaced by one of 2048
        ("internlm/POLAR-1_8B", 1_889_110_016 - 92_544 * 2048 + 2048),
        ("internlm/POLAR-7B", 7_737_708_544 - 92_544 * 4096 + 4096),
    ],
)
def test_parameters_of_the_models(model, parameters):
    assert shape_of(model).parameters == parameters
    assert set(SHAPES) == set(SOURCES)


def test_the_teacher_multiplies_a_token_with_22_billion_parameters():
    # 94 x (71,303,168 attention + 8 x 18,874,368 + 524,288) + 622,329,856 head; the card says 22B with the embedding
    assert shape_of("Qwen/Qwen3-235B-A22B-Instruct-2507").multiplied == 21_567_635_456
    assert shape_of("Qwen/Qwen3-235B-A22B-Instruct-2507").multiplied / 1e9 == pytest.approx(22, abs=0.7)


def test_a_shape_is_read_from_a_checkpoint(tmp_path):
    from support import miniature

    model = miniature.policy()
    model.save_pretrained(tmp_path)
    assert read_shape(tmp_path).parameters == sum(p.numel() for p in model.parameters())
    (tmp_path / "config.json").write_text('{"hidden_size": 3}')
    with pytest.raises(UserError, match="config.json: no shape"):
        read_shape(tmp_path)
    with pytest.raises(UserError, match="no shape of 'nobody/nothing'"):
        shape_of("nobody/nothing")


def test_flops_of_a_token_by_hand():
    # TINY multiplies a token with 2 x 144 + 40 = 328 parameters; attention: 4 x 2 layers x 4 x 10 tokens = 320
    assert seconds.forward_flops(TINY, 1, 10) == 2 * 328 + 320
    assert seconds.training_flops(TINY, 5, 10, checkpointing=False) == 15 * 976
    assert seconds.training_flops(TINY, 5, 10, checkpointing=True) == 20 * 976


def test_decoding_by_hand():
    # 4 responses of 10 tokens after a prompt of 6, two at a time: (4 - 2) x 10 / 2 + 20 = 30 steps; each reads
    # 2 x 328 bytes; keys and values: 2 x 2 layers x 2 x 2 bytes = 16 per token, over 4 x 10 x (6 + 5) tokens
    gpu, a = Gpu(1e9, 1e3, 1e3, 100.0, ""), Assumptions(bandwidth_share=0.5, decode_overhead=1.0, forward_mfu=1.0)
    assert seconds.decode_steps(4, 10, 20, 2) == 30
    reading = (30 * 656 + 16 * 440) / 50
    prompts = 24 * (2 * 328 + 4 * 2 * 4 * 6) / 1e3
    assert seconds.decode(TINY, 4, 6, 10, 20, gpu, a, sequences=2) == pytest.approx(reading + 30 + prompts)


def test_few_sequences_read_few_experts():
    # one of four experts per token: one sequence reads a quarter, many read all
    moe = replace(TINY, experts=4)
    rest = 2 * (48 + 16) + 40  # attention, router, head
    assert seconds.read(moe, 1) == pytest.approx(2 * (rest + 2 * 96))
    assert seconds.read(moe, 1000) == pytest.approx(2 * (rest + 2 * 4 * 96))


def test_answers_until_one_passes():
    # p = 0.6, at most 4: 1 + 0.4 + 0.16 + 0.064
    assert teaching.answers_per_prompt(0.6, 4) == pytest.approx(1.624)
    assert teaching.answers_per_prompt(0.0, 4) == 4
    asked = teaching.teaching(PAPER.world, DEFAULT)
    assert asked.prompts == 8192 + 256 + 841
    assert asked.tokens == pytest.approx(9289 * 1.624 * (210 + 600))
    assert asked.demonstrations == pytest.approx(8192 * (1 - 0.4**4))
    assert asked.most_tokens == 9289 * 4 * (210 + 2048)
    assert teaching.price(asked, 1.0, 0.0) == pytest.approx(9289 * 1.624 * 210 / 1e6)


def test_rows_are_padded_to_the_longest_of_their_batch_and_the_engine_reads_none_of_it():
    a = DEFAULT
    # 9 texts of mean 100, log-normal with spread 1: the quantile 0.9, exp(ln 100 - 1/2 + 1.2816)
    assert work.padded(100, 9, 1e9, a) == pytest.approx(100 * 2.718281828 ** (1.2815516 - 0.5))
    assert work.padded(100, 1, 1e9, a) == 100 and work.padded(100, 256, 150, a) == 150
    run = Runs(PAPER).run("uniapl", 0)
    tokens, row = work.read_per_step(run, PAPER.world, a, 1)["rollouts"]
    assert row == pytest.approx(work.padded(210, 32, 1024, a) + 1024) and tokens == 256 * row
    engine = replace(run, compute=replace(run.compute, engine=True))
    assert work.read_per_step(engine, PAPER.world, a, 1)["rollouts"][0] == 256 * 400 + 32 * 210
    judge, gpu = shape_of("internlm/POLAR-1_8B"), GPUS["h100"]
    plain, fast = (work.step(one, judge, gpu, a, 1) for one in (run, engine))
    assert plain["train"] > 2 * fast["train"] and "log-probabilities" not in fast
    sft = work.read_per_step(Runs(PAPER).run("sft", 0), PAPER.world, a, 1)  # sorted by length
    assert sft["demonstrations"] == (64 * 810, 810) and sft["rollouts"] == (0, 0)


def test_a_checkpoint_of_a_sharded_training_has_the_weights_twice_and_is_written_seldom():
    shape = shape_of("Qwen/Qwen3-4B")
    one = work.resumable(shape, sharded=True) / 3
    assert one == 16 * shape.parameters == pytest.approx(64.4e9, rel=0.01)
    run = Runs(load_scale("paper_4b")).run("uniapl", 0)
    assert run.settings.steps / run.settings.save_every == 4


def test_hours_are_those_of_the_jobs():
    e = estimate()
    assert sum(hours.runs for hours in e.hours.values()) == jobs.by_stage(e.runs, e.experiments)["train"]
    run = e.runs.run("uniapl", 0)
    each = work.train_seconds(run, PAPER, e.gpu, e.a, 1)
    assert e.hours["uniapl"].train == pytest.approx(3 * each / 3600)
    parts = work.step(run, shape_of("internlm/POLAR-1_8B"), e.gpu, e.a, 1)
    probes = 9 * work.probe(run, PAPER.evaluation, e.gpu, e.a)  # at step 0 and every 32 of 256
    assert each == pytest.approx(300 + 256 * sum(parts.values()) + probes)
    assert e.total_hours == pytest.approx(
        sum(h.train + h.generate for h in e.hours.values()) + sum(e.other_hours.values())
    )
    # two arms on one GPU each, for the six and the two hours that a job may take
    assert (e.other_hours["suite"], e.other_hours["converse"]) == (2 * 6, 2 * 2)


def test_other_seeds_are_planned_without_the_general_benchmarks_that_nobody_asks_them():
    hours = estimate(load_scale("paper_from3")).other_hours
    assert hours["teach"] > 0 and (hours["suite"], hours["converse"]) == (0, 0)


def test_a_chain_of_jobs_bounds_the_days():
    few, many = estimate(gpus=8), estimate(gpus=10_000)
    assert few.days == pytest.approx(few.total_hours / 8 / 24)
    longest = many.trained["sft", 0] + many.trained["sft_then_grpo", 0]
    assert many.days >= (longest + many.teach_seconds) / 86_400
    assert many.total_hours / 10_000 / 24 < many.days


def test_disk_by_hand():
    e = estimate()
    # 596,049,920 float32 of every training; 8 at a time keep 3 x 12 bytes per parameter
    assert e.disk["checkpoints"] == len(e.trainings) * 4 * 596_049_920
    assert e.disk["unfinished trainings"] == 8 * 3 * 12 * 596_049_920
    # bfloat16; Qwen3-0.6B's file has its tied head once more
    models = 751_632_384 + shape_of("internlm/POLAR-1_8B").parameters + 235_093_634_560
    assert e.disk["downloads"] == 2 * models


def test_states_of_one_gpu_and_of_eight():
    run = Runs(PAPER).run("grpo", 0)
    # 16 bytes per parameter: 9.54 GB; DDP's buckets 4 more
    assert sum(fit.states(run, QWEN, 1).values()) == 16 * 596_049_920
    assert sum(fit.states(run, QWEN, 8).values()) == 20 * 596_049_920
    sharded = Runs(load_scale("paper_4b")).run("grpo", 0)
    large = shape_of("Qwen/Qwen3-4B")
    found = fit.states(sharded, large, 8)
    assert found["AdamW"] == large.parameters  # 8 bytes / 8
    assert found["gradients"] == large.parameters // 2
    # two backward passes: the first one's gradients stay whole
    mixed = Runs(load_scale("paper_4b")).run("uniapl", 0)
    assert fit.states(mixed, large, 8)["gradients"] == 4 * large.parameters


def test_a_refusal_names_the_setting_that_changes_the_largest_part():
    parts = {"parameters": 10, "activations": 50, "vLLM": 30}
    assert fit.refusal("arm x", parts, 90) is None
    line = fit.refusal("arm x", {name: size * 10**9 for name, size in parts.items()}, 89e9)
    assert "arm x needs 90.0 GB of a GPU's 89.0 (activations 50.0, vLLM 30.0, parameters 10.0)" in line
    assert "compute.rows_per_device" in line and "\n" not in line
    assert "compute.vllm_memory" in fit.refusal("arm x", {"activations": 1, "vLLM": 3}, 2)


def test_what_fits_the_data_centre_does_not_fit_the_desk():
    assert estimate(gpu="h200").does_not_fit == []
    desk = estimate(gpu="rtx4090", gpus=1).does_not_fit
    assert any(line.startswith("train:") and "needs" in line for line in desk)
    (teacher,) = (line for line in desk if "tensor_parallel=8 and there are 1 GPU(s)" in line)
    assert "set tensor_parallel" not in teacher  # 470 GB on none of them


def test_a_teacher_that_fits_on_fewer_gpus_is_said_with_their_number_and_the_exit_code_is_1(capsys):
    (line,) = estimate(gpu="h200", gpus=4).does_not_fit
    assert "set tensor_parallel=4 in its world.teacher (experiments/scales.py), which fits" in line
    teacher = replace(PAPER.world.teacher, tensor_parallel=4)
    assert estimate(replace(PAPER, world=replace(PAPER.world, teacher=teacher)), "h200", 4).does_not_fit == []
    with pytest.raises(SystemExit) as ended:
        main(["--scale", "paper", "--gpus", "4", "--gpu", "h200"])
    assert ended.value.code == 1 and f"- {line}" in capsys.readouterr().out


def test_the_plan_names_the_shapes_of_its_own_models_alone(capsys):
    main(["--scale", "paper"])
    shapes = re.findall(r"shape of (\S+):", capsys.readouterr().out)
    assert shapes == ["Qwen/Qwen3-0.6B", "Qwen/Qwen3-235B-A22B-Instruct-2507", "internlm/POLAR-1_8B"]


def test_one_gpu_cannot_train_the_larger_student():
    lines = estimate(load_scale("paper_4b"), gpus=1).does_not_fit
    # 16 bytes x 4,022,468,096 = 64 GB of states beside vLLM's 28
    assert any("train:" in line and "compute.sharded" in line for line in lines)


def test_gpus_that_cannot_share_a_step_are_said_and_the_rest_is_planned():
    e = estimate(load_scale("paper_4b"), gpus=3)
    said = "train grpo: 256 rows per step cannot be shared equally by 3 processes: grant a divisor of 256"
    assert said in e.does_not_fit
    assert ("generate", "grpo") in e.peaks and ("train", "grpo") not in e.peaks


def test_equal_peaks_are_one_line_and_the_largest_is_first():
    peaks = {("train", "b"): {"x": 1}, ("train", "a"): {"x": 1}, ("generate", "a"): {"x": 2}}
    assert group_by_peak(peaks) == [("generate: a", {"x": 2}), ("train: a, b", {"x": 1})]


def test_every_assumption_has_a_source():
    assert all(source for _, _, source in with_sources(DEFAULT))


def test_the_printed_plan_has_every_part(capsys):
    main(["--scale", "paper", "--gpus", "8", "--gpu", "h100", "--gpu-price", "2", "--token-prices", "1", "4"])
    e, text = estimate(), capsys.readouterr().out
    assert f"{sum(jobs.by_stage(e.runs, e.runs.default).values())} jobs" in text and f"{len(e.trainings)} train" in text
    assert f"at 2 per GPU-hour: {2 * e.total_hours:,.0f}" in text
    asked = teaching.teaching(PAPER.world, DEFAULT)
    assert f"from an endpoint: {asked.prompt_tokens / 1e6 + 4 * asked.response_tokens / 1e6:,.2f}" in text
    for part in ("GPU-hours", "token_budget", "GB on one GPU", "disk", "training_mfu = 0.3: ours"):
        assert part in text


@pytest.mark.parametrize("scale", ["smoke", "tiny", "rehearsal"])
def test_a_scale_for_a_cpu_says_so(capsys, scale):
    main(["--scale", scale])
    text = capsys.readouterr().out
    assert "no arithmetic for a CPU" in text and load_scale(scale).minutes in text and "GPU-hours" not in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--scale", "papre"], "did you mean 'paper'"),
        (["--scale", "paper", "--gpu", "h10"], "unknown --gpu 'h10'"),
        (["--scale", "paper", "--gpus", "0"], "at least one GPU"),
    ],
)
def test_a_mistake_is_one_line(capsys, line, said):
    with pytest.raises(SystemExit):
        main(line)
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_the_plan_takes_less_than_a_second_and_no_torch():
    code = (
        "import sys; from uniapl.costs.__main__ import main; main(['--scale', 'paper']);"
        "assert not {'torch', 'transformers', 'pandas'} & set(sys.modules)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, run.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def test_peaks_hold_the_kv_cache_and_the_share_of_vllm():
    e = estimate()
    grpo = e.peaks["train", "grpo"]
    assert grpo["vLLM"] == 0.35 * 80e9
    # (28 GB - 1.19 GB of weights) / 114,688 bytes per token
    assert e.cache_tokens == int((28e9 - 2 * 596_049_920) / 114_688) == 233_746
    # POLAR in float16: the probe's, and with lambda above 0 the loss's
    polar = 2 * shape_of("internlm/POLAR-1_8B").parameters
    assert (grpo["discriminators"], e.peaks["train", "uniapl"]["discriminators"]) == (polar, 2 * polar)
    assert memory.kv_cache(QWEN, 1) == 114_688


def test_the_choice_of_settings_is_priced_beside_the_run():
    e = estimate()
    first = replace(e, experiments=e.runs.tuning)
    hours = first.hours
    assert {run.seed for run in first.trainings} == {100} and len(first.trainings) == 17 + 1  # and SFT, where two start
    assert hours["public_sft_twice"].train > 1.7 * hours["public_sft_lr3"].train
    assert hours["public_grpo_lr1"].train == pytest.approx(e.hours["grpo"].train / 3)
    (line,) = report.tuning(e)
    assert line.endswith(f" {sum(h.total for h in hours.values()):.1f} (snakemake tuning: 18 trainings)")


@pytest.mark.parametrize("scale", ["paper", "paper_4b"])
def test_the_documentation_shows_the_plan_of_today(capsys, scale):
    main(["--scale", scale])
    plan = capsys.readouterr().out.strip()
    blocks = (ROOT / "docs/cost.md").read_text().split("```\n")
    shown = next(block for block in blocks if block.startswith(f"scale {scale}:"))
    assumed = next(block for block in blocks if block.startswith("assumptions"))
    student = r"\n- shape of Qwen/Qwen3-[\d.]+B:.*"  # the block of assumptions is that of scale paper
    found, expected = re.subn(student, "", f"{shown}\n{assumed}".strip()), re.subn(student, "", plan)
    assert found == expected, f"put the output of `uniapl plan --scale {scale}` there"
