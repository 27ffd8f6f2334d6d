"""The pages of the site, as Markdown: `python -m uniapl.report.site --out site/source`; `make site` builds them.

    index           the README
    claims          per set every claim with its verdict, and an anchor by which it can be linked and cited
    leaderboard     per set that has headline its arms with interval, seeds, cost, and a rank where intervals allow one
    experiments     per set and experiment question, expectation, tables with their CSV, figures as files
    the rest        docs/, the lab book, the changelog

A link to a file that is on the site leads to it; one to any other file of the checkout stays as its text. Nothing is
loaded from elsewhere.
"""

import argparse
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from uniapl.config.repository import repository_of
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import ROOT
from uniapl.publish import compare
from uniapl.report import sections
from uniapl.report.read import ResultSet, read
from uniapl.tables import markdown
from uniapl.tables.captions import TAGS

LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
CODE = re.compile(r"^(```[\s\S]*?^```$|(?:    .*\n?)+)", re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\|\n){2,}", re.MULTILINE)
PAGES = {"README.md": "index.md", "results/LOG.md": "lab_book.md", "CHANGELOG.md": "changelog.md"}
LEADERBOARD = "headline"  # whose arms it holds against each other
BENCHMARK = "trained"


@dataclass
class Site:
    """Pages by their path on the site, and files that are copied there: path -> source."""

    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def write(self, out: Path) -> None:
        """Everything, into a folder that is made anew."""
        shutil.rmtree(out, ignore_errors=True)
        for name, text in self.pages.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
        for name, source in self.files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, out / name)


def documents(root: Path) -> dict[str, str]:
    """File of the checkout -> page of the site, of everything that is written by hand."""
    return PAGES | {str(path.relative_to(root)): path.name for path in sorted((root / "docs").glob("*.md"))}


def relinked(text: str, source: str, page: str, pages: dict[str, str], files: dict[str, Path], root: Path) -> str:
    """A page's text with its links as the site needs them; an image is copied (into `files`)."""

    def link(found: re.Match) -> str:
        image, words, target = found.groups()
        if re.match(r"https?:|mailto:|#", target):
            return found[0]
        path, _, anchor = target.partition("#")
        inside = os.path.normpath(os.path.join(os.path.dirname(source), path))
        if inside in pages:
            place = os.path.relpath(pages[inside], os.path.dirname(page) or ".")
            return f"[{words}]({place}{'#' + anchor if anchor else ''})"
        if image and (root / inside).is_file():
            files[f"images/{os.path.basename(inside)}"] = root / inside
            return f"![{words}]({os.path.relpath('images/' + os.path.basename(inside), os.path.dirname(page) or '.')})"
        return words

    parts = CODE.split(text)  # what lies in code is no link
    return "".join(part if number % 2 else LINK.sub(link, part) for number, part in enumerate(parts))


def framed(text: str) -> str:
    """The text with each table in a frame that scrolls by keyboard, outside code."""
    counted = iter(range(1, 10_000))

    def frame(found: re.Match) -> str:
        label = f"table {next(counted)} of this page"
        return f'<div class="frame" tabindex="0" role="region" aria-label="{label}" markdown>\n\n{found[0]}\n</div>\n'

    parts = CODE.split(text)
    return "".join(part if number % 2 else TABLE.sub(frame, part) for number, part in enumerate(parts))


def claims_page(results: ResultSet, of_claims: dict[str, sections.Table], curves: str | None) -> str:
    """Every claim of a set under a heading of its own; `curves` is the experiment on whose page GRPO's curve is."""
    id_ = results.manifest["id"]
    lines = [
        f"# Claims of {results.runs.scale.name}",
        "",
        TAGS,
        "",
        f"Set `{id_}`. Cite a claim by its set and name: UniAPL-repro, set `{id_}`, claim `headline-1`.",
        "",
    ]
    for experiment, table in of_claims.items():
        lines += [f"## {experiment}", "", f"[Tables and figures]({experiment}.md)", ""]
        for row, mark in zip(table.view.rows, table.marks, strict=True):
            told = dict(zip(table.view.head, row, strict=True))
            unit = f" {mark.unit}" if mark.unit else ""
            lines += [
                f"### {row[0]} {{ #{row[0]} }}",
                "",
                f"**{mark.verdict}**: {told['what it says']}",
                "",
                f"- measured: {told['what is measured']}: {told['found']}{unit}",
                f"- p after Holm's adjustment: {told['p (Holm)'] or 'none'}; seeds: {told['seeds']}",
                *([f"- {mark.reason}"] if mark.reason else []),
                *([f"- [GRPO's training curve]({curves}.md#figure-curves)"] if mark.by_grpo and curves else []),
                "",
            ]
    return "\n".join(lines)


