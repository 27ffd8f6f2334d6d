"""What is asked, resolved into runs: typos are caught, and a fingerprint says which training it is."""

import dataclasses
import subprocess
import sys
import types

import pytest
from support.places import ROOT
from support.settings import EVALUATION, per_scale

from baselines import grpo, miniature_discriminator, sft, uniapl
from experiments.scales import SCALES
from uniapl.config import (
    Arm,
    Experiment,
    Scale,
    StepRows,
    all_arms,
    arm_of,
    check_scale,
    experiment_names,
    experiments_of,
    load,
    load_experiment,
    load_scale,
    resolve,
)
from uniapl.config.method import name_of
from uniapl.config.runs import Runs
from uniapl.data.miniature.world import World
from uniapl.errors import UserError

SFT, GRPO = Arm("sft", sft), Arm("grpo", grpo)
BASE = Arm("base", sft, start="scratch", once=True)
METHODS = (sft, grpo, uniapl, miniature_discriminator)
LISTED = {method: per_scale(method) for method in METHODS}
BUILT = [scale.name for scale in SCALES if scale.kind == "miniature"]


def scale(**changes) -> Scale:
    """A scale with one shared arm, the base."""
    plain = dict(name="small", hardware="a laptop", minutes="a minute", seeds=(0, 1), evaluation=EVALUATION)
    return Scale(**{**plain, "world": World(), "shared": (BASE,), "settings": LISTED, **changes})


def experiment(*arms: Arm, **changes) -> Experiment:
    """An experiment on these arms."""
    return Experiment(**{"name": "asked", "question": "", "expectation": "", "arms": arms, "against": ()} | changes)


def run(*arms: Arm, seed: int = 0, of: Scale | None = None):
    """The run of the last arm."""
    of = of or scale()
    return resolve(of, all_arms(of, [experiment(*arms)]), arms[-1].name, seed)


def changed(arm: Arm, **changes) -> Arm:
    return dataclasses.replace(arm, changes=changes)


def test_a_fingerprint_is_that_of_the_training_and_not_of_the_machine():
    once = run(SFT)
    assert once.fingerprint == run(SFT).fingerprint
    assert once.fingerprint == run(SFT, of=scale(hardware="8 GPUs", minutes="a day", seeds=(7,))).fingerprint
    assert once.fingerprint == run(SFT, of=scale(evaluation=dataclasses.replace(EVALUATION, batch=1))).fingerprint
    assert once.fingerprint != run(SFT, seed=1).fingerprint
    assert once.fingerprint != run(SFT, of=scale(world=World(seed=1))).fingerprint
    assert once.fingerprint != run(SFT, of=scale(settings={sft: per_scale(sft) | {"steps": 7}})).fingerprint
    assert once.fingerprint != run(dataclasses.replace(SFT, start="scratch")).fingerprint


@pytest.mark.parametrize("method", METHODS, ids=name_of)
def test_every_setting_of_a_method_is_in_the_fingerprint(method):
    arm = Arm("arm", method)
    before = run(arm)
    for name, value in dataclasses.asdict(before.settings).items():
        settings = dataclasses.replace(before.settings, **{name: f"not {value}"})
        assert dataclasses.replace(before, settings=settings).fingerprint != before.fingerprint, name


def test_an_arm_is_another_training_when_the_one_that_it_starts_from_changes():
    chain = Arm("sft_then_grpo", grpo, start="sft")
    before = run(SFT, chain)
    after = run(changed(SFT, steps=7), chain)
    assert before.settings == after.settings
    assert before.fingerprint != after.fingerprint
    moved = scale(shared=(changed(BASE, steps=7),))
    assert run(SFT, chain, of=moved).fingerprint != before.fingerprint
    assert run(GRPO).fingerprint == run(changed(SFT, steps=7), GRPO).fingerprint


def test_a_shared_arm_is_one_run_for_every_seed():
    first, second = run(SFT, seed=0), run(SFT, seed=1)
    assert first.seed != second.seed
    assert first.start == second.start and first.start.seed == 0


def test_a_base_that_is_not_trained_once_is_another_for_every_seed():
    own = scale(shared=(dataclasses.replace(BASE, once=False),))
    first, second = run(SFT, of=own, seed=0), run(SFT, of=own, seed=1)
    assert (first.start.seed, second.start.seed) == (0, 1)
    assert first.start.fingerprint != second.start.fingerprint


def test_the_arm_s_changes_stand_above_the_scale_s_settings():
    of = scale(settings={sft: per_scale(sft) | {"steps": 5, "warmup": 6}})
    settings = run(changed(SFT, steps=7), of=of).settings
    assert (settings.steps, settings.warmup) == (7, 6)


