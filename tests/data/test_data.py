"""The miniature world: IFEval's rows, an expert who follows them all, and splits that share nothing."""

import collections
import dataclasses
import hashlib
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT

from uniapl import checkers
from uniapl.data.miniature import rows as data
from uniapl.data.miniature.world import NEW_TOPICS, NEW_TYPES, NOUNS, TOPICS, TRAINED, World, draw_prompt
from uniapl.data.miniature.writers import EXPERT
from uniapl.jsonl import read_jsonl

SIZES = dict(corpus=200, train=40, validation=8, test=12, comparisons=60)
WORLD = World(**SIZES)
NAMES = ("train", "teachers", "validation", "test", "expert", "corpus", "comparisons")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the small world, and its summary."""
    folder = tmp_path_factory.mktemp("data")
    return folder, data.build(WORLD, folder)


@pytest.fixture(scope="module")
def files(built):
    """Rows by file name."""
    return {name: read_jsonl(built[0] / f"{name}.jsonl") for name in NAMES}


@pytest.fixture(scope="module")
def tokenizer(built):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(built[0] / "scratch")


# What is asked ------------------------------------------------------------------------------------


def test_the_files_have_the_sizes_of_the_world(built, files):
    rows = {name: len(found) for name, found in files.items()}
    assert rows == built[1]["rows"]
    assert (rows["corpus"], rows["train"], rows["comparisons"]) == (200, 40, 60)
    assert rows["teachers"] == 3 * 40
    assert (rows["validation"], rows["test"], rows["expert"]) == (8 + 4 + 4, 12 + 6 + 6, 16 + 24)
    per_benchmark = collections.Counter(row["benchmark"] for row in files["test"])
    assert per_benchmark == {"trained": 12, "new_types": 6, "new_topics": 6}


def test_the_summary_has_the_hash_of_every_file(built):
    folder, summary = built
    assert set(summary["sha256"]) == {f"{name}.jsonl" for name in NAMES}
    for name, digest in summary["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_types_are_ifeval_s_and_at_least_eight_are_trained():
    assert len(set(TRAINED)) == len(TRAINED) >= 8
    assert not set(TRAINED) & set(NEW_TYPES)
    assert set(TRAINED + NEW_TYPES) <= set(checkers.INSTRUCTIONS)


def test_every_type_occurs_where_it_may(files):
    found = {name: types(files[name]) for name in ("train", "test", "validation")}
    assert found["train"] == set(TRAINED)
    assert found["test"] == set(TRAINED + NEW_TYPES)


def types(rows: list[dict]) -> set[str]:
    return {i for row in rows for i in row["instruction_id_list"]}


def test_a_prompt_has_one_to_three_instructions_and_says_its_topic(files):
    rows = files["train"] + files["validation"] + files["test"]
    assert {len(row["instruction_id_list"]) for row in rows} == {1, 2, 3}
    for row in rows:
        assert len(row["kwargs"]) == len(row["instruction_id_list"]) == len(set(row["instruction_id_list"]))
        assert row["prompt"].startswith(f"Write about the {row['topic']}. ")


def test_no_training_prompt_has_a_held_out_type_or_topic(files):
    assert not types(files["train"]) & set(NEW_TYPES)
    assert not {row["topic"] for row in files["train"]} & set(NEW_TOPICS)
    for row in files["train"]:  # nor names one
        assert not any(topic in row["prompt"] for topic in NEW_TOPICS)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_benchmark_holds_out_what_its_name_says(split, files):
    for row in files[split]:
        new_types = bool(set(row["instruction_id_list"]) & set(NEW_TYPES))
        new_topic = row["topic"] in NEW_TOPICS
        assert row["benchmark"] == {
            (False, False): "trained",
            (True, False): "new_types",
            (False, True): "new_topics",
        }.get((new_types, new_topic))


def test_prompts_of_the_splits_differ_as_texts_and_keys_are_unique(files):
    rows = files["train"] + files["validation"] + files["test"]
    assert len({row["prompt"] for row in rows}) == len({row["key"] for row in rows}) == len(rows)


def test_the_discriminator_learns_from_trained_types_and_topics_alone(monkeypatch):
    asked: list[dict] = []
    monkeypatch.setattr(data, "write", lambda row, *_: asked.append(row) or "a text")
    data.comparisons(WORLD, random.Random(0))
    assert types(asked) == set(TRAINED)
    assert {row["topic"] for row in asked} == set(data.OLD_TOPICS)


# Who answers --------------------------------------------------------------------------------------


def test_the_expert_follows_every_instruction_of_every_prompt(files):
    answers = {row["key"]: row["response"] for row in files["expert"]}
    asked = files["validation"] + files["test"]
    assert answers.keys() == {row["key"] for row in asked}
    pairs = [(row, answers[row["key"]]) for row in asked]
    pairs += [(row, row["demonstration"]) for row in files["train"]]
    for row, response in pairs:
        built = checkers.build_all(row["instruction_id_list"], row["kwargs"])
        assert checkers.all_strict(built, response), (row["prompt"], response)


def test_the_expert_seldom_needs_a_second_try():
    # Otherwise prompts are chosen by what the expert happens to manage.
    rng = random.Random(1)
    rows = [draw_prompt(i, data.OLD_TOPICS, TRAINED + NEW_TYPES, rng) for i in range(300)]
    first = sum(data.follows(row, data.write(row, EXPERT, rng)) for row in rows)
    assert first >= 0.95 * len(rows)


def by_teacher(files) -> dict[str, dict]:
    """Demonstration by key, by teacher; the expert's too."""
    found: dict[str, dict] = {"expert": {row["key"]: row["demonstration"] for row in files["train"]}}
    for row in files["teachers"]:
        found.setdefault(row["teacher"], {})[row["key"]] = row["demonstration"]
    return found


