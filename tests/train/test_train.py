"""Stage train from the outside: kill and resume, configurations that must not mix, NaN, long prompts."""

import json
import shutil
import types

import pytest
from support.launch import begun, kill, wait_until
from support.train_command import arguments
from transformers import TrainerCallback

from baselines import sft
from uniapl import checkers
from uniapl.config import arm_of, load_scale
from uniapl.config.job import Job
from uniapl.train.training import add_probe, main


@pytest.mark.parametrize("arm", ["sft", "grpo", "uniapl"])
def test_a_killed_training_resumes_and_ends_with_the_weights_of_an_undisturbed_one(world, tmp_path, capsys, arm):
    main(arguments(world, arm, tmp_path / "whole"))
    whole = json.loads((tmp_path / "whole/run.json").read_text())

    out = tmp_path / "killed"
    process = begun(lambda: main(arguments(world, arm, out)))
    wait_until(lambda: list(out.glob("state/checkpoint-*/complete")), process)
    kill(process)
    assert not (out / "run.json").exists(), "the run ended before it could be killed"
    assert "continuing from checkpoint-" not in capsys.readouterr().out
    main(arguments(world, arm, out))
    assert "continuing from checkpoint-" in capsys.readouterr().out
    resumed = json.loads((out / "run.json").read_text())
    assert resumed["weights_sha256"] == whole["weights_sha256"]
    for name in ("optimizer_steps", "tokens_generated", "tokens_trained", "demonstration_rows"):
        assert resumed["cost"][name] == whole["cost"][name]
    timing = {"seconds", "peak_memory_mb"}
    rows = [
        [line for line in (folder / "history.csv").read_text().splitlines()] for folder in (tmp_path / "whole", out)
    ]
    names = rows[0][0].split(",")
    kept = [i for i, name in enumerate(names) if name not in timing]
    values = [[[line.split(",")[i] for i in kept] for line in lines] for lines in rows]
    assert values[0] == values[1]
    assert not (out / "state").exists()
    assert len({path.stat().st_mode for path in (out / "model").iterdir()}) == 1  # weights too: for whom the umask says


def test_the_probe_holds_a_prompt_against_a_response_that_follows_it(world, tmp_path):
    """Each instruction of a prompt is followed by the expert's response to it; to another's, by chance."""
    scale, added = load_scale("smoke"), []
    trainer = types.SimpleNamespace(accelerator=types.SimpleNamespace(device="cpu"), add_callback=added.append)
    folders = {"start": world / "data/scratch", "base": world / "data/scratch", "state": tmp_path}
    job = Job(arm_of(scale, "grpo", 0), world / "data", discriminator=world / "discriminator/model", **folders)
    add_probe(trainer, job, scale.evaluation)
    probe = added[0].probe
    assert len(probe.rows) == len(probe.references) == scale.evaluation.probe_prompts
    for row, reference in zip(probe.rows, probe.references, strict=True):
        asked = checkers.build_all(row["instruction_id_list"], row["kwargs"])
        assert checkers.all_strict(asked, reference)


def refusal(line: list[str], capsys) -> list[str]:
    """What a training that refuses this command line prints as errors, before it ends with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(line)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_an_unfinished_run_of_another_configuration_is_refused_and_left_alone(world, tmp_path, capsys):
    state = tmp_path / "state"
    state.mkdir()
    stale = {"arm": "sft", "seed": 0, "settings": {"learning_rate": 0.5}}
    (state / "run.json").write_text(json.dumps(stale))
    (said,) = refusal(arguments(world, "sft", tmp_path), capsys)
    assert "learning_rate: 0.5 -> 0.001" in said
    assert json.loads((state / "run.json").read_text()) == stale


@pytest.mark.parametrize(
    "arm, named, message",
    [
        ("grpo", {"--data": "nowhere"}, "nowhere: no summary.json; run the stage data first"),
        ("grpo", {"--discriminator": "discriminator/model"}, "--discriminator needs --base"),
        ("uniapl", {"--base": "data/scratch"}, "arm uniapl needs --discriminator"),
        ("d_cotrained", {}, "arm d_cotrained needs --base"),
        ("grpo", {"--rollouts": "http://user:word@host:8000"}, "--rollouts holds a password or a query"),
    ],
)
def test_what_the_command_lacks_is_one_line_and_nothing_is_written(tmp_path, capsys, arm, named, message):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/summary.json").write_text("{}")
    line = ["--scale", "smoke", "--arm", arm, "--seed", "0", "--out", str(tmp_path / "out")]
    folders = {"--data": "data", "--start": "data/scratch"} | named
    line += [part for option, path in folders.items() for part in (option, str(tmp_path / path))]
    (said,) = refusal(line, capsys)
    assert message in said and not (tmp_path / "out").exists()


def test_two_processes_cannot_train_one_run(world, tmp_path, capsys):
    first = begun(lambda: main(arguments(world, "sft", tmp_path)))
    wait_until((tmp_path / "state/run.json").exists, first)
    try:
        assert "another process" in refusal(arguments(world, "sft", tmp_path), capsys)[-1]
    finally:
        kill(first)


def test_a_prompt_longer_than_the_context_is_named_with_file_and_line(world, tmp_path, capsys):
    copy = shutil.copytree(world / "data", tmp_path / "data")
    rows = [json.loads(line) for line in (copy / "train.jsonl").read_text().splitlines()]
    rows[2]["prompt"] = "sea " * 300
    (copy / ".train.jsonl.sha256").unlink()
    (copy / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = arguments(world, "grpo", tmp_path / "out")
    line[line.index("--data") + 1] = str(copy)
    said = refusal(line, capsys)[-1]
    assert "train.jsonl:3: prompt 2 has" in said and "context of 256" in said


class Poison(TrainerCallback):
    """Makes the weights NaN after step 4, as a fault of the hardware would."""

    def on_step_begin(self, args, state, control, model=None, **kwargs):
        if state.global_step == 5:
            next(model.parameters()).data.fill_(float("nan"))


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_good_checkpoint(world, tmp_path, capsys, monkeypatch):
    def poisoned(job, build=sft.build):
        trainer = build(job)
        trainer.add_callback(Poison())
        return trainer

    monkeypatch.setattr(sft, "build", poisoned)
    assert "at step 6 of 6: training stopped" in refusal(arguments(world, "sft", tmp_path), capsys)[-1]
    assert [p.name for p in (tmp_path / "state").glob("checkpoint-4/complete")] == ["complete"]
    assert not (tmp_path / "state/checkpoint-6").exists() and not (tmp_path / "run.json").exists()
