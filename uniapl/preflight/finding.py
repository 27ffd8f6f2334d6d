"""A check's result, and a table of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from uniapl.errors import UserError

COLOURS = {True: "green", False: "red"}


@dataclass(frozen=True)
class Finding:
    """What one check saw. `remedy` says what to do where it did not pass."""

    name: str
    passed: bool
    seen: str
    remedy: str = ""


def checked(name: str, check: Callable[[], Finding]) -> Finding:
    """The check's finding; an error of any kind is a check that did not pass, so that all others still run."""
    try:
        return check()
    except UserError as error:
        return Finding(name, False, str(error), "as the line says")
    except Exception as error:  # of a library on an unknown machine: that is what this is for
        return Finding(name, False, f"{type(error).__name__}: {error}", "see the cause; the check itself may be wrong")


def show(title: str, findings: Iterable[Finding]) -> bool:
    """Print the table; returns whether all passed."""
    from rich.console import Console
    from rich.table import Table

    table, all_passed = Table(title=title, title_justify="left"), True
    for head in ("check", "verdict", "seen", "remedy"):
        table.add_column(head, overflow="fold")
    for found in findings:
        verdict = "pass" if found.passed else "FAIL"
        table.add_row(found.name, f"[{COLOURS[found.passed]}]{verdict}[/]", _plain(found.seen), _plain(found.remedy))
        all_passed &= found.passed
    Console().print(table)
    return all_passed


def _plain(text: str) -> str:
    """Text without line breaks, in which brackets are no markup."""
    from rich.markup import escape

    return escape(" ".join(text.split()))