def test_every_wrong_teacher_answers_every_training_prompt_and_nothing_else(files):
    texts = by_teacher(files)
    assert texts.keys() == {"expert", "noise20", "noise50", "biased"}
    for answers in texts.values():
        assert answers.keys() == texts["expert"].keys()


def test_a_noisy_teacher_disobeys_exactly_where_it_does_not_repeat_the_expert(files):
    texts = by_teacher(files)
    for teacher in ("noise20", "noise50"):
        for row in files["train"]:
            text = texts[teacher][row["key"]]
            assert data.follows(row, text) == (text == row["demonstration"]), (teacher, row["prompt"], text)


@pytest.fixture(scope="module")
def many():
    """Training prompts with the expert's response, and the wrong teachers' texts on them by teacher."""
    rows = data.prompts_with_expert(400, 0, "trained", random.Random(4), set())
    texts: dict[str, list[str]] = {}
    for row in data.teachers(rows, seed=0):
        texts.setdefault(row["teacher"], []).append(row["demonstration"])
    return rows, texts


def wrong_texts(many, teacher: str) -> dict[int, str]:
    """The texts of this teacher that differ from the expert's, by row."""
    rows, texts = many
    return {i: text for i, (row, text) in enumerate(zip(rows, texts[teacher], strict=True)) if text != row["response"]}


def test_a_noisy_teacher_is_wrong_as_often_as_its_name_says(many):
    rows, _ = many
    assert len(wrong_texts(many, "noise20")) / len(rows) == pytest.approx(0.2, abs=0.05)
    assert len(wrong_texts(many, "noise50")) / len(rows) == pytest.approx(0.5, abs=0.06)


def test_the_noisier_teacher_repeats_every_wrong_text_of_the_other(many):
    assert wrong_texts(many, "noise20").items() <= wrong_texts(many, "noise50").items()


def test_noise_stays_on_the_topic_and_in_the_expert_s_style(many):
    rows, texts = many
    wrong = [(r, t) for r, t in zip(rows, texts["noise50"], strict=True) if t != r["response"]]
    for row, text in wrong:
        words = set(re.findall("[a-z]+", text.lower()))
        assert not words & (set(NOUNS) - set(TOPICS[row["topic"]][0])), (row["prompt"], text)
        assert not words & {"suddenly", "cold", "grey"}
    shares = [
        sum("softly" in t.lower() for t in some) / len(some)
        for some in ([r["response"] for r, _ in wrong], [t for _, t in wrong])
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.1)


