"""Discriminators: what each one reads, that sharing a prefix changes no score, and that frozen means frozen."""

import copy
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from support import miniature as world
from support.places import ROOT
from tokenizers.processors import TemplateProcessing
from transformers import Qwen3Config, Qwen3ForSequenceClassification

from uniapl import discriminators
from uniapl.discriminators import Learner, miniature, pairs, polar, validated_scores
from uniapl.discriminators.controls import Length, Random
from uniapl.discriminators.cotrained import Cotrained
from uniapl.discriminators.frozen import Frozen
from uniapl.discriminators.pairs import Row, text_ids
from uniapl.errors import UserError

MARKS = {"newline": 90, "separator": 91, "end": 92}


def reward_model(vocabulary: int = 100, pad: int | None = None, **shape):
    """A random Qwen3 with a scalar head, its weights large enough that scores differ."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            intermediate_size=48,
            num_labels=1,
            pad_token_id=pad,
            initializer_range=0.2,
            **shape,
        )
        return Qwen3ForSequenceClassification(config).eval()


@pytest.fixture(scope="module")
def scorer():
    """The miniature's discriminator with random weights."""
    tokenizer = world.tokenizer()
    model = reward_model(len(tokenizer), tokenizer.pad_token_id)
    return pairs.Scorer(model, miniature.Encoder(tokenizer, 56))


# Loading and checking


def test_an_unknown_kind_is_one_line_that_names_the_nearest():
    with pytest.raises(UserError, match="unknown discriminator 'miniture'.*did you mean 'miniature'"):
        discriminators.load("miniture", None, seed=0)
    with pytest.raises(UserError, match="known are cotrained, layers, length, miniature, polar, random"):
        discriminators.load("none", None, seed=0)


def test_kinds_that_need_no_checkpoint_load_without_one():
    assert discriminators.load("random", None, seed=3) == Random(3)
    assert discriminators.load("length", None, seed=3) == Length()


def test_a_folder_without_a_checkpoint_is_one_line(tmp_path):
    for kind in ("miniature", "cotrained"):
        with pytest.raises(UserError, match="holds no checkpoint"):
            discriminators.load(kind, tmp_path, seed=0)


def test_a_saved_miniature_scores_as_before(scorer, tmp_path):
    model = copy.deepcopy(scorer.model)
    model.config.response_tokens = 7
    model.save_pretrained(tmp_path)
    world.tokenizer().save_pretrained(tmp_path)
    loaded = discriminators.load("miniature", tmp_path, seed=0)
    cut = pairs.Scorer(scorer.model, miniature.Encoder(world.tokenizer(), 7))
    found, as_cut, whole = (one.score(*world.texts()).tolist() for one in (loaded, cut, scorer))
    # the same weights at another address: a file's rows are not aligned to 64 bytes, and kernels then round otherwise
    assert loaded.sha256() == scorer.sha256()
    assert found == pytest.approx(as_cut, rel=1e-5, abs=1e-6) and found != pytest.approx(whole, rel=1e-2)


def test_only_what_learns_is_a_learner(scorer, policy):
    assert isinstance(Cotrained(policy, 0), Learner)
    assert not any(isinstance(d, Learner) for d in (scorer, Random(0), Length(), polar.Endpoint("http://x", "m")))


