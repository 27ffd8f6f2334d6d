"""Which demonstrations a trainer reads: whose, of how many prompts, and how unusable ones are refused."""

import types
from dataclasses import replace

import pytest
from support import miniature
from support.settings import settings as method_settings

from baselines import grpo, sft
from baselines import uniapl as recipe
from baselines.common import rollout_rows, training_rows
from uniapl.config import Compute, arm_of, load_scale
from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl
from uniapl.models.checkpoints import messages

TRAIN = [
    {"key": r["key"], "prompt": r["prompt"], "instruction_id_list": r["instruction_id_list"], "kwargs": r["kwargs"]}
    | {"demonstration": r["response"]}
    for r in miniature.rows(6)
]
TEACHERS = [
    {"key": row["key"], "teacher": teacher, "demonstration": f"{teacher} on {row['key']}"}
    for row in reversed(TRAIN)  # found by key, not by place
    for teacher in ("noise20", "biased")
]
TRAINERS = (sft, grpo, recipe)


@pytest.fixture
def job(tmp_path):
    """A function that makes a job of a trainer over this data, with these settings."""
    write_jsonl(tmp_path / "train.jsonl", TRAIN)
    write_jsonl(tmp_path / "teachers.jsonl", TEACHERS)

    def make(trainer=grpo, **settings) -> Job:
        run = types.SimpleNamespace(seed=0, compute=Compute(), settings=method_settings(trainer, **settings))
        return Job(run=run, data=tmp_path, start=tmp_path, state=tmp_path / "state")

    return make


def demonstrations(rows: list[dict]) -> list[str | None]:
    return [row["demonstration"] for row in rows]


def learned(rows: list[dict]) -> list[tuple[str, str]]:
    return [(row["prompt"][0]["content"], row["completion"][0]["content"]) for row in rows]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_without_a_word_every_row_is_read_as_it_stands(job, trainer):
    assert training_rows(job(trainer)) == TRAIN


def test_another_teacher_s_demonstrations_replace_the_expert_s_and_nothing_else(job):
    rows = training_rows(job(teacher="biased"))
    assert demonstrations(rows) == [f"biased on {row['key']}" for row in TRAIN]
    assert [{**row, "demonstration": ""} for row in rows] == [{**row, "demonstration": ""} for row in TRAIN]


@pytest.mark.parametrize("count", [1, 4, 6])
def test_only_the_first_rows_keep_their_demonstration(job, count):
    rows = training_rows(job(teacher="noise20", demonstrations=count))
    assert demonstrations(rows) == [f"noise20 on {r['key']}" for r in TRAIN[:count]] + [None] * (6 - count)
    assert [row["prompt"] for row in rows] == [row["prompt"] for row in TRAIN]


def test_a_rollout_s_prompt_without_demonstration_stays_and_has_none(job):
    rows = rollout_rows(job(demonstrations=2), miniature.tokenizer())
    assert [row["prompt"][0]["content"] for row in rows] == [row["prompt"] for row in TRAIN]
    assert demonstrations(rows) == [TRAIN[0]["demonstration"], TRAIN[1]["demonstration"], None, None, None, None]


def test_the_data_set_of_grpo_keeps_the_prompts_without_demonstration(job):
    found = grpo.dataset(job(demonstrations=1), miniature.tokenizer())
    assert found["demonstration"][:] == [TRAIN[0]["demonstration"]] + [None] * 5


def test_sft_learns_the_rows_with_a_demonstration_alone(job):
    rows = sft.rows(job(sft, teacher="biased", demonstrations=2))
    assert learned(rows) == [(row["prompt"], f"biased on {row['key']}") for row in TRAIN[:2]]


def test_sft_on_the_corpus_reads_neither_prompts_nor_demonstrations(job, tmp_path):
    write_jsonl(tmp_path / "corpus.jsonl", [{"prompt": "a", "completion": "b"}])
    (tmp_path / "train.jsonl").unlink()
    assert learned(sft.rows(job(sft, text="corpus"))) == [("a", "b")]


@pytest.mark.parametrize("prompt_loss", [False, True])
def test_sft_learns_the_response_with_its_end_and_the_prompt_only_if_asked(job, policy, prompt_loss):
    trainer = sft.build(replace(job(sft, prompt_loss=prompt_loss, rows_per_step=6), start=policy))
    (batch,) = trainer.get_train_dataloader()
    tokenizer, expected = miniature.tokenizer(), []
    for row in TRAIN:
        answer = {"role": "assistant", "content": row["demonstration"]}
        chat = tokenizer.apply_chat_template([*messages(row["prompt"]), answer], return_dict=False)
        asked = tokenizer.apply_chat_template(messages(row["prompt"]), add_generation_prompt=True, return_dict=False)
        expected.append(chat if prompt_loss else chat[len(asked) :])
    assert sorted(row[row != -100].tolist() for row in batch["labels"]) == sorted(expected)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_expert_needs_no_file_of_other_teachers(job, tmp_path, trainer):
    (tmp_path / "teachers.jsonl").unlink()
    assert training_rows(job(trainer)) == TRAIN
    with pytest.raises(UserError, match=r"teachers\.jsonl"):
        training_rows(job(trainer, teacher="biased"))


