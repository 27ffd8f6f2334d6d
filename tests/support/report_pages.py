"""A local set of smoke with a report: its files, the page, and the page's tags and text."""

import hashlib
import html.parser
import json
import struct
import zlib
from pathlib import Path

from uniapl import tables
from uniapl.config import load_scale
from uniapl.config.figures import figures_of
from uniapl.config.runs import Runs
from uniapl.publish.publish import CARD
from uniapl.report import __main__ as stage

PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\1\2\3" * 2)),
        (b"IEND", b""),
    )
)


class Parsed(html.parser.HTMLParser):
    """The tags of a page with their attributes, and its text without style, script and templates."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.inside: list[str] = []
        self.words, self.inline = [], {"style": "", "script": "", "template": ""}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside += [tag] if tag in self.inline else []

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if self.inside:
            self.inline[self.inside[-1]] += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def write_figures(folder: Path, caption: str = "What it shows.") -> Path:
    """The figures that can be drawn of the headline."""
    folder.mkdir(parents=True)
    for name in figures_of(["headline"]):
        (folder / f"{name}.png").write_bytes(PNG)
        (folder / f"{name}.txt").write_text(f"{caption}\n\ndata sha256 0; commit c0ffee\n")
    return folder


def smoke_set(analysis: Path, folder: Path) -> Path:
    """A local set of smoke: the headline's tables, all its run cards but one, no other experiment."""
    root, runs = folder / "local/smoke", Runs(load_scale("smoke"))
    tables.render(analysis.rename(analysis.with_name("headline")), root / "tables/headline")
    for arm, seed in runs.trained("headline"):
        run = runs.run(arm, seed)
        card = dict.fromkeys(CARD, "") | run.describe() | {"start_arm": run.start.arm if run.start else None}
        card |= {"fingerprint": run.fingerprint, "commit": "c0ffee", "device": "cpu", "weights_sha256": "ab" * 32}
        card |= {"cost": {"seconds": 1.25}, "heldout": {}, "versions": {"torch": "2.13.0"}}
        path = root / f"train/{arm}/seed{seed}/run.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(card))
    (root / "train/uniapl/seed0/run.json").unlink()
    return root


def published(local: Path) -> Path:
    """The same set as stage publish would keep it."""
    root = local.parent.parent / "published/smoke"
    root.mkdir(parents=True)
    (local / "tables").rename(root / "tables")
    cards = [json.loads(path.read_text()) for path in sorted(local.glob("train/*/*/run.json"))]
    (root / "runs.jsonl").write_text("".join(json.dumps({k: c[k] for k in CARD}) + "\n" for c in cards))
    files = [path for path in root.rglob("*") if path.is_file()]
    sha256 = {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    manifest = {"scale": "smoke", "commit": "c0ffee", "versions": {"torch": "2.13.0"}, "sha256": sha256}
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


def build(root: Path, figures: Path) -> str:
    """The page as the command line writes it."""
    out = root.parent / "out/report.html"
    stage.main(["--results", str(root), "--figures", str(figures), "--out", str(out)])
    return out.read_text()
