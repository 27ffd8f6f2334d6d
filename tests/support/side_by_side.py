"""How pytest-xdist shares the tests out to its workers."""

from xdist.scheduler import LoadScopeScheduling

WHOLE = {  # files with a fixture that takes seconds or starts processes
    "tests/dag/test_snakemake.py",
    "tests/data/everyday/test_prompts.py",
    "tests/figures/test_figures.py",
    "tests/figures/test_figures_layout.py",
    "tests/generate/test_generate.py",
    "tests/generate/test_suite.py",
    "tests/method/test_layouts.py",
    "tests/method/test_sharded.py",
    "tests/publish/test_verify.py",
}
# those that take longest, of which none may begin last
FIRST = ("tests/train/", "tests/dag/test_own_method.py", "tests/test_wheel.py")


class WholeOrOneByOne(LoadScopeScheduling):
    """The files in `WHOLE` first, each to one worker, which alone makes what its tests share; then test by test.

    `--dist loadgroup` would do, but does nothing with pytest 9.2 (pytest-dev/pytest-xdist#1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return file if file in WHOLE else nodeid
