"""What changed in a family's published code since the revision that its rules follow here, by instruction id.

    python -m benchmarks.upstream --family iftrain --checkout PATH [--revision COMMIT] [--since COMMIT]

PATH is a git checkout of the family's repository (`Family.revision` in uniapl/checkers/families.py), newer than it;
COMMIT is HEAD unless it is given. Nothing of the checkout is run: for each id, the class that the registry names is
compared by its syntax tree, without docstrings, comments and annotations, together with every function, class and
constant of these files that it uses. One line per id that changed: which of these differ. Then the ids that are new,
or gone. It exits with 1 where anything changed: look at each, and follow it or state that it is not followed.
"""

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uniapl.checkers.families import BY_NAME
from uniapl.errors import UserError, one_line_errors

# The files of each family's rules in its repository, at the pinned revision and since. The last has the registry.
FILES = {
    "ifeval": ["lm_eval/tasks/ifeval/instructions_util.py", "lm_eval/tasks/ifeval/instructions.py"]
    + ["lm_eval/tasks/ifeval/instructions_registry.py"],
    "ifbench": ["ifbench/instructions_util.py", "ifbench/classic_instructions.py", "ifbench/instructions.py"]
    + ["ifbench/instructions_registry.py"],
    "iftrain": ["open_instruct/IFEvalG/instructions_util.py", "open_instruct/IFEvalG/instructions.py"]
    + ["open_instruct/IFEvalG/instructions_registry.py"],
    "multi_if": ["ifeval.py"],
}
REGISTRY = "INSTRUCTION_DICT"


class _Plain(ast.NodeTransformer):
    """Takes out what does not act: docstrings and annotations."""

    def _body(self, node):
        self.generic_visit(node)
        if node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    visit_Module = visit_ClassDef = _body

    def visit_FunctionDef(self, node):
        node.returns = None
        for argument in (*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs):
            argument.annotation = None
        return self._body(node)


@dataclass(frozen=True)
class Module:
    """A file's top-level definitions by name, and what the names that it imports are called elsewhere."""

    name: str
    definitions: Mapping[str, ast.AST]


def read_module(source: str, where: str) -> Module:
    """The definitions of a Python file. Raises UserError where it is none."""
    try:
        tree = _Plain().visit(ast.parse(source))
    except SyntaxError as error:
        raise UserError(f"{where}:{error.lineno}: not Python: {error.msg}") from None
    definitions: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    definitions[target.id] = node.value
    return Module(Path(where).stem, definitions)


def _text(node: ast.AST, definitions: Mapping[str, ast.AST]) -> str:
    """The text that an expression of constants stands for: an id, such as `_KEYWORD + "existence"`."""
    if isinstance(node, ast.Name) and node.id in definitions:
        return _text(definitions[node.id], definitions)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, definitions) + _text(node.right, definitions)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise UserError(f"line {node.lineno}: an id of {REGISTRY} is no text")


def registry(module: Module) -> dict[str, str]:
    """The class of each id. Raises UserError where there is no registry in the expected form."""
    entries = module.definitions.get(REGISTRY)
    if not isinstance(entries, ast.Dict):
        raise UserError(f"{module.name}.py: has no dictionary {REGISTRY}: name the file that has it in FILES")
    return {
        _text(key, module.definitions): ast.unparse(value).rpartition(".")[2]
        for key, value in zip(entries.keys, entries.values, strict=True)
    }


def _parts(name: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A definition as it is compared: a class by method, each under its own name; anything else whole."""
    if not isinstance(node, ast.ClassDef):
        yield name, node
        return
    others = [part for part in node.body if not isinstance(part, ast.FunctionDef)]
    yield name, ast.Module([*(ast.Expr(base) for base in node.bases), *others], [])
    for part in node.body:
        if isinstance(part, ast.FunctionDef):
            yield f"{name}.{part.name}", part


def sources(name: str, modules: list[Module]) -> dict[str, str]:
    """A class and all that it uses, however far, by name: each as its syntax tree in text."""
    definitions = {name: node for module in modules for name, node in module.definitions.items()}
    syntax: dict[str, str] = {}
    waiting = [name]
    seen = {REGISTRY}
    while waiting:
        name = waiting.pop()
        if name in seen or name not in definitions:
            continue
        seen.add(name)
        for part, node in _parts(name, definitions[name]):
            syntax[part] = ast.dump(node)
        for node in ast.walk(definitions[name]):
            if isinstance(node, ast.Name):
                waiting.append(node.id)
            elif isinstance(node, ast.Attribute):  # instructions_util.count_words
                waiting.append(node.attr)
    return syntax


def changes(old: list[Module], new: list[Module]) -> dict[str, list[str]]:
    """By id that changed, in the old registry's order: what of its code differs; "new" or "gone" for a whole id."""
    before, after = registry(old[-1]), registry(new[-1])
    changed: dict[str, list[str]] = {}
    for instruction_id in before | after:
        if instruction_id not in after:
            changed[instruction_id] = ["gone"]
        elif instruction_id not in before:
            changed[instruction_id] = ["new"]
        else:
            old_sources = sources(before[instruction_id], old)
            new_sources = sources(after[instruction_id], new)
            differ = [name for name in old_sources | new_sources if old_sources.get(name) != new_sources.get(name)]
            if differ:
                changed[instruction_id] = differ
    return changed


def _git(checkout: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", checkout, *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise UserError("git is not installed, and reads the checkout: install it") from None
    except subprocess.CalledProcessError as error:
        problem = " ".join(error.stderr.split())
        raise UserError(f"{checkout}: {problem}; is it a whole clone of the family's repository?") from None
    return done.stdout


def read_revision(checkout: Path, revision: str, files: list[str]) -> list[Module]:
    """The modules of the files at a revision. Raises UserError where git has none of them."""
    return [read_module(_git(checkout, "show", f"{revision}:{file}"), file) for file in files]


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.upstream", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", choices=tuple(FILES), required=True)
    parser.add_argument("--checkout", type=Path, required=True, help="a git clone of the family's repository")
    parser.add_argument("--revision", default="HEAD", help="what is compared (default HEAD)")
    parser.add_argument("--since", help="instead of the revision that the rules follow")
    args = parser.parse_args(argv)
    repository, _, pinned = BY_NAME[args.family].revision.partition("@")
    since = args.since or pinned
    files = FILES[args.family]
    changed = changes(*(read_revision(args.checkout, revision, files) for revision in (since, args.revision)))
    commit = _git(args.checkout, "rev-parse", args.revision).strip()
    print(f"{args.family}: {repository}, {since} to {commit}: {len(changed)} of the ids changed")
    for instruction_id, differ in changed.items():
        print(f"  {instruction_id:42} {', '.join(differ)}")
    if changed:
        sys.stdout.flush()
        raise SystemExit(1)


if __name__ == "__main__":
    main()
