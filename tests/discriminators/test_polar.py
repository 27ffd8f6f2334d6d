"""POLAR: its layout, truncation and weights, on a miniature checkpoint of its architecture."""

import json

import pytest
import torch
from safetensors.torch import save_file
from support.polar_world import (
    BOS,
    SCORED,
    SEP,
    SHAPE,
    TRIPLES,
    characters,
    ids,
    internlm2,
    internlm2_weights,
    polar_tokens,
    with_marks,
)

from uniapl import discriminators
from uniapl.discriminators import polar
from uniapl.errors import UserError


@pytest.fixture
def checkpoint(tmp_path):
    """A POLAR of a few thousand parameters."""
    save_file(internlm2_weights(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(SHAPE))
    polar_tokens().tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_polar_scores_equal_an_independent_implementation_of_internlm2(checkpoint):
    scores = discriminators.load("polar", checkpoint, seed=0).score(*TRIPLES)
    tokenizer = polar_tokens().tokenizer
    expected = [
        internlm2(internlm2_weights(), [BOS, *tokenizer.encode(f"{p}\n{r}<|reward|>{p}\n{y}[UNUSED_TOKEN_130]").ids])
        for p, r, y in zip(*TRIPLES, strict=True)
    ]
    assert scores.tolist() == pytest.approx(expected, abs=1e-5)
    assert scores.std() > 0.05 and scores.dtype == torch.float32


def test_polar_in_shards_is_the_same_polar(checkpoint):
    whole = polar.load(checkpoint)
    tensors = list(internlm2_weights().items())
    (checkpoint / "model.safetensors").unlink()
    save_file(dict(tensors[:7]), checkpoint / "model-00001-of-00002.safetensors")
    save_file(dict(tensors[7:]), checkpoint / "model-00002-of-00002.safetensors")
    assert polar.load(checkpoint).sha256() == whole.sha256()


def test_the_layout_of_polar():
    (row,) = polar.encoder(polar_tokens(), 100)(["ab"], ["c"], ["de"])
    assert row.prefix == (BOS, *ids("ab\nc"), SEP, *ids("ab\n"))
    assert row.rest == (*ids("de"), SCORED)


def test_the_newline_before_an_empty_response_stays_as_in_polars_client():
    (row,) = polar.encoder(polar_tokens(), 100)(["ab"], ["c"], [""])
    assert row.prefix + row.rest == (BOS, *ids("ab\nc"), SEP, *ids("ab\n"), SCORED)


def test_a_merge_across_the_border_moves_the_prefix_and_changes_no_id():
    tokens = polar_tokens()
    rows = polar.encoder(tokens, 100)(["ab"] * 2, ["c"] * 2, ["zz", "d"])
    assert rows[0].prefix == (BOS, *ids("ab\nc"), SEP, *ids("ab")) and rows[0].rest == (60, *ids("z"), SCORED)
    assert rows[1].prefix == (BOS, *ids("ab\nc"), SEP, *ids("ab\n"))
    for row, response in zip(rows, ("zz", "d"), strict=True):
        whole = tokens.tokenizer.encode(polar.layout("ab", "c", response)).ids
        assert (*row.prefix, *row.rest) == (BOS, *whole)


def test_a_long_response_keeps_its_head_and_so_does_a_long_reference():
    # 4 tokens with <s>: three characters
    (row,) = polar.encoder(polar_tokens(max_response=4), 100)(["ab"], ["cdefg"], ["hijkl"])
    assert row.prefix == (BOS, *ids("ab\ncde"), SEP, *ids("ab\n")) and row.rest == (*ids("hij"), SCORED)


def test_a_long_prompt_keeps_its_tail_in_both_halves():
    # (18 - 4 - (1 + 2) - (1 + 3)) // 2 = 3 of the prompt's 1 + 5 tokens
    tokens = polar_tokens(max_length=18)
    assert polar.fit("abcde", "fg", "hij", tokens) == ("cde", "fg", "hij")
    # a response of one token less: (18 - 4 - 3 - 3) // 2 = 4
    assert polar.fit("abcde", "fg", "hi", tokens) == ("bcde", "fg", "hi")
    # room for 6 = 1 + 5: nothing is cut, and <s> is no text
    assert polar.fit("abcde", "fg", "hij", polar_tokens(max_length=23)) == ("abcde", "fg", "hij")
    assert polar.fit("abcde", "fg", "hij", polar_tokens(max_length=11)) == ("", "fg", "hij")


def test_rows_whose_prompt_is_cut_differently_share_no_prefix_and_score_right(checkpoint):
    loaded = polar.load(checkpoint)
    loaded.encode = polar.encoder(polar_tokens(max_length=18), 200)
    columns = (["abcde"] * 4, ["fg"] * 4, ["hij", "hi", "hik", ""])
    rows = loaded.encode(*columns)
    assert len({row.prefix for row in rows}) == 3
    expected = [internlm2(internlm2_weights(), [*row.prefix, *row.rest]) for row in rows]
    assert loaded.score(*columns).tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "response, scored",
    [
        ("<think>abc</think>\n\nde", "de"),
        ("<think>a</think>b<think>c</think> d", "b<think>c</think> d"),
        ("a <think>b</think> c", "a <think>b</think> c"),  # an answer about the tags
        ("a\n</think>\n\nde", "de"),  # the chat template opened the section
        ("de", "de"),
        ("<think>de", "<think>de"),
        ("de</think>f", "de</think>f"),
    ],
)
def test_thinking_is_cut_from_the_response(response, scored):
    (row,) = polar.encoder(polar_tokens(), 100)(["a"], ["c"], [response])
    assert row.rest == (*ids(scored), SCORED)