def test_settings_of_the_miniature_import_no_torch():
    program = (
        "import sys; from baselines import miniature_discriminator as m; m.Settings; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_checked_scores_are_float32_on_the_cpu():
    given = torch.tensor([1.5, -2.0], dtype=torch.float64)
    for scores in (given, [1.5, -2.0], [1.5, -2], given.numpy(), given.numpy().astype("float32")):
        found = validated_scores(scores, 2)
        assert torch.equal(found, torch.tensor([1.5, -2.0])) and found.dtype == torch.float32


@pytest.mark.parametrize("scores", [torch.tensor([3, -2]), np.array([3, -2]), [3, -2]])
def test_whole_numbers_are_scores_too(scores):
    assert torch.equal(validated_scores(scores, 2), torch.tensor([3.0, -2.0]))


@pytest.mark.parametrize(
    "scores, message",
    [
        (torch.tensor([0.0, float("nan")]), "not finite: nan for response 1 \\(1 of 2\\)"),
        ([float("inf"), 0.0], "not finite: inf for response 0"),
        (torch.tensor([0.0, 1e300], dtype=torch.float64), "not finite: inf for response 1"),
        (torch.zeros(3), r"shape \(3,\) for 2 responses"),
        ([0.0], r"shape \(1,\) for 2 responses"),
        (torch.zeros(2, 1), r"shape \(2, 1\) for 2 responses"),
        (torch.zeros(2, requires_grad=True), "with a gradient"),
        (torch.zeros(2, dtype=torch.bool), "torch.bool, and scores are real numbers"),
        (torch.zeros(2, dtype=torch.complex64), "torch.complex64, and scores are real numbers"),
        ([0.0, None], "no list of numbers"),
        (["a", "b"], "no list of numbers"),
        (None, "a NoneType that is no list of numbers"),
    ],
)
def test_bad_scores_are_refused_in_one_line(scores, message):
    with pytest.raises(ValueError, match=message) as error:
        validated_scores(scores, 2)
    assert "\n" not in str(error.value)


# The shared prefix


def random_rows(seed: int, sizes: tuple[int, ...]) -> list[Row]:
    """Groups of these sizes with prefixes and rests of random lengths, shuffled."""
    draw = random.Random(seed)

    def ids(longest: int) -> tuple[int, ...]:
        return tuple(draw.randrange(100) for _ in range(draw.randint(1, longest)))

    rows = [Row(prefix, ids(20)) for n in sizes for prefix in [ids(30)] for _ in range(n)]
    draw.shuffle(rows)
    return rows


@pytest.mark.parametrize("batch", [1, 3, 7, 128])
@pytest.mark.parametrize("seed, sizes", [(0, (8,)), (1, (1, 2, 5, 8, 1)), (2, (3, 3, 3, 2)), (3, (1,) * 5)])
def test_sharing_the_prefix_changes_no_score(seed, sizes, batch):
    model, rows = reward_model(), random_rows(seed, sizes)
    # the reference: each row alone, unpadded, through the stock model's own pooling
    alone = torch.cat([model(input_ids=torch.tensor([row.prefix + row.rest])).logits[0].detach() for row in rows])
    assert torch.allclose(pairs.score(model, rows, batch=batch), alone, atol=1e-4)
    assert torch.allclose(pairs.score(model, rows, batch=batch, share=False), alone, atol=1e-4)
    assert alone.std() > 0.1


def test_one_shared_pass_takes_groups_of_any_size_in_any_order():
    model, rows = reward_model(), random_rows(6, (4, 1, 7, 2))
    with torch.no_grad():
        assert torch.allclose(pairs.shared_logits(model, rows), pairs.logits(model, rows), atol=1e-4)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_sharing_holds_for_both_attention_implementations(implementation):
    model, rows = reward_model(attn_implementation=implementation), random_rows(4, (2, 6, 3))
    whole = pairs.score(model, rows, batch=128, share=False)
    assert torch.allclose(pairs.score(model, rows, batch=128), whole, atol=1e-4)


def test_a_prefix_is_computed_once_and_no_pass_exceeds_the_batch(monkeypatch):
    model, rows = reward_model(), random_rows(5, (8, 8, 1))
    passes = []
    model.base_model.register_forward_pre_hook(
        lambda _, args, given: passes.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    pairs.score(model, rows, batch=16)
    longest = max(len(row.prefix) for row in rows if sum(r.prefix == row.prefix for r in rows) == 8)
    assert [n for n, _ in passes] == [1, 2, 16]  # the row alone; two prefixes; their rests
    assert passes[1][1] == longest
    passes.clear()
    pairs.score(model, rows, batch=4)
    assert max(n for n, _ in passes) <= 4
    passes.clear()
    pairs.score(model, rows, batch=16, share=False)
    assert [n for n, _ in passes] == [16, 1]


def test_nothing_to_score_is_no_error(scorer, policy):
    for discriminator in (scorer, Cotrained(policy, 0), Random(0), Length()):
        assert validated_scores(discriminator.score([], [], []), 0).shape == (0,)


def test_texts_of_one_group_share_a_prefix_and_scores_ignore_their_neighbours(scorer):
    prompts, references, responses = world.texts(3)
    prompts, references = [p for p in prompts for _ in range(4)], [r for r in references for _ in range(4)]
    responses = [y[i:] for y in responses for i in range(4)]
    rows = scorer.encode(prompts, references, responses)
    assert len({row.prefix for row in rows}) == 3
    together = scorer.score(prompts, references, responses)
    alone = [scorer.score([p], [r], [y]).item() for p, r, y in zip(prompts, references, responses, strict=True)]
    assert together.tolist() == pytest.approx(alone, abs=1e-4)
    order = random.Random(0).sample(range(12), 12)
    shuffled = scorer.score(*([column[i] for i in order] for column in (prompts, references, responses)))
    assert shuffled.tolist() == pytest.approx([alone[i] for i in order], abs=1e-4)
    assert together.std() > 0.1


def test_scores_can_be_constants_of_a_loss(scorer):
    weight = torch.ones(6, requires_grad=True)
    scores = scorer.score(*world.texts())
    (weight * scores).sum().backward()  # inference tensors would raise
    assert torch.equal(weight.grad, scores) and not scores.requires_grad


# The miniature


def test_the_reference_comes_first_and_each_half_repeats_the_prompt():
    row = miniature.layout([1, 2], [3, 4], [5], **MARKS, limit=100)
    assert row == ((1, 2, 90, 3, 4, 91, 1, 2, 90), (5, 92))


def test_a_prompt_that_is_too_long_keeps_its_last_tokens():
    # room = (17 - 4 - 2 - 1) // 2 = 5 tokens of the prompt per half: 2 * 5 + 2 + 1 + 4 marks = 17
    row = miniature.layout(list(range(10)), [30, 31], [40], **MARKS, limit=17)
    assert row == ((5, 6, 7, 8, 9, 90, 30, 31, 91, 5, 6, 7, 8, 9, 90), (40, 92))
    # no room: no prompt, not the whole of it
    assert miniature.layout([1, 2], [3] * 9, [4] * 9, **MARKS, limit=20).prefix == (90, *[3] * 9, 91, 90)


def test_a_repeated_text_has_the_ids_that_it_has_alone(scorer):
    tokenizer, texts = scorer.encode.tokenizer, ["one two", "", "one two", "three"]
    assert text_ids(tokenizer, texts) == [text_ids(tokenizer, [text])[0] for text in texts]


def test_the_mark_that_begins_a_text_is_left_out(scorer):
    tokenizer = copy.deepcopy(scorer.encode.tokenizer)
    mark = tokenizer.pad_token, tokenizer.pad_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{mark[0]} $A", special_tokens=[mark])
    assert tokenizer("one")["input_ids"][0] == mark[1]
    assert text_ids(tokenizer, ["one", "two"]) == text_ids(scorer.encode.tokenizer, ["one", "two"])


def test_a_response_cannot_write_a_mark(scorer):
    marks = scorer.encode.marks
    (row,) = scorer.encode(["Say <|reward|>"], ["Yes.<|end|>"], ["<|reward|>Say<|end|>"])
    assert [row.prefix.count(marks[m]) + row.rest.count(marks[m]) for m in ("separator", "end")] == [1, 1]


def test_reference_and_response_are_not_interchangeable(scorer):
    prompts, references, responses = world.texts()
    assert not torch.allclose(
        scorer.score(prompts, references, responses), scorer.score(prompts, responses, references), atol=1e-3
    )


# Frozen


def test_it_is_frozen(scorer):
    before = scorer.sha256()
    scorer.score(*world.texts())
    assert not scorer.model.training and not any(p.requires_grad for p in scorer.model.parameters())
    assert scorer.sha256() == before


def test_the_digest_sees_one_bit_and_the_name(scorer):
    other = copy.deepcopy(scorer)
    assert other.sha256() == scorer.sha256()
    other.model.score.weight[0, 5].mul_(1 + 1e-6)
    assert other.sha256() != scorer.sha256()


def test_training_ends_in_one_line_where_a_frozen_discriminator_changed(scorer):
    other = copy.deepcopy(scorer)
    callback = Frozen(other)
    callback.on_train_begin(None, None, None)
    callback.on_train_end(None, None, None)
    other.model.score.weight.zero_()
    with pytest.raises(UserError, match="frozen discriminator changed"):
        callback.on_train_end(None, None, None)


def test_what_has_no_parameters_or_learns_is_not_watched(policy):
    learner = Cotrained(policy, 0)
    for discriminator in (Random(0), Length(), learner):
        callback = Frozen(discriminator)
        callback.on_train_begin(None, None, None)
        learner.learn(*world.texts())
        callback.on_train_end(None, None, None)


@pytest.mark.parametrize("rank, device", [(None, "cuda:0"), ("5", "cuda:5")])
def test_each_process_has_its_discriminator_on_its_own_gpu(monkeypatch, rank, device):
    """It is loaded before accelerate chooses a device: by the launcher's number, or all would be on the first."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert str(pairs.fastest_device()) == device
