"""One setting for a model, whatever it is: a GGUF file, a folder with a checkpoint, an id of hub.lock.json."""

from pathlib import Path

from uniapl.data import hub
from uniapl.errors import UserError
from uniapl.models import gguf
from uniapl.provenance import sha256_of


def checkpoint_folder(model: str, converted: Path) -> Path:
    """The folder of the model's checkpoint. Raises UserError like `gguf.convert` and `hub.folder`.

    `model`: `package:NAME/FILE.gguf` or the path of a GGUF file, which is converted to `converted` once; a folder, as
    it is; or a hub id, at its pinned revision.
    """
    if gguf.is_gguf(model):
        return gguf.convert(model, converted)
    folder = Path(model)
    if folder.is_absolute() or folder.is_dir():
        if not (folder / "config.json").is_file():
            raise UserError(f"{folder}: holds no checkpoint: no config.json")
        return folder
    return hub.folder(model)


def source_of(model: str, folder: Path) -> dict:
    """What a run card keeps of the model: of a GGUF file its source.json, of a hub id its revision, of a folder the
    SHA-256 of its weights. Raises UserError."""
    if (folder / gguf.SOURCE).is_file():
        return gguf.record(folder)
    if model in hub.lock():
        return hub.record(model)
    return {"folder": folder.name, "sha256": [sha256_of(path) for path in sorted(folder.glob("*.safetensors"))]}
