"""Weights that are published as pickles, rewritten once as safetensors.

A pickle can run code when it is read. `torch.load(weights_only=True)` builds tensors and plain containers and refuses
everything else, so nothing of the publisher's runs here.
"""

import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from uniapl.errors import UserError
from uniapl.models.checkpoints import share


def write_safetensors(source: Path, target: Path) -> None:
    """The tensors of a pickled state dict as safetensors. Raises UserError where it holds anything but tensors."""
    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise UserError(f"{source}: holds more than tensors, or is damaged: {str(error).splitlines()[0]}") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"{source}: must be a dictionary of tensors")
    save_file({name: value.contiguous().clone() for name, value in state.items()}, target, {"format": "pt"})


def as_safetensors(entry, download: Callable[[], Path]) -> Path:
    """`<HF_HOME>/uniapl/<org>/<name>/<revision>`: the entry's files with its pickles as safetensors.

    `download` gives the folder with the published files; it is called where this one is not complete yet. A repository
    that has safetensors by now is used as it is. Raises UserError for a pickle that holds no tensors and a full disk.
    """
    from huggingface_hub import constants

    from uniapl.data.hub import full_disk

    target = Path(constants.HF_HOME) / "uniapl" / entry.id / str(entry.revision)
    if target.is_dir():
        return target
    source = download()
    if any(source.glob("*.safetensors")):
        return source
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            part = Path(temporary) / "part"
            part.mkdir()
            for path in sorted(path for path in source.iterdir() if path.is_file()):
                if any(fnmatch(path.name, pattern) for pattern in entry.pickles):
                    print(f"{entry.id}: {path.name} as safetensors", flush=True)
                    write_safetensors(path, part / f"{path.stem}.safetensors")
                elif not path.name.endswith(".bin.index.json"):  # names the pickles
                    shutil.copy(path, part / path.name)
            share(part)
            os.replace(part, target)
    except OSError as error:
        if target.is_dir():  # another process was faster
            return target
        raise UserError(full_disk(entry.id, error, target)) from error
    return target
