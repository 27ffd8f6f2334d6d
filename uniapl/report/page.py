"""The page: template, style and script become one file that may load nothing."""

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from uniapl.report import records, sections
from uniapl.report.read import ResultSet

HERE = Path(__file__).resolve().parent
LONG_NAME = re.compile(r"\w{30,}")
PIECE = re.compile(r"(\w{15,}?_)(?=\w{8})")
INTERVAL = re.compile(r"(?P<estimate>−?\d[\d.]*)( (?P<interval>\[.*?\]\*?))?(; (?P<seeds>over seeds \[.*?\]))?")


def render(results: ResultSet, figures: Path) -> str:
    """The report as HTML. Raises UserError for a table or a figure that cannot be read."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters = {"cell": cell, "broken": broken, "prose": prose, "minus": minus, "base64": as_base64, "slug": slug}
    environment.filters |= filters
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    overview, of_each = sections.claims(results)
    of_experiments = sections.sections(results, figures, of_each)
    commit = results.manifest.get("commit")
    commits = [commit] if commit else sorted({card["commit"] for card in results.cards})
    return environment.get_template("page.html.jinja").render(
        results=results,
        scale=results.runs.scale,
        style=Markup(style),  # these two files are the package's own
        script=Markup(script),
        policy=policy(style, script),
        overview=overview,
        verdicts=sections.verdicts(overview),
        sentence=sections.sentence(overview),
        methods=sections.methods(results),
        beside=sections.of_set(results, "beside"),
        again=[t for name in ("again", "again_share") if (t := sections.of_set(results, name))],
        general=sections.of_set(results, "general"),
        paper=sections.of_set(results, "paper"),
        ablations=sections.of_set(results, "ablations"),
        sections=of_experiments,
        curves=sections.curves(of_experiments),
        runs=records.runs(results),
        cards=[records.flatten(card) for card in results.cards],
        hours=sum(card["cost"].get("seconds", 0) for card in results.cards) / 3600,
        stale=records.stale(results),
        arms=sections.of_set(results, "arms"),
        settings=sections.of_set(results, "settings"),
        environment=records.environment(results),
        data=records.data(results),
        commits=commits,
        dates=sorted({*map(records.date_of, commits)} - {""}),
    )


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy: images from data URIs, this style, this script, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def minus(text: str) -> str:
    """Negative numbers with a real minus."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text)


def cell(text: str, unit: str = "") -> Markup:
    """A cell's text, escaped; of an estimate the interval in a quieter voice, that over seeds on its own line."""
    match = INTERVAL.fullmatch(minus(text))
    if not match or not (match["interval"] or unit):
        return broken(minus(text))
    parts = [Markup("<b>{}</b>").format(match["estimate"])]
    quiet = {"interval": match["interval"], "unit": unit, "interval seeds": match["seeds"]}
    parts += [Markup('<span class="{}">{}</span>').format(name, part) for name, part in quiet.items() if part]
    return Markup(" ").join(parts)


def broken(text: str) -> Markup:
    """The text, escaped; a name of 30 letters or more may break behind an underscore, in pieces of 16 or more.

    Else a column is as wide as its longest name, and on a phone the first one, which stays in place, hides the others.
    """
    return Markup(LONG_NAME.sub(lambda name: PIECE.sub(r"\1<wbr>", name[0]), str(escape(text))))


def prose(text: str) -> Markup:
    """A sentence of a docstring: what stands in backticks becomes code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def as_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def slug(text: str) -> str:
    """A verdict as the name of a CSS class."""
    return re.sub(r"\W+", "-", text)
