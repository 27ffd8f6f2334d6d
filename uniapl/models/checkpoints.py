"""Checkpoints: whether a folder holds one as it was written, its policy and its tokenizer; a prompt as a chat."""

from pathlib import Path

from uniapl.errors import UserError
from uniapl.provenance import checksums

TAKEN = "taken.json"  # in the place of weights that were not published (uniapl/publish/take.py)


def checkpoint(folder: Path) -> Path:
    """The folder, once it holds a checkpoint. Raises UserError, for a file that is not as it was written too."""
    if (folder / TAKEN).exists():
        raise UserError(
            f"{folder}: holds no weights: its training was taken from a published set (uniapl take); to train it here, "
            f"remove {folder.parent}"
        )
    if not (folder / "config.json").exists():
        raise UserError(f"{folder} holds no checkpoint: no config.json; finish the run that writes it first")
    checksums.check(folder)
    return folder


def load_policy(folder: Path):
    """The causal language model of a checkpoint, float32. Raises UserError where the folder holds none."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(checkpoint(folder), dtype=torch.float32)


def load_tokenizer(folder: Path):
    """The tokenizer of a checkpoint, with its chat template."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkpoint(folder))


def share(folder: Path) -> None:
    """Give a new checkpoint's weights the mode of the folder, which may be read by whom the umask says.

    safetensors 0.8.0 writes them for their owner alone, whatever the umask (its issue 782): a server of another user
    could not load them.
    """
    for path in folder.glob("*.safetensors"):
        path.chmod(folder.stat().st_mode & 0o666)


def messages(prompt: str) -> list[dict]:
    """A prompt as the chat that every policy sees."""
    return [{"role": "user", "content": prompt}]
