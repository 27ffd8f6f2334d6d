"""Stage teach without a backend: what is a demonstration, what is written, what is spent."""

import dataclasses
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support.openai_server import prompts

from uniapl import checkers
from uniapl.data import hub
from uniapl.data.teach import FREE, Teacher, identity
from uniapl.data.teach.__main__ import backend_of
from uniapl.data.teach.answer import Answer, Refusal, Request, loops, rejection, seed_of
from uniapl.data.teach.collect import teach
from uniapl.data.teach.ledger import BudgetSpent, Journal, Meter
from uniapl.data.teach.offline import BATCHES, Offline
from uniapl.errors import UserError

REQUEST = Request(key=7, attempt=0, prompt="p", seed=1, tokens=100, ticket=0)


def answer(text: str, finish_reason: str | None = "stop", request: Request = REQUEST) -> Answer:
    return Answer(request, text, finish_reason, prompt_tokens=10, completion_tokens=5, model="m")


def test_every_setting_of_the_teacher_has_a_source():
    for field in dataclasses.fields(Teacher):
        assert field.metadata["source"], field.name
    assert set(FREE) < {field.name for field in dataclasses.fields(Teacher)}


def test_the_sampling_is_the_published_one():
    published = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "presence_penalty": 0.0}  # the last is left open
    assert published.items() <= Teacher().sampling.items()