@pytest.mark.parametrize(
    "arm, message",
    [
        (
            changed(SFT, stepz=1),
            "unknown setting of baselines.sft in arm 'sft' 'stepz'.*did you mean 'steps'",
        ),
        (Arm("late", grpo, start="stf"), "unknown arm 'stf'.*did you mean 'sft'"),
        (Arm("odd", "baselines.sft"), "arm 'odd': the method is the text 'baselines.sft', not .*import sft`"),
        (Arm("odd", 7), "arm 'odd': the method is 7, not a module"),
        (dataclasses.replace(SFT, start="sft"), "arm 'sft' starts from itself: sft -> sft"),
    ],
)
def test_a_mistake_in_an_arm_is_one_line_with_the_nearest_spelling(arm, message):
    arms = (arm,) if arm.name == "sft" else (SFT, arm)
    with pytest.raises(UserError, match=message) as error:
        run(*arms)
    assert "\n" not in str(error.value)


def test_a_cycle_of_two_arms_is_named_in_full():
    with pytest.raises(UserError, match="arm 'b' starts from itself: b -> a -> b"):
        run(Arm("a", sft, start="b"), Arm("b", grpo, start="a"))


def test_one_name_is_one_recipe_in_every_experiment():
    again = experiment(SFT, GRPO, name="again")
    assert list(all_arms(scale(), [experiment(SFT), again])) == ["base", "sft", "grpo"]
    other = experiment(changed(SFT, steps=7), name="other")
    with pytest.raises(UserError, match="experiments/other.py: arm 'sft' is already defined with other"):
        all_arms(scale(), [experiment(SFT), other])
    with pytest.raises(UserError, match="experiments/asked.py: arm 'base' is already defined with other"):
        all_arms(scale(), [experiment(Arm("base", sft))])


@pytest.mark.parametrize(
    "settings, message",
    [
        ({sft: {"stepz": 1}}, "unknown setting of baselines.sft in scale 'small' 'stepz'.*'steps'"),
        ({"baselines.sft": {}}, "scale 'small': the method is the text 'baselines.sft'"),
        ({sft: {"steps": 1.5}}, "setting steps of baselines.sft in scale 'small' is 1.5: must be .* annotation, int"),
    ],
)
def test_a_mistake_in_a_scale_is_found_although_no_arm_uses_it(settings, message):
    with pytest.raises(UserError, match=message):
        check_scale(scale(settings=settings))


