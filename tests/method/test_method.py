"""docs/method.md maps every equation to its function and test: complete in both directions."""

import ast
import re
from pathlib import Path

from support.places import ROOT

from experiments.scales import SCALES
from uniapl.config.metrics import SHARED

TEXT = (ROOT / "docs" / "method.md").read_text()
MAP = TEXT.split("<!-- map")[1].split("<!-- end of map -->")[0]
ROWS = [line.split("|")[1:4] for line in MAP.splitlines() if line.startswith("| ")][1:]


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_function_of_the_objective_is_in_the_map_and_nothing_else():
    named = set(re.findall(r"`objective\.(\w+)`", MAP))
    assert named == functions(ROOT / "uniapl/method/objective.py")


def test_every_equation_has_a_function_and_a_test_that_exists():
    tests = set().union(*(functions(path) for path in (ROOT / "tests").rglob("test_*.py")))
    for equation, function, test in ROWS:
        assert "`" in function, equation
        named = re.findall(r"`(\w+)`", test)
        assert named and set(named) <= tests, (equation, set(named) - tests)


def test_the_table_of_what_a_training_logs_has_every_declared_metric_and_no_other():
    own = [metrics for scale in SCALES for method in scale.settings if (metrics := getattr(method, "METRICS", {}))]
    declared = {**SHARED, **{name: meaning for metrics in own for name, meaning in metrics.items()}}
    section = TEXT.split("## What a training logs")[1].split("\n## ")[0].replace(r"\|", "¦")
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in section.splitlines() if line.startswith("| `")]
    assert {name.strip("`"): meaning.replace("¦", "|") for name, meaning in rows} == declared
    assert len(rows) == len(declared)


def test_the_document_of_the_methods_is_in_alphabetical_order_and_names_tests_that_exist():
    text = (ROOT / "docs" / "methods.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == sorted(headings, key=str.casefold)
    tests = set().union(*(functions(path) for path in (ROOT / "tests").rglob("test_*.py")))
    assert set(re.findall(r"`(test_\w+)`", text)) <= tests