def test_the_settings_import_no_torch_and_no_vllm():
    code = "import sys, uniapl.data.teach; sys.exit(bool({'torch', 'vllm', 'httpx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"attempts": 0}, "attempts must be at least 1"),
        ({"token_budget": 0}, "token_budget must be at least 1"),
        ({"top_p": 0.0}, "top_p above 0"),
        ({"temperature": -1.0}, "temperature must not be negative"),
        ({"temperature": float("nan")}, "temperature must not be negative"),
        ({"template_tokens": 0}, "template_tokens must be at least 1"),
        ({"max_tokens": 8_192}, "max_tokens 8192 leaves no room in max_model_len 8192"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        Teacher(**wrong)


SENTENCE = "The quick brown fox jumps over the lazy dog near the old mill. "


@pytest.mark.parametrize(
    "found, reason, broken",
    [
        (answer("Rain falls on hills."), None, []),
        (answer("Rain, and hills."), "instructions", ["punctuation:no_comma"]),
        (answer("RAIN, HILLS."), "instructions", ["punctuation:no_comma", "change_case:english_lowercase"]),
        (answer(""), "empty", []),
        (answer(" \n\t"), "empty", []),
        (answer("rain falls", "length"), "truncated", []),
        (answer("rain falls", "content_filter"), "unfinished", []),
        (answer("rain falls", None), "unfinished", []),
        (answer("<think>hm</think>rain falls"), "marks", []),
        (answer("hm</think>rain falls"), "marks", []),
        (answer("rain falls<|im_end|>"), "marks", []),
        (answer("rain \ufffd falls"), "marks", []),
        (answer("rain \ud800 falls"), "marks", []),
        (answer(SENTENCE.lower() * 40), "looped", []),
        (Refusal(REQUEST, "status 400", 0, final=True), "refused", []),
    ],
)
def test_what_is_a_demonstration_and_why_the_rest_is_not(found, reason, broken):
    ids = ["punctuation:no_comma", "change_case:english_lowercase"]
    lower = ids if "RAIN" in getattr(found, "text", "") else ids[:1]
    assert rejection(found, lower, checkers.build_all(lower, [{}] * len(lower))) == (reason, broken)


def test_a_short_or_varied_text_does_not_loop():
    assert not loops(SENTENCE * 6)  # 378 bytes: a prompt may ask to repeat a sentence
    assert loops(SENTENCE * 40)
    varied = " ".join(f"Line {n} speaks of {n * 7919 % 1000} things that nobody has counted." for n in range(60))
    assert not loops(varied)


def test_the_seed_of_an_answer_depends_on_key_attempt_and_seed_alone():
    seeds = {seed_of(s, k, a) for s in (0, 1) for k in (1, "1x", 2) for a in (0, 1)}
    assert len(seeds) == 12 and all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(0, 5, 1) == seed_of(0, 5, 1)


def meter(path, budget) -> Meter:
    with Journal(path) as journal:
        return Meter(journal, budget)


def test_the_meter_counts_charges_and_the_reservations_that_nobody_settled(tmp_path):
    path = tmp_path / "spent.jsonl"
    with Journal(path) as journal:
        first = Meter(journal, 100)
        a, b = first.reserve(40), first.reserve(30)
        assert (first.spent, first.reserved) == (0, 70)
        with pytest.raises(BudgetSpent, match="budget of 100 is used up: 0 are spent and the next request may take 31"):
            first.reserve(31)
        first.settle(a, 12)
        assert (first.spent, first.reserved) == (12, 30)
        c = first.reserve(58)  # 12 + 30 + 58 = 100
        first.settle(c, None)
        assert (first.spent, first.reserved) == (70, 30)
    again = meter(path, 100)  # b was under way when the process ended
    assert b == 1 and (again.spent, again.reserved) == (100, 0)
    assert not again.has_room(1) and meter(path, 101).has_room(1)


def test_a_journal_drops_the_row_that_a_kill_cut_and_goes_on(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a": ')
    with Journal(path) as journal:
        assert journal.rows == [{"a": 1}, {"a": 2}]
        journal.append({"a": "ä\n"})
    assert path.read_text() == '{"a": 1}\n{"a": 2}\n{"a": "ä\\n"}\n'


def test_a_file_is_written_by_one_process_at_a_time(tmp_path):
    with Journal(tmp_path / "rows.jsonl"):
        with pytest.raises(UserError, match="another process writes this file"):
            Journal(tmp_path / "rows.jsonl")


def scripted(answers):
    """A backend, in place of a model: `answers(request)` for each request, one at a time."""

    def backend(requests, meter):
        for request in requests:
            assert request is not None
            yield answers(request)

    return backend


def rows(out) -> list[dict]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_the_first_answer_that_passes_is_kept_and_no_prompt_is_asked_more_than_its_attempts(tmp_path):
    asked = []

    def answers(request):
        asked.append((request.key, request.attempt))
        return answer("fine" if request.key <= request.attempt else "not, fine", request=request)

    out = tmp_path / "d.jsonl"
    summary = teach(Teacher(attempts=3), prompts(4), scripted(answers), out, {"by": "test"})
    expected = [(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1), (2, 2), (3, 2)]
    assert asked == expected == [(row["key"], row["attempt"]) for row in rows(out)]
    assert [(row["key"], row["attempt"]) for row in rows(out) if row["passed"]] == [(0, 0), (1, 1), (2, 2)]
    assert (summary["answered"], summary["accepted"], summary["answers"]) == (4, 3, 9)
    assert summary["rejected"] == {"instructions": 6} and summary["accepted_at_attempt"] == {0: 1, 1: 1, 2: 1}
    assert (summary["prompt_tokens"], summary["completion_tokens"], summary["tokens_charged"]) == (90, 45, 135)
    assert summary["instruction_types"] == {"punctuation:no_comma": {"prompts": 4, "accepted": 3}}
    assert summary["unanswered"] == 0 and summary["record"] == {"by": "test"}
    written = json.loads((tmp_path / "d.summary.json").read_text())
    assert written["accepted"] == 3 and written["teacher"]["temperature"] == 0.7

    again = teach(Teacher(attempts=3), prompts(4), scripted(answers), out, {"by": "test"})
    assert again == summary and asked == expected  # nothing left to ask
    teach(Teacher(attempts=4), prompts(4), scripted(answers), out, {})
    assert asked == [*expected, (3, 3)]


@pytest.mark.parametrize(
    "teacher, n, message",
    [
        (Teacher(temperature=1.0), 3, "begun with temperature = 0.7, not 1.0"),
        (Teacher(model="other"), 3, "begun with model = 'Qwen/Qwen3-235B-A22B-Instruct-2507', not 'other'"),
        (Teacher(seed=1), 3, "begun with seed = 0, not 1"),
        (Teacher(), 4, "begun with prompts = 3, not 4"),
    ],
)
def test_a_rerun_with_other_settings_is_refused_and_changes_nothing(teacher, n, message, tmp_path):
    backend = scripted(lambda request: answer("fine", request=request))
    teach(Teacher(), prompts(3), backend, tmp_path / "d.jsonl", {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {"d.jsonl", ".d.jsonl.sha256", "d.config.json", "d.spent.jsonl", "d.summary.json"}
    with pytest.raises(UserError, match=message) as error:
        teach(teacher, prompts(n), backend, tmp_path / "d.jsonl", {})
    assert "name another --out" in str(error.value)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_prompts_with_other_words_under_the_same_keys_are_other_settings():
    same, other = prompts(3), prompts(3)
    other[1]["prompt"] += "!"
    first, second = identity(Teacher(), same), identity(Teacher(concurrency=1, token_budget=9), same)
    assert first == second and first["prompts_sha256"] != identity(Teacher(), other)["prompts_sha256"]


def test_the_record_of_a_teacher_in_this_process_says_which_revision_it_is(monkeypatch):
    monkeypatch.setattr(hub, "record", lambda id: {"id": id, "revision": "a"})
    assert backend_of(Teacher(), None)[1]["source"] == {"id": Teacher().model, "revision": "a"}
    assert backend_of(Teacher(model="a/folder"), None)[1]["source"] == {"folder": "a/folder"}


def test_another_revision_of_the_teacher_does_not_go_on_with_its_answers(tmp_path):
    backend = scripted(lambda request: answer("fine", request=request))
    teach(Teacher(), prompts(3), backend, tmp_path / "d.jsonl", {"source": {"revision": "a"}})
    with pytest.raises(UserError, match="name another --out"):
        teach(Teacher(), prompts(3), backend, tmp_path / "d.jsonl", {"source": {"revision": "b"}})


def test_a_rerun_may_change_what_alters_no_answer(tmp_path):
    backend = scripted(lambda request: answer("fine", request=request))
    teach(Teacher(), prompts(3), backend, tmp_path / "d.jsonl", {})
    changed = Teacher(attempts=2, tensor_parallel=1, concurrency=1, template_tokens=10, token_budget=10**6)
    teach(changed, prompts(3), backend, tmp_path / "d.jsonl", {})


def test_an_answer_that_costs_more_than_was_reserved_ends_the_run_in_one_line(tmp_path):
    """2 bytes of prompt + 1 for the template + 10 for the answer: at most 13, and 15 come back."""
    backend = scripted(lambda request: answer("fine", request=request))
    with pytest.raises(UserError, match="key 0 took 15 tokens and not at most 13: .*--template-tokens"):
        teach(Teacher(max_tokens=10, template_tokens=1), prompts(3), backend, tmp_path / "d.jsonl", {})
    assert len(rows(tmp_path / "d.jsonl")) == 1  # and what was paid for is kept


class Model:
    """vllm.LLM's interface, without a model: the border where vLLM is not installed. Answers with the prompt."""

    def __init__(self, fails: str = ""):
        self.calls, self.fails = [], fails

    def get_tokenizer(self):
        return SimpleNamespace(apply_chat_template=lambda chat, **_: list(chat[0]["content"].encode()))

    def chat(self, chats, sampling, chat_template_kwargs, use_tqdm):
        self.calls.append((chats, sampling, chat_template_kwargs))
        if self.fails:
            raise RuntimeError(self.fails)
        return [
            SimpleNamespace(
                prompt_token_ids=[1] * 7,
                outputs=[SimpleNamespace(text=chat[0]["content"], finish_reason="stop", token_ids=[1, 2])],
            )
            for chat in chats
        ]


@pytest.fixture
def vllm(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(SamplingParams=lambda **given: given))


def test_offline_answers_in_batches_with_the_thinking_off_and_a_seed_each(vllm, tmp_path):
    model, teacher = Model(), Teacher(concurrency=2)
    summary = teach(teacher, prompts(10), Offline(teacher, lambda _: model), tmp_path / "d.jsonl", {})
    assert [len(chats) for chats, _, _ in model.calls] == [2 * BATCHES, 2]
    chats, sampling, template = model.calls[0]
    assert chats[1] == [{"role": "user", "content": "p1"}] and template == {"enable_thinking": False}
    assert sampling[1] == {**teacher.sampling, "seed": seed_of(0, 1, 0)}
    assert (summary["accepted"], summary["tokens_charged"]) == (10, 90)


def test_offline_leaves_out_a_prompt_that_is_longer_than_the_model_and_answers_the_rest(vllm, tmp_path):
    teacher, asked = Teacher(max_model_len=100, max_tokens=50, attempts=2), prompts(3)
    asked[1]["prompt"] = "x" * 100
    summary = teach(teacher, asked, Offline(teacher, lambda _: Model()), tmp_path / "d.jsonl", {})
    assert (summary["accepted"], summary["rejected"]) == (2, {"refused": 1})
    assert "key 1 has more than --max-model-len 100 tokens" in (tmp_path / "d.spent.jsonl").read_text()


def test_the_model_is_loaded_once_and_only_where_something_is_to_be_asked(vllm, tmp_path):
    loaded = []
    teacher = Teacher(attempts=3)
    offline = Offline(teacher, lambda given: loaded.append(given) or Model())
    asked = [{**prompt, "prompt": f"{prompt['prompt']}, ,"} for prompt in prompts(2)]  # comes back, with commas
    teach(teacher, asked, offline, tmp_path / "d.jsonl", {})
    assert loaded == [teacher] and len(rows(tmp_path / "d.jsonl")) == 6
    teach(teacher, asked, Offline(teacher, lambda given: pytest.fail("loaded for nothing")), tmp_path / "d.jsonl", {})


def test_an_engine_that_dies_is_one_line(vllm, tmp_path):
    with pytest.raises(UserError, match="vLLM stopped: EngineCore died"):
        teach(Teacher(), prompts(3), Offline(Teacher(), lambda _: Model("EngineCore died")), tmp_path / "d.jsonl", {})


def test_offline_waits_where_the_budget_has_no_room_for_a_whole_batch(vllm, tmp_path):
    """A request reserves 2 + 10 + 18 = 30 and takes 9: of 100 tokens, 3 + 2 + 2 + 1 requests fit, 72 tokens."""
    model, teacher = Model(), Teacher(template_tokens=10, max_tokens=18, token_budget=100)
    with pytest.raises(BudgetSpent, match="72 are spent"):
        teach(teacher, prompts(20), Offline(teacher, lambda _: model), tmp_path / "d.jsonl", {})
    assert [len(chats) for chats, _, _ in model.calls] == [3, 2, 1, 1, 1]