def experiment_page(section: sections.Section, site: Site, folder: str, root: Path, figures: Path) -> str:
    """One experiment: question, tables with their CSV, figures."""
    lines = [f"# {section.name}", "", section.question, "", f"**Expectation.** {section.expectation}", ""]
    lines += [line for note in section.notes for line in (note, "")]
    for table in section.tables:
        name = table.id.removeprefix(f"{section.name}-")
        lines += [f"## {table.title} {{ #{name} }}", "", markdown(table.view), ""]
        source = root / "tables" / section.name / f"{name}.csv"
        if source.is_file():
            site.files[f"{folder}/tables/{section.name}-{name}.csv"] = source
            lines += [f"[all rows and columns (.csv)](tables/{section.name}-{name}.csv)", ""]
    for picture in section.pictures:
        site.files[f"{folder}/figures/{picture.name}.png"] = figures / f"{picture.name}.png"
        pdf = figures / f"{picture.name}.pdf"
        lines += [f"## Figure {picture.name} {{ #figure-{picture.name} }}", ""]
        alt = picture.caption.replace('"', "'").replace("[", "(").replace("]", ")")
        lines += [f"![{alt}](figures/{picture.name}.png)", "", picture.caption, ""]
        if pdf.is_file():
            site.files[f"{folder}/figures/{picture.name}.pdf"] = pdf
            lines += [f"[as PDF](figures/{picture.name}.pdf)", ""]
    if section.missing:
        lines += [f"Missing: {'; '.join(section.missing)}.", ""]
    return "\n".join(lines)


def leaderboard_page(folders: Sequence[Path]) -> str:
    """The arms of one experiment in each set that has it, ranked where intervals allow it."""
    lines = [
        "# Leaderboard",
        "",
        "A row of your own: [how](submit.md). `uniapl compare` makes this table of any sets.",
        "",
    ]
    for folder in (folder for folder in folders if (folder / "analyse" / LEADERBOARD).is_dir()):
        one = compare.read(folder)
        claims = pd.read_csv(folder / "analyse" / LEADERBOARD / "main.csv")
        whole, compared = compare.pairs([one], list(dict.fromkeys(claims.arm)), BENCHMARK)
        board = compare.text_of(compare.leaderboard([one], whole, compared))
        view = compare.view_leaderboard(board, len(compared))
        lines += [f"## {one.manifest['scale']} {{ #{one.manifest['scale']} }}", "", markdown(view), ""]
    return "\n".join(lines)


def set_pages(folder: Path, figures: Path, site: Site) -> list[tuple[str, str]]:
    """The pages of one published set, added to the site; (title, page) of each."""
    results = read(folder)
    scale, place = results.runs.scale.name, f"sets/{results.runs.scale.name}"
    _, of_claims = sections.claims(results)
    of_experiments = sections.sections(results, figures, of_claims)
    told = [(f"Claims of {scale}", f"{place}/claims.md")]
    site.pages[told[0][1]] = claims_page(results, of_claims, sections.curves(of_experiments))
    for section in of_experiments:
        if section.tables:
            page = f"{place}/{section.name}.md"
            site.pages[page] = experiment_page(section, site, place, folder, figures)
            told.append((section.name, page))
    return told


def navigation(site: Site, sets: dict[str, list[tuple[str, str]]]) -> Iterator[str]:
    """The lines of `nav` in MkDocs' configuration."""
    first = [
        "index.md",
        "leaderboard.md",
        "method.md",
        "statistics.md",
        "evidence.md",
        "reliability.md",
        "extending.md",
    ]
    first += ["submit.md", "paper_scale.md", "lab_book.md"]
    yield "nav:"
    yield "  - index.md"
    yield "  - leaderboard.md"
    for scale, pages in sets.items():
        yield f"  - Results of {scale}:"
        yield from (f"      - {title!r}: {page}" for title, page in pages)
    yield from (f"  - {page}" for page in first[2:] if page in site.pages)
    rest = [page for page in site.pages if "/" not in page and page not in first]
    yield "  - More:"
    yield from (f"      - {page}" for page in rest)


def build(root: Path, figures: Path) -> tuple[Site, list[str]]:
    """The site of a checkout, and its navigation. Raises UserError where no set is published."""
    site, names = Site(), documents(root)
    folders = [path.parent for path in sorted((root / "results/published").glob("*/manifest.json"))]
    if not folders:
        raise UserError(f"{root}/results/published: no set with a manifest.json: there is nothing to show")
    pages = names | {}
    for source, page in names.items():
        text = (root / source).read_text(encoding="utf-8")
        site.pages[page] = relinked(text, source, page, pages, site.files, root)
    site.pages["leaderboard.md"] = leaderboard_page(folders)
    sets = {}
    for folder in folders:
        with repository_of(folder):
            sets[folder.name] = set_pages(folder, figures / folder.name, site)
    site.pages = {name: framed(text) for name, text in site.pages.items()}
    return site, list(navigation(site, sets))


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pages, which is made anew")
    parser.add_argument("--figures", type=Path, default=Path("figures/out/published"), help="a folder for each set")
    args = parser.parse_args(argv)
    site, nav = build(ROOT, args.figures)
    site.write(args.out)
    configuration = (ROOT / "docs/site/mkdocs.yml").read_text(encoding="utf-8")
    shutil.copy(ROOT / "docs/site/site.css", args.out)
    args.out.with_name("mkdocs.yml").write_text("\n".join([configuration, *nav, ""]), encoding="utf-8")
    shown = sum(name.endswith(".png") and "/figures/" in name for name in site.files)
    print(f"{args.out}: {len(site.pages)} pages, {shown} figures, {len(site.files)} files beside them")


if __name__ == "__main__":
    main()