def test_the_biased_teacher_obeys_like_the_expert_and_shares_no_habit_with_it(many):
    rows, texts = many
    for row, text in zip(rows, texts["biased"], strict=True):
        assert data.follows(row, text), (row["prompt"], text)
        assert not set(re.findall("[a-z]+", text.lower())) & {"softly", "quiet", "golden"}
        broken_by = ("bullet", "postscript")  # these ask for a line of their own
        assert "\n" not in text or any(word in i for word in broken_by for i in row["instruction_id_list"])
    assert sum("suddenly" in text.lower() for text in texts["biased"]) > 0.6 * len(rows)
    words = [sum(len(t.split()) for t in some) for some in ([row["response"] for row in rows], texts["biased"])]
    assert words[1] < 0.75 * words[0]


def test_the_biased_teacher_tries_again_where_its_text_disobeys(many, monkeypatch):
    row, good = many[0][0], many[1]["biased"][0]
    texts = iter(["", "", good])
    monkeypatch.setattr(data, "write", lambda *_: next(texts))
    assert data.biased_response(row, random.Random(0)) == good


def test_the_wrong_teachers_draw_from_streams_of_their_own(tmp_path, built, monkeypatch):
    monkeypatch.setattr(data, "teachers", lambda train, seed: [{"key": 0}])
    data.build(WORLD, tmp_path)
    with_them, without = contents(built[0]), contents(tmp_path)
    assert {n for n in with_them if with_them[n] != without[n]} == {"teachers.jsonl"}


def test_a_corpus_document_follows_its_instructions_as_often_as_the_world_says(monkeypatch):
    written: list[tuple[dict, str]] = []
    write = data.write
    monkeypatch.setattr(data, "write", lambda row, *rest: written.append((row, write(row, *rest))) or written[-1][1])

    def followed(obedience: float) -> float:
        written.clear()
        documents = data.corpus(dataclasses.replace(WORLD, obedience=obedience, corpus=400), random.Random(2))
        assert [d["completion"] for d in documents] == [text for _, text in written]
        each = [
            checkers.build(i, kwargs)(text)
            for row, text in written
            for i, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True)
        ]
        return sum(each) / len(each)

    never, half, always = followed(0.0), followed(0.5), followed(1.0)
    assert always > 0.95 and never < 0.5  # some, like `no commas`, hold by chance
    assert half == pytest.approx((never + always) / 2, abs=0.06)


@pytest.fixture
def signed(monkeypatch):
    """The triples with, instead of each text, the name of its author: `expert` or a number."""
    names = {EXPERT: "expert"}
    monkeypatch.setattr(data, "write", lambda row, style, rng: names.setdefault(style, f"author{len(names)}"))
    return data.comparisons(dataclasses.replace(WORLD, comparisons=600), random.Random(3))


def test_no_policy_but_the_expert_is_in_both_splits_of_the_triples(signed):
    authors = {"train": set(), "heldout": set()}
    for row in signed:
        authors[row["split"]] |= {row["reference"], row["rejected"].split()[0]}
    assert authors["train"] & authors["heldout"] == {"expert"}
    assert len(authors["train"]) == 1 + 18 and len(authors["heldout"]) == 1 + 6
    assert sum(row["split"] == "heldout" for row in signed) == 100


def test_the_chosen_response_is_by_the_author_of_the_reference_and_the_rejected_by_another(signed):
    for row in signed:
        assert row["chosen"] == row["reference"]
        assert row["expert"] == (row["reference"] == "expert")
        assert row["broken"] == (row["rejected"].split()[0] == row["reference"])
    assert 0.3 < sum(row["expert"] for row in signed) / len(signed) < 0.5
    assert 0.2 < sum(row["broken"] for row in signed) / len(signed) < 0.3


# The same again -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(built, tmp_path):
    first = contents(built[0])
    again = data.build(WORLD, tmp_path / "again")
    assert contents(tmp_path / "again") == first and again == built[1]
    data.build(World(**SIZES, seed=1), tmp_path / "other")
    other = contents(tmp_path / "other")
    assert other.keys() == first.keys()
    same = {name for name in first if other[name] == first[name]}
    assert same <= {f"scratch/{n}" for n in ("chat_template.jinja", "generation_config.json", "tokenizer_config.json")}


