"""Stage data: the prompts and demonstrations of a world. `uniapl data miniature ...`, `everyday`, `public`, `files`."""

import importlib
import sys

from uniapl.errors import UserError, one_line_errors

WORLDS = {
    "miniature": "uniapl.data.miniature.rows",
    "everyday": "uniapl.data.public.join",
    "public": "uniapl.data.public.join",
    "files": "uniapl.data.files.rows",
}


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    """Hand over to the world that the first word names. Raises UserError for another one."""
    world, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if world in ("-h", "--help"):
        print(f"usage: uniapl data {{{','.join(WORLDS)}}} ...")
        return
    if world not in WORLDS:
        raise UserError(f"unknown world {world!r}: known are {', '.join(WORLDS)}")
    sys.argv = [f"uniapl data {world}", *rest]
    importlib.import_module(WORLDS[world]).main(rest)


if __name__ == "__main__":
    main()
