"""The rooms of uniapl/, bottom to top: whoever imports, imports from a room below."""

import ast

from support.places import ROOT
from support.side_by_side import FIRST, WHOLE

ROOMS = "checkers stats config analyse tables models data discriminators method "
ROOMS += "scorers publish report costs train generate dag preflight"
DOORS = {"uniapl/__init__.py", "uniapl/__main__.py", "uniapl/score.py"}  # they open on every room
PLACE = {room: place for place, room in enumerate(ROOMS.split(), start=1)}  # errors, jsonl, locks, provenance: 0


def place(module: str) -> int:
    return PLACE.get((module.split(".") + [""])[1], 0)


def imports_upward(name: str, source: str) -> list[str]:
    """`file:line imports module` of each import from a room above, or from outside uniapl/ in this checkout."""
    own, found = place(name.removesuffix(".py").replace("/", ".")), []
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        outside = [
            m for m in modules if m.split(".")[0] in ("baselines", "experiments", "figures", "benchmarks", "tests")
        ]
        above = [m for m in modules if m.startswith("uniapl.") and place(m) > own]
        found += [f"{name}:{node.lineno} imports {module}" for module in outside + above]
    return found


def test_no_room_imports_from_one_above_it():
    files = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.glob("uniapl/**/*.py"))}
    assert not [line for name, text in files.items() if name not in DOORS for line in imports_upward(name, text)]


def test_no_package_hides_a_module_of_its_own_behind_another_thing_of_its_name():
    for init in ROOT.glob("uniapl/*/**/__init__.py"):
        package = ".".join(init.relative_to(ROOT).parts[:-1])
        modules = {path.stem for path in init.parent.iterdir()} - {"__init__"}
        for node in ast.parse(init.read_text()).body:
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            if isinstance(node, ast.ImportFrom) and node.module != package:
                names = [alias.asname or alias.name for alias in node.names]
            assert not modules.intersection(names), f"{init}:{node.lineno}"


def test_an_import_upward_is_seen_inside_a_function_too_and_one_downward_is_none():
    upward = "def f():\n    from uniapl import train\n    import uniapl.dag.lease, experiments.scales\n"
    assert imports_upward("uniapl/costs/x.py", upward) == [
        "uniapl/costs/x.py:2 imports uniapl.train",
        "uniapl/costs/x.py:3 imports experiments.scales",
        "uniapl/costs/x.py:3 imports uniapl.dag.lease",
    ]
    assert imports_upward("uniapl/dag/x.py", "import uniapl.train\nfrom uniapl.costs import fit\n") == []
    rooms = {path.name for path in (ROOT / "uniapl").iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms == {"provenance", *PLACE}


def test_the_files_that_are_shared_out_in_their_own_way_are_there():
    assert [name for name in (*WHOLE, *FIRST) if not (ROOT / name).exists()] == []