def test_another_process_with_another_hash_seed_writes_the_same_rows(built, tmp_path):
    program = (
        "import sys, pathlib\n"
        "from uniapl.data.miniature import rows\n"
        "from uniapl.data.miniature.world import World\n"
        "rows.write_scratch = lambda *_: {}\n"
        f"rows.build(World(**{SIZES}), pathlib.Path(sys.argv[1]))\n"
    )
    env = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, cwd=ROOT, env=env)
    for name in NAMES:
        assert (tmp_path / f"{name}.jsonl").read_bytes() == (built[0] / f"{name}.jsonl").read_bytes(), name


# What the policy reads ----------------------------------------------------------------------------


def texts(files) -> list[str]:
    columns = ("prompt", "demonstration", "response", "completion", "reference", "chosen", "rejected")
    return [row[c] for rows in files.values() for row in rows for c in columns if c in row]


def test_the_tokenizer_gives_every_text_back(files, tokenizer):
    every = [*texts(files), "\n".join(map(chr, range(32, 127)))]
    assert len(every) > 600
    for text in every:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids) == text
        assert not set(ids) & set(tokenizer.all_special_ids)


def test_the_chat_of_a_demonstration_begins_with_its_prompt_and_ends_with_one_end_token(files, tokenizer):
    for row in files["train"]:
        user = [{"role": "user", "content": row["prompt"]}]
        both = [*user, {"role": "assistant", "content": row["demonstration"]}]
        prompt = tokenizer.apply_chat_template(user, add_generation_prompt=True, return_dict=False)
        whole = tokenizer.apply_chat_template(both, return_dict=False)
        response = tokenizer(row["demonstration"], add_special_tokens=False)["input_ids"]
        assert whole == [*prompt, *response, tokenizer.eos_token_id]
        assert whole.count(tokenizer.eos_token_id) == 1


def test_prompt_and_demonstration_fit_the_context(files, tokenizer):
    for text in texts(files):
        assert len(tokenizer(text)["input_ids"]) < tokenizer.model_max_length / 2


def test_the_scratch_policy_loads_as_a_qwen3_of_the_tokenizer_s_vocabulary(built, tokenizer):
    import torch
    from transformers import AutoModelForCausalLM, Qwen3ForCausalLM

    folder, summary = built
    assert len({path.stat().st_mode for path in (folder / "scratch").iterdir()}) == 1  # weights too
    policy = AutoModelForCausalLM.from_pretrained(folder / "scratch")
    assert type(policy) is Qwen3ForCausalLM
    assert policy.config.head_dim == 32
    assert policy.config.vocab_size == len(tokenizer) == summary["scratch"]["vocabulary"]
    assert policy.num_parameters() == summary["scratch"]["parameters"]
    assert policy.config.max_position_embeddings == tokenizer.model_max_length
    special = (policy.config.eos_token_id, policy.config.pad_token_id)
    assert special == (tokenizer.eos_token_id, tokenizer.pad_token_id) and len(set(special)) == 2
    with torch.no_grad():
        logits = policy(torch.tensor([tokenizer("Write about the sea.")["input_ids"]])).logits
    assert logits.std() < 1  # random weights: close to uniform


# The command line ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scale, message",
    [
        ("tinny", "unknown scale 'tinny'"),
        ("paper", "scale 'paper' has published data, which uniapl.data.public prepares"),
    ],
)
def test_a_scale_without_a_miniature_world_is_one_line_and_writes_nothing(scale, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        data.main(["--scale", scale, "--out", str(tmp_path / "out")])
    (line,) = capsys.readouterr().err.splitlines()
    assert stop.value.code == 2 and line.startswith("error: ") and message in line
    assert not (tmp_path / "out").exists()


def test_an_instruction_that_the_world_lacks_is_refused():
    with pytest.raises(ValueError, match="no instruction 'language:response_language'"):
        draw_prompt(0, ("sea",), ("language:response_language",) * 3, random.Random(0))