@pytest.mark.parametrize(
    "text, message",
    [
        ("EXPERIMENT = Experiment(nam='x')", "unexpected keyword argument 'nam'"),
        ("EXPERIMENT = Experiment(**GOOD, splt='test')", "unexpected keyword argument 'splt'"),
        ("EXPERIMENT = Experiment(**GOOD | {'name': 'y'})", "calls itself 'y'"),
        ("EXPERIMENT = Experiment(**GOOD | {'against': ('b',)})", r"compares against 'b'.*\['a'\]"),
        (
            "from uniapl.config import Claim\n"
            "CLAIM = Claim('x-1', 'more', 'ours', 'accuracy', arm='a', against='aa', direction='above')\n"
            "EXPERIMENT = Experiment(**GOOD, claims=(CLAIM,))",
            "unknown arm of claim 'x-1' in .*'aa'.*mean 'a'",
        ),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': ARMS * 2})", "arm 'a' is defined twice"),
        ("EXPERIMENT = Experiment(**GOOD, split='tests')", "unknown split in .* 'tests'.*mean 'test'"),
        ("EXPERIMENT = Experiment(**GOOD, decoding='gredy')", "unknown decoding in .*mean 'greedy'"),
        ("EXPERIMENT = Experment(**GOOD)", "name 'Experment' is not defined"),
        ("EXPERIMENTS = Experiment(**GOOD)", "defines no EXPERIMENT"),
        ("EXPERIMENT = GOOD", "EXPERIMENT is a dict"),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': ARMS[0]})", "arms is of type Arm, not a tuple: write a comma"),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': ('a',)})", "arms has 'a' in it, which is not of type Arm"),
        ("EXPERIMENT = Experiment(**GOOD | {'against': ('a')})", "against is of type str, not a tuple"),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': (Arm('A-b', sft),)})", "the name 'A-b' may have small"),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': (Arm('a', sft, changes='x'),)})", "changes is 'x'"),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': ARMS[0].changed})", "has no attribute 'changed'"),
        (
            "EXPERIMENT = Experiment(**GOOD | {'worlds': ()})",
            r"states no worlds: add worlds=.*, of miniature, everyday",
        ),
        ("EXPERIMENT = Experiment(**GOOD | {'worlds': ('minature',)})", "unknown world in .*mean 'miniature'"),
        ("EXPERIMENT = Experiment(**GOOD | {'arms': (Arm('a', 'baselines.sft'),)})", "arm 'a': the method is the text"),
        ("import uniapl.nowhere", "No module named 'uniapl.nowhere'"),
        ("from baselines import stf", "cannot import name 'stf' from 'baselines'"),
        ("EXPERIMENT = (", "was never closed"),
    ],
)
def test_a_mistake_in_an_experiment_file_is_one_line_that_names_it(text, message, tmp_path, monkeypatch):
    head = (
        "from baselines import sft\n"
        "from uniapl.config import Arm, Experiment\n"
        "ARMS = (Arm('a', sft),)\n"
        "GOOD = dict(name='broken', question='', expectation='', arms=ARMS, against=(), worlds=('miniature',))\n"
    )
    (tmp_path / "broken.py").write_text(head + text + "\n")
    monkeypatch.setattr(load, "EXPERIMENTS", tmp_path)
    monkeypatch.setattr(sys.modules["experiments"], "__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "experiments.broken", raising=False)
    with pytest.raises(UserError, match=message) as error:
        load_experiment("broken")
    assert "broken.py" in str(error.value) and "\n" not in str(error.value)


def test_a_name_that_the_snakefile_has_no_path_for_is_refused(tmp_path, monkeypatch):
    (tmp_path / "big-rates.py").write_text(
        "from uniapl.config import Experiment\n"
        "EXPERIMENT = Experiment('big-rates', '', '', arms=(), against=(), worlds=('public',))\n"
    )
    monkeypatch.setattr(load, "EXPERIMENTS", tmp_path)
    monkeypatch.setattr(sys.modules["experiments"], "__path__", [str(tmp_path)])
    with pytest.raises(UserError, match="experiments/big-rates.py: the name 'big-rates' may have small letters"):
        load_experiment("big-rates")
    for name, shared in (("Small", BASE), ("small", dataclasses.replace(BASE, name="the base"))):
        with pytest.raises(UserError, match="the name '(Small|the base)' may have small letters"):
            check_scale(scale(name=name, shared=(shared,)))


@pytest.mark.parametrize(
    "names, message",
    [
        ((), "has no dataclass Settings"),
        (("Settings",), r"has no build\(\)"),
        (("Settings", "build"), r"has no most_per_step\(\)"),
        (("Settings", "build", "most_per_step"), "has no METRICS, a dictionary of name and meaning of what it logs"),
    ],
)
def test_a_method_that_lacks_a_part_is_refused_before_anything_is_trained(names, message):
    with pytest.raises(UserError, match=f"arm 'own': method own_method {message}; baselines/grpo.py has one"):
        run(Arm("own", own_method(*names)))


@dataclasses.dataclass(frozen=True)
class Settings:
    """A setting of each type."""

    whole: int = 1
    rate: float = 0.5
    on: bool = False
    text: str = "a"
    most: int | None = None
    several: tuple[int, ...] = (1, 2)
    written: "int | None" = None


def own_method(*names: str) -> types.ModuleType:
    """A method with these of its four parts."""
    parts = {"Settings": Settings, "build": lambda job: None, "most_per_step": lambda settings: StepRows()}
    method = types.ModuleType("own_method")
    vars(method).update({name: (parts | {"METRICS": {}})[name] for name in names})
    return method


@pytest.mark.parametrize(
    "good, bad",
    [
        ({"whole": 2}, {"whole": "ten"}),
        ({"whole": 0}, {"whole": 1.0}),
        ({"rate": 1}, {"rate": "0.5"}),
        ({"rate": float("inf")}, {"rate": None}),
        ({"on": True}, {"on": 1}),
        ({"text": ""}, {"text": 1}),
        ({"most": 3}, {"most": "3"}),
        ({"most": None}, {"whole": None}),
        ({"several": [3]}, {"several": 3}),
        ({"written": 3}, {"whole": True}),
    ],
)
def test_a_setting_has_the_type_of_its_default(good, bad):
    method = own_method("Settings", "build", "most_per_step", "METRICS")
    of = scale(settings={**LISTED, method: {}})
    assert dataclasses.asdict(run(Arm("own", method, changes=good), of=of).settings).items() >= good.items()
    (name,) = bad
    with pytest.raises(UserError, match=f"setting {name} of own_method in arm 'own' is .*: must be of the type of"):
        run(Arm("own", method, changes=bad), of=of)


def test_an_unknown_experiment_or_scale_is_one_line_with_the_nearest_spelling():
    with pytest.raises(UserError, match="unknown experiment 'headlines'.*did you mean 'headline'"):
        load_experiment("headlines")
    with pytest.raises(UserError, match="unknown scale 'tinny'.*did you mean 'tiny'"):
        load_scale("tinny")


def test_where_an_evaluation_is_long_every_seed_has_its_own_and_else_all_of_an_arm_share_one():
    small, tiny = (Runs(load_scale(name)).batches for name in ("small", "tiny"))
    assert {seeds for split, seeds in small if split == "test"} == {(0,), (1,), (2,)}
    assert {"grpo", "sft_then_grpo"} <= set(small["test", (2,)]) and "chord" not in small["test", (2,)]
    assert {seeds for split, seeds in tiny if split == "test"} == {(0, 1, 2, 3, 4)}


def test_what_waits_for_extended_at_this_scale_alone_is_evaluated_by_processes_of_its_own():
    runs = Runs(dataclasses.replace(load_scale("tiny"), extended=("again",)))
    headline = runs.experiments["headline"]
    runs.__dict__["experiments"] = {
        "again": dataclasses.replace(headline, name="again", seeds=(4, 5)),
        "headline": headline,
    }
    assert not runs.experiments["again"].extended and runs.default == ["headline"]
    assert [seeds for (_, seeds), arms in runs.batches.items() if "grpo" in arms] == [(0, 1, 2, 3, 4), (5,)]


def test_a_scale_with_other_seeds_has_trainings_of_its_own_and_the_same_tests():
    tiny, again = load_scale("tiny"), load_scale("tiny_from5")
    assert again.seeds == (5, 6, 7, 8, 9) and (again.name, again.general) == ("tiny_from5", ())
    assert dataclasses.replace(again, name="tiny", seeds=tiny.seeds, general=tiny.general) == tiny
    runs = Runs(again)
    assert {seed for _, seed in runs.trained("headline")} == {5, 6, 7, 8, 9} and not runs.general
    with pytest.raises(UserError, match="scale tiny_from3: seed 3 is one of tiny's own: begin later"):
        load_scale("tiny_from3")
    with pytest.raises(UserError, match="unknown scale 'tinny_from5'"):
        load_scale("tinny_from5")


@pytest.mark.parametrize("name", BUILT)
def test_every_scale_and_experiment_of_the_repository_resolves(name):
    runs = Runs(load_scale(name))
    runs.check()
    for asked in runs.experiments:
        assert runs.evaluated(asked)[0][0] == "base"


def test_every_setting_has_a_source():
    methods = {arm.method for s in SCALES for arm in s.shared} | set(METHODS)
    methods |= {arm.method for name in experiment_names() for arm in load_experiment(name).arms}
    for method in methods:
        for field in dataclasses.fields(method.Settings):
            assert field.metadata.get("source", "").strip(), f"{name_of(method)}.Settings.{field.name} has no source"


def test_a_scale_is_resolved_without_what_takes_long_to_import():
    program = (
        "import sys; from uniapl import config; config.check_scale(config.load_scale('paper')); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    slow = {"torch", "transformers", "trl", "datasets", "pandas", "numpy", "uniapl.checkers.punkt"}
    assert not slow & set(done.stdout.split())


def test_what_plans_and_reports_imports_no_torch():
    program = (
        "import sys\n"
        "from uniapl import analyse, checkers, config, scorers, tables\n"
        "from uniapl.dag import snakemake\n"
        "config.check_scale(config.load_scale('tiny'))\n"
        "print(*{'torch', 'transformers', 'trl', 'datasets', 'lm_eval'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


@pytest.mark.parametrize("name", BUILT)
def test_the_pipeline_and_the_single_stage_consume_the_same_budget(name):
    runs = Runs(load_scale(name))

    def consumed(arm: str) -> dict[str, int]:
        total, stage = StepRows()._asdict(), runs.run(arm, 0)
        while stage.arm != "base":
            most = stage.method.most_per_step(stage.settings)._asdict()
            total = {what: n + most[what] * stage.settings.steps for what, n in total.items()}
            stage = stage.start
        return total

    pipeline = consumed("sft_then_grpo")
    assert min(pipeline.values()) > 0
    assert consumed("uniapl") == pipeline
    assert consumed("sft") == pipeline | {"rollouts": 0}
    assert consumed("grpo") == pipeline | {"demonstration_rows": 0}


# The paper's scale ----------------------------------------------------------------------------------


def test_a_rate_that_was_tuned_in_the_miniature_does_not_reach_the_papers_scale():
    tiny, paper = (arm_of(load_scale(name), "sft_then_grpo", 0).settings for name in ("tiny", "paper"))
    assert (tiny.learning_rate, paper.learning_rate) == (3e-4, 1e-6)
    lam = arm_of(load_scale("paper"), "lambda_1", 0).settings.lam
    assert lam == 1.0  # what an arm is about does


def test_an_experiment_is_asked_where_its_world_is():
    asked = {name: {one.name for one in experiments_of(load_scale(name))} for name in ("tiny", "paper")}
    assert asked["tiny"] - asked["paper"] >= {"constrained", "switch", "teachers", "tuning"}
    of_paper = asked["paper"] - asked["tiny"]
    assert of_paper == {"comparators", "fraction_public", "longer_public", "tuning_public", "unsolved_public"}
