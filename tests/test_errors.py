"""Commands end in one line, or quietly where nobody reads them."""

import re
import subprocess
import sys

import pytest

COMMAND = """
from uniapl.errors import UserError, one_line_errors

@one_line_errors
def main():
    {}

main()
"""


def run(body: str, shell: str = "") -> subprocess.CompletedProcess:
    """Bash's exit code is that of the command, not that of what reads it."""
    line = f'set -o pipefail; "$0" -c "$1" {shell}'
    command = ["bash", "-c", line, sys.executable, COMMAND.format(body)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("lines", [10, 100_000])  # few are still in Python's buffer when main returns
def test_a_reader_that_has_gone_ends_the_command_quietly(lines):
    ended = run(f"print('a line\\\\n' * {lines}, end='')", "| (exec <&-; sleep 0.5)")
    assert (ended.returncode, ended.stdout, ended.stderr) == (141, "", "")


@pytest.mark.parametrize(
    "body, line",
    [
        ("open('{folder}')", "error: {folder}: Is a directory"),
        ("open('{folder}/absent')", "error: {folder}/absent: No such file or directory"),
        ("open('{folder}/file/below', 'w')", "error: {folder}/file/below: Not a directory"),
        ("raise PermissionError(13, 'Permission denied', '{folder}/file')", "error: {folder}/file: Permission denied"),
    ],
)
def test_a_file_that_cannot_be_read_or_written_is_one_line_that_names_it(body, line, tmp_path):
    (tmp_path / "file").touch()
    ended = run(body.format(folder=tmp_path))
    assert (ended.returncode, ended.stderr) == (2, line.format(folder=tmp_path) + "\n")


FULL = re.compile(r"error: No space left on device \(([\d,]+ MB free in /\S+(, )?)+\): make room and run again\n")


@pytest.mark.parametrize(
    "body, shell",
    [
        ("print('a line')", "> /dev/full"),
        ("__import__('pathlib').Path('/dev/full').write_text('a line')", ""),
        ("raise OSError(122, 'Disk quota exceeded')", ""),
        (
            "from safetensors import SafetensorError; "
            "raise SafetensorError('Error while serializing: I/O error: No space left on device (os error 28)')",
            "",
        ),
        (
            "import shutil, torch; shutil.disk_usage = lambda folder: shutil._ntuple_diskusage(9, 9, 0); "
            "torch.save(torch.ones(9_000), '/dev/full')",
            "",
        ),
    ],
    ids=["stdout", "file", "quota", "safetensors", "torch"],
)
def test_a_full_disk_is_one_line_with_the_room_there_is(body, shell):
    ended = run(body, shell)
    assert ended.returncode == 2 and FULL.fullmatch(ended.stderr), ended.stderr


def test_what_torch_cannot_write_keeps_its_traceback_where_there_is_room():
    ended = run("import torch; torch.save(torch.ones(9_000), '/dev/full')")
    assert ended.returncode == 1 and "iostream error" in ended.stderr and "No space" not in ended.stderr


def test_an_error_of_no_file_keeps_its_traceback():
    ended = run("raise OSError('the server is gone')")
    assert ended.returncode == 1 and "Traceback" in ended.stderr and "the server is gone" in ended.stderr


def test_a_mistake_is_one_line_and_all_that_was_printed_is_there():
    ended = run("print('first'); raise UserError('data.jsonl, line 2:\\n  no prompt')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "first\n", "error: data.jsonl, line 2: no prompt\n")
    assert run("print('first')", "| head -1").stdout == "first\n"
