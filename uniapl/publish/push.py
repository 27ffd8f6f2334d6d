"""A training's checkpoint as others publish them: `uniapl push RUN --to FOLDER`, or `--to hub:OWNER/NAME`.

RUN is a folder such as results/local/tiny/train/uniapl/seed0. What is pushed: the files of its model/, run.json,
history.csv, and README.md, the model card (uniapl/publish/model_card.py). Without --yes nothing is written or sent: the
card and the list of files are printed. For the hub log in first (`hf auth login`): no option takes a token, and a file
that holds one is refused.
"""

import argparse
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from uniapl.config import load_scale
from uniapl.config.card import read_card
from uniapl.errors import UserError, one_line_errors
from uniapl.models.checkpoints import checkpoint
from uniapl.provenance import checksums
from uniapl.publish.model_card import model_card

HUB = "hub:"
TOKEN = re.compile(rb"\bhf_[A-Za-z0-9]{30,}\b|\bsk-[A-Za-z0-9_-]{30,}\b")
TEXTS = (".json", ".jinja", ".md", ".csv", ".txt")


def gather(run: Path, licence: str | None, folder: Path) -> list[Path]:
    """Put everything of a finished training into `folder`. Raises UserError for one that is unfinished or damaged."""
    card = read_card(run / "run.json")
    checksums.check(run / "run.json", run / "history.csv", checkpoint(run / "model"))
    root = run.parent.parent.parent
    scale = load_scale(root.name)
    for path in sorted((run / "model").iterdir()):
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, folder)
    for name in ("run.json", "history.csv"):
        shutil.copy(run / name, folder)
    (folder / "README.md").write_text(model_card(card, root, scale.kind, licence=licence), encoding="utf-8")
    files = sorted(folder.iterdir())
    for path in files:
        if path.suffix in TEXTS and TOKEN.search(path.read_bytes()):
            raise UserError(f"{run}: {path.name} holds what looks like a token: remove it before anything is pushed")
    return files


def send(folder: Path, to: str) -> str:
    """Copy the folder to another one that is new or empty, or upload it to a hub repository; where it is now."""
    if not to.startswith(HUB):
        target = Path(to)
        if target.is_dir() and any(target.iterdir()):
            raise UserError(f"{target}: is not empty: name a new folder")
        shutil.copytree(folder, target, dirs_exist_ok=True)
        return str(target)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi()
    try:
        api.create_repo(to.removeprefix(HUB), private=True, exist_ok=True)
        api.upload_folder(repo_id=to.removeprefix(HUB), folder_path=str(folder), commit_message="From UniAPL-repro")
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(f"{to}: {type(error).__name__}: {first}; log in with `hf auth login` and try again") from error
    return f"{to}, private until you change that"


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="results/local/<scale>/train/<arm>/seed<n>")
    parser.add_argument("--to", required=True, help="a folder, or hub:OWNER/NAME")
    parser.add_argument("--licence", help="of the weights, where it is not recorded")
    parser.add_argument("--yes", action="store_true", help="do it, in the place of saying what would be done")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        files = gather(args.run.resolve(), args.licence, Path(temporary))
        listed = "\n".join(f"{path.stat().st_size:>12,} {path.name}" for path in files)
        if args.yes:
            print(f"{listed}\npushed to {send(Path(temporary), args.to)}")
            return
        card = (Path(temporary) / "README.md").read_text(encoding="utf-8")
        print(f"{card}\n{listed}\nnothing was written or sent: --yes pushes these files to {args.to}")


if __name__ == "__main__":
    main()