def test_an_unknown_teacher_is_refused_with_those_that_exist(job):
    with pytest.raises(UserError, match="'noise2'.* known are biased, expert, noise20; did you mean 'noise20'"):
        training_rows(job(teacher="noise2"))


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_prompt_that_the_teacher_has_not_answered_is_named_with_its_file(job, tmp_path, text):
    other = [row for row in TEACHERS if (row["key"], row["teacher"]) != (3, "biased")]
    other += [] if text is None else [{"key": 3, "teacher": "biased", "demonstration": text}]
    write_jsonl(tmp_path / "teachers.jsonl", other)
    with pytest.raises(UserError, match=r"teachers\.jsonl: teacher 'biased' has no demonstration of prompt 3$"):
        training_rows(job(teacher="biased"))


@pytest.mark.parametrize("count", [0, -1, 7, 2.5, "3"])
def test_a_number_of_demonstrations_that_there_are_not_is_refused_with_both_numbers(job, count):
    with pytest.raises(UserError, match=rf"demonstrations is {count}, .*train\.jsonl has 6"):
        training_rows(job(demonstrations=count))


@pytest.mark.parametrize("bad", [{}, {"demonstration": ""}, {"demonstration": " \n"}, {"demonstration": None}])
@pytest.mark.parametrize("settings", [{}, {"teacher": "biased"}, {"demonstrations": 1}], ids=str)
def test_a_row_without_demonstration_is_named_with_file_line_and_key(job, tmp_path, bad, settings):
    row = {k: v for k, v in TRAIN[3].items() if k != "demonstration"} | bad | {"key": "x7"}
    write_jsonl(tmp_path / "train.jsonl", [*TRAIN[:3], row, *TRAIN[4:]])
    text = (tmp_path / "train.jsonl").read_text()
    (tmp_path / "train.jsonl").write_text("\n" + text)  # a blank line is no row, but it is a line
    with pytest.raises(UserError, match=r"train\.jsonl:5: prompt x7 has no demonstration"):
        training_rows(job(**settings))


def test_a_prompt_that_leaves_no_room_for_a_response_is_named_with_file_line_and_key(job, tmp_path):
    long = {**TRAIN[2], "key": "x7", "prompt": "sea " * 300}
    write_jsonl(tmp_path / "train.jsonl", [*TRAIN[:2], long])
    (tmp_path / "train.jsonl").write_text("\n" + (tmp_path / "train.jsonl").read_text())
    with pytest.raises(UserError, match=r"train\.jsonl:4: prompt x7 has \d+ tokens; the model's context of 256"):
        rollout_rows(job(), miniature.tokenizer())


# Who generates, and how ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "server, expected",
    [
        (None, {"vllm_mode": "colocate", "vllm_gpu_memory_utilization": 0.35}),
        ("http://gpu7:8000", {"vllm_mode": "server", "vllm_server_base_url": "http://gpu7:8000"}),
    ],
)
def test_at_paper_scale_vllm_generates_in_the_process_or_behind_a_url(policy, tmp_path, server, expected):
    from trl import GRPOConfig

    scale = load_scale("paper")
    run = arm_of(scale, "grpo", 0)
    made = Job(run=run, data=tmp_path, start=policy, state=tmp_path / "state", rollouts=server)
    args = GRPOConfig(**grpo.grpo_arguments(made))
    assert args.use_vllm and args.bf16 and args.gradient_checkpointing
    assert {name: getattr(args, name) for name in expected} == expected
    assert args.per_device_train_batch_size * args.gradient_accumulation_steps == 32 * 8
    assert args.generation_batch_size == 32 * 8  # a step's rollouts are drawn at once
    assert args.vllm_importance_sampling_correction
    assert (args.vllm_importance_sampling_mode, args.vllm_importance_sampling_clip_max) == ("token_truncate", 2.0)


def test_in_the_miniature_transformers_generates(job):
    assert grpo.rollouts(job()) == {}


THINKING = (  # as Qwen3's: what stands before the tag is moved into a section, or left out
    "{% for m in messages %}<|{{ m.role }}|>{% if '</think>' in m.content and m.role == 'assistant' %}"
    "{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_demonstration_whose_closing_tag_the_template_reads_is_named_with_file_and_key(job, tmp_path, trainer):
    tokenizer = miniature.tokenizer()
    policy = tmp_path / "config.json"
    policy.write_text("{}")
    tokenizer.save_pretrained(tmp_path)
    tagged = [{**TRAIN[1], "key": "x7", "demonstration": "It ends with </think>. Then comes the answer."}]
    write_jsonl(tmp_path / "train.jsonl", [TRAIN[0], *tagged])
    assert len(training_rows(job(trainer))) == 2  # the miniature's template leaves it alone
    (tmp_path / "chat_template.jinja").write_text(THINKING)
    with pytest.raises(UserError, match=r"train\.jsonl: key x7: the chat template of .* reads </think>"):
        training_rows(job(trainer))
    write_jsonl(tmp_path / "train.jsonl", TRAIN[:2])
    assert len(training_rows(job(trainer))) == 2


@pytest.mark.parametrize("field", ["key", "prompt"])
def test_a_row_without_key_or_prompt_is_named_with_its_number(job, tmp_path, field):
    write_jsonl(tmp_path / "train.jsonl", [TRAIN[0], {k: v for k, v in TRAIN[1].items() if k != field}])
    with pytest.raises(UserError, match=rf"train\.jsonl: row 2: no key {field}"):
        training_rows(job())
