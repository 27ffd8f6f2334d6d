"""What changed upstream, by id: on tiny checkouts of two commits."""

import subprocess

import pytest

from benchmarks import upstream

REGISTRY = """
from pack import instructions
_COUNT = "count:"
_COPY = "copy:"
INSTRUCTION_DICT = {
    _COUNT + "words": instructions.Words,
    "count:" + "signs": instructions.Signs,
    _COPY + "copy": instructions.Copy,
}
"""
UTIL = '''
LIMIT = 3

def split(text):
    """Cut."""
    return text.split()

def count(text):
    return len(split(text))

def unused(text):
    return 0
'''
INSTRUCTIONS = '''
from pack import util

class Base:
    def describe(self):
        return "none"

class Words(Base):
    """Counts words."""
    def check_following(self, value: str) -> bool:
        return util.count(value) >= util.LIMIT

class Signs(Base):
    def check_following(self, value):
        return len(value) > 2

class Copy:
    def check_following(self, value):
        return value == "a"
'''
FILES = ["pack/util.py", "pack/instructions.py", "pack/registry.py"]


def git(folder, *arguments):
    line = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A function that commits the three files and gives the commit; `iftrain` is pinned at the first."""
    git(tmp_path, "init", "-q")
    monkeypatch.setitem(upstream.FILES, "iftrain", FILES)

    def commit(util=UTIL, instructions=INSTRUCTIONS, registry=REGISTRY):
        (tmp_path / "pack").mkdir(exist_ok=True)
        for file, text in zip(FILES, (util, instructions, registry), strict=True):
            (tmp_path / file).write_text(text)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "a")
        return git(tmp_path, "rev-parse", "HEAD")

    commit.folder = tmp_path
    return commit


def changed(checkout, since):
    modules = [upstream.read_revision(checkout.folder, revision, FILES) for revision in (since, "HEAD")]
    return upstream.changes(*modules)


def test_nothing_changed_where_only_docstrings_comments_annotations_and_unused_code_did(checkout):
    first = checkout()
    checkout(
        util=UTIL.replace('"""Cut."""', '"""Cut at blanks."""  # so').replace("return 0", "return 1"),
        instructions=INSTRUCTIONS.replace(": str) -> bool", ")").replace('    """Counts words."""\n', ""),
    )
    assert changed(checkout, first) == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("instructions", "> 2", "> 3", {"count:signs": ["Signs.check_following"]}),
        ("util", "text.split()", "text.split(' ')", {"count:words": ["split"]}),  # through count
        ("util", "LIMIT = 3", "LIMIT = 4", {"count:words": ["LIMIT"]}),
        ("instructions", '"none"', '"some"', dict.fromkeys(("count:words", "count:signs"), ["Base.describe"])),
        (
            "registry",
            "instructions.Signs",
            "instructions.Copy",
            {
                "count:signs": [
                    "Signs",
                    "Signs.check_following",
                    "Base",
                    "Base.describe",
                    "Copy",
                    "Copy.check_following",
                ]
            },
        ),
        ("registry", '_COPY + "copy"', '_COPY + "again"', {"copy:copy": ["gone"], "copy:again": ["new"]}),
    ],
)
def test_each_id_whose_code_changed_is_named_with_what_changed(checkout, file, old, new, expected):
    first = checkout()
    texts = {"util": UTIL, "instructions": INSTRUCTIONS, "registry": REGISTRY}
    assert texts[file].count(old) == 1
    checkout(**{file: texts[file].replace(old, new)})
    assert {name: set(parts) for name, parts in changed(checkout, first).items()} == {
        name: set(parts) for name, parts in expected.items()
    }


def test_the_command_prints_a_line_for_each_and_exits_with_1_where_anything_changed(checkout, capsys):
    first = checkout()
    line = ["--family", "iftrain", "--checkout", str(checkout.folder), "--since", first]
    upstream.main(line)
    assert capsys.readouterr().out == f"iftrain: allenai/open-instruct, {first} to {first}: 0 of the ids changed\n"
    second = checkout(instructions=INSTRUCTIONS.replace("> 2", "> 3"))
    with pytest.raises(SystemExit) as stopped:
        upstream.main(line)
    assert stopped.value.code == 1
    head, body = capsys.readouterr().out.splitlines()
    assert head == f"iftrain: allenai/open-instruct, {first} to {second}: 1 of the ids changed"
    assert body.split() == ["count:signs", "Signs.check_following"]


@pytest.mark.parametrize(
    ("registry", "problem"),
    [
        ("", "registry.py: has no dictionary INSTRUCTION_DICT"),
        ("INSTRUCTION_DICT = {3: a}", "an id of INSTRUCTION_DICT is no text"),
        ("def", "pack/registry.py:1: not Python"),
    ],
)
def test_a_checkout_of_another_form_is_one_line(checkout, capsys, registry, problem):
    checkout(registry=registry)
    with pytest.raises(SystemExit) as stopped:
        upstream.main(["--family", "iftrain", "--checkout", str(checkout.folder), "--since", "HEAD"])
    assert stopped.value.code == 2 and problem in capsys.readouterr().err


def test_a_checkout_without_the_pinned_revision_is_one_line(checkout, capsys):
    checkout()
    with pytest.raises(SystemExit) as stopped:
        upstream.main(["--family", "iftrain", "--checkout", str(checkout.folder)])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and "is it a whole clone of the family's repository?" in error
    assert error.count("\n") == 1


def test_every_family_has_its_files():
    assert upstream.FILES.keys() == upstream.BY_NAME.keys()
