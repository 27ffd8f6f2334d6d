"""Checkpoints that are not trained here: an arm whose training is a download at a pinned revision.

`python -m uniapl.train.fetch --scale paper --arm base --out FOLDER` writes what stage train writes, so that every later
stage reads a fetched checkpoint like a trained one:

    model/        links to the files of the hub's snapshot; of a policy, tokenizer and generation settings are our own
    history.csv   no steps
    run.json      the run card: configuration, fingerprint, hub id and revision, no cost

A policy's chat template has thinking switched off, and its generation settings keep the end tokens alone, those of
generation_config.json where it has any: a sampling temperature that came with a checkpoint would otherwise be in some
stages' responses and not in others'.
"""

import argparse
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from uniapl.config import Run, arm_of, load_scale, per_scale
from uniapl.config.card import NO_DEVICE, Cost, RunCard
from uniapl.data import hub
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.models import gguf
from uniapl.provenance import checksums, commit, versions
from uniapl.train.state import weights_sha256

LINKED = (".json", ".safetensors", ".txt", ".jinja", ".model")  # no pickle, no code
NO_THINKING = "{%- set enable_thinking = false %}"


METRICS: dict[str, str] = {}
build = None  # nothing is trained


@dataclass(frozen=True, kw_only=True)
class Settings:
    model: str = per_scale("the hub id, whose revision hub.lock.json pins, a folder with a checkpoint, a GGUF file")
    context: int = per_scale("ours: tokens; the longest prompt and response of the scale fit")


def link(snapshot: Path, model: Path, context: int) -> int:
    """Make `model` the checkpoint of `snapshot`; returns its parameters' bytes. Raises UserError where it is none."""
    weights = sorted(snapshot.glob("*.safetensors"))
    if not weights or not (snapshot / "config.json").is_file():
        raise UserError(f"{snapshot}: holds no checkpoint: config.json and *.safetensors are needed; fetch it again")
    model.mkdir(parents=True)
    for path in snapshot.iterdir():
        if path.suffix in LINKED:
            (model / path.name).symlink_to(target(path.resolve(), model))
    architectures = read_json(snapshot / "config.json").get("architectures") or []
    if any(name.endswith("ForCausalLM") for name in architectures):
        _own_settings(snapshot, model, context)
    if architectures == ["InternLM2ForRewardModel"]:
        from uniapl.discriminators import polar

        polar.check(model)
    return sum(path.stat().st_size for path in weights)


def target(path: Path, model: Path) -> Path:
    """Where a link in `model` leads to reach `path`: relative where both move together, else absolute."""
    folder = model.parent.resolve()  # results may be a link to a deeper place
    return Path(os.path.relpath(path, folder / model.name)) if path.is_relative_to(folder) else path


def _own_settings(snapshot: Path, model: Path, context: int) -> None:
    """Replace the links to tokenizer and generation settings by files of our own."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    tokenizer, config = AutoTokenizer.from_pretrained(snapshot), AutoConfig.from_pretrained(snapshot)
    if not tokenizer.chat_template:
        raise UserError(f"{snapshot}: the tokenizer has no chat template: choose an instruction-tuned checkpoint")
    if "enable_thinking" in tokenizer.chat_template:
        tokenizer.chat_template = NO_THINKING + tokenizer.chat_template
    tokenizer.model_max_length = min(context, tokenizer.model_max_length)
    tokenizer.padding_side = "left"
    ends = {name: getattr(config, name, None) for name in ("bos_token_id", "eos_token_id")}
    if (snapshot / "generation_config.json").is_file():  # Qwen3's has a second end token that config.json lacks
        stated = read_json(snapshot / "generation_config.json")
        ends |= {name: stated[name] for name in ends if stated.get(name) is not None}
    generation = GenerationConfig(**ends, pad_token_id=tokenizer.pad_token_id)
    fresh = model.with_name("settings.new")
    tokenizer.save_pretrained(fresh)
    generation.save_pretrained(fresh)
    (model / "chat_template.jinja").unlink(missing_ok=True)
    for path in fresh.iterdir():
        path.replace(model / path.name)  # in the place of the link, not through it
    fresh.rmdir()


def own_checkpoint(model: str, out: Path) -> Path | None:
    """The folder of a checkpoint that needs no hub: a folder, or a GGUF file converted to `out`/source. Else None.

    That of another GGUF file, which the scale named before, is replaced.
    """
    return gguf.convert(model, out / "source", replace=True) if gguf.is_gguf(model) else hub.own_folder(model)


def own_source(model: str, folder: Path) -> dict:
    """What the card keeps of where such a checkpoint is from: of a GGUF file all that was read, its SHA-256 with it."""
    read = {"revision": "file", **gguf.record(folder)} if gguf.is_gguf(model) else {"revision": "folder"}
    return {"id": model, **read}


def fetch(run: Run, out: Path) -> None:
    """Fetch the run's checkpoint; write it and its card to `out`."""
    settings = run.settings
    local, fresh = own_checkpoint(settings.model, out), out / "model.new"
    snapshot = local or hub.folder(settings.model)
    shutil.rmtree(fresh, ignore_errors=True)
    size = link(snapshot, fresh, settings.context)
    shutil.rmtree(out / "model", ignore_errors=True)
    fresh.rename(out / "model")
    (out / "history.csv").write_text("step\n")
    # of the hub's an address: nobody hashes weights that the hub has
    source = own_source(settings.model, local) if local else hub.record(settings.model)
    weights = weights_sha256(out / "model") if local else f"{source['id']}@{source['revision']}"
    card = RunCard.for_run(
        run,
        cost=Cost(),
        heldout={},
        source=source,
        bytes=size,
        weights_sha256=weights,
        versions=versions(),
        device=NO_DEVICE,
        commit=commit(),
    )
    card.write(out / "run.json")
    checksums.record(out / "model", out / "history.csv", out / "run.json")


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--arm", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    fetch(arm_of(load_scale(args.scale), args.arm, 0), args.out)


if __name__ == "__main__":
    main()