def test_no_text_can_bring_a_mark_of_its_own():
    (row,) = polar.encoder(polar_tokens(), 100)(["a<s>"], ["c<|reward|>d"], ["e[UNUSED_TOKEN_130]f"])
    assert row.prefix + row.rest == (BOS, *ids("a\ncd"), SEP, *ids("a\nef"), SCORED)


def test_inputs_beyond_the_trained_positions_are_refused_in_one_line(checkpoint):
    # 2 x 96 + 2 marks + 2 newlines + <s> + 3 texts' tokens: 200 fit, 201 do not
    loaded = polar.load(checkpoint)
    loaded.score(["a" * 96], ["b"], ["cd"])
    with pytest.raises(UserError, match="201 tokens.*max_position_embeddings = 200"):
        loaded.score(["a" * 96], ["b"], ["cde"])


def test_a_tokenizer_whose_marks_are_one_token_is_refused_in_one_line(checkpoint):
    # as in older InternLM2 reward tokenizers: <|reward|> was given the id of an unused token of the vocabulary
    tokenizer = with_marks(characters(), {"<s>": BOS, polar.SEPARATOR: SCORED}, {polar.SCORED: SCORED})
    tokenizer.save(str(checkpoint / "tokenizer.json"))
    with pytest.raises(UserError, match="must be two special tokens with ids of their own") as error:
        polar.load(checkpoint)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", ["<s>", polar.SEPARATOR, polar.SCORED])
def test_a_tokenizer_without_a_mark_is_refused_in_one_line(checkpoint, missing):
    marks = {"<s>": BOS, polar.SEPARATOR: SEP, polar.SCORED: SCORED}
    del marks[missing]
    with_marks(characters(), marks).save(str(checkpoint / "tokenizer.json"))
    if missing == "<s>":
        (checkpoint / "config.json").write_text(json.dumps({**SHAPE, "bos_token_id": None}))
    with pytest.raises(UserError, match="knows no ") as error:
        polar.load(checkpoint)
    assert "\n" not in str(error.value)


def test_what_is_no_polar_is_refused_in_one_line(checkpoint, tmp_path):
    config = checkpoint / "config.json"
    for change, message in (
        ({"architectures": ["InternLM2ForCausalLM"]}, "not \\['InternLM2ForRewardModel'\\]"),
        ({"bias": True}, "biases"),
        ({"num_hidden_layers": 3}, "missing_keys: .*\\(9\\)"),
        ({"vocab_size": 65}, "mismatched_keys"),
        ({"num_key_value_heads": 1}, "inconsistent"),
    ):
        config.write_text(json.dumps({**SHAPE, **change}))
        with pytest.raises(UserError, match=message) as error:
            polar.load(checkpoint)
        assert "\n" not in str(error.value)
    config.write_text(json.dumps({k: v for k, v in SHAPE.items() if k != "rope_theta"}))
    with pytest.raises(UserError, match="rope_theta"):
        polar.load(checkpoint)
    (checkpoint / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="no tokenizer.json"):
        polar.load(checkpoint)
