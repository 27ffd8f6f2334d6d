"""What tests of several rooms start from: fresh clones, tables, analyses, published sets, a policy."""

import os
import shutil

import pytest
from support.clones import Clone
from support.side_by_side import FIRST, WholeOrOneByOne

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the DAG sets it: each core has a worker, whose threads would wait


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    return WholeOrOneByOne(config, log)


@pytest.fixture
def clone(tmp_path):
    """A fresh clone of one's own."""
    return Clone(tmp_path / "clone", tmp_path / "bin")


@pytest.fixture(scope="session")
def dry_run(tmp_path_factory):
    """What `snakemake -n --use-conda` of a target, or of the whole DAG, prints without a conda, by scale."""
    shared, printed = tmp_path_factory.mktemp("dry"), {}
    clone = Clone(shared / "clone", shared / "bin")

    def of(scale: str, *target: str) -> str:
        if (scale, *target) not in printed:
            code, out = clone.snakemake(*target, "-n", "--use-conda", "--config", f"scale={scale}")
            assert code == 0, out
            printed[scale, *target] = out
        return printed[scale, *target]

    return of


@pytest.fixture(scope="session")
def tables():
    """Every table of the world of four prompts."""
    from support.four_prompts import run

    return run()


@pytest.fixture
def analysis(tmp_path):
    """A folder with the CSV files of one analysis."""
    from support import analysis_files

    folder = tmp_path / "analysis"
    folder.mkdir()
    analysis_files.write(folder)
    return folder


@pytest.fixture
def sets(tmp_path):
    """A local and a published set of one analysed experiment, which differ in known ways."""
    from support.two_sets import local_and_published

    return local_and_published(tmp_path)


@pytest.fixture(scope="session")
def published_once(tmp_path_factory):
    """A published set of one experiment, to be copied."""
    from support import published_set

    folder = tmp_path_factory.mktemp("published") / "tiny"
    published_set.copy(folder)
    return folder


@pytest.fixture
def published(published_once, tmp_path):
    """A published set of one experiment of one's own."""
    return shutil.copytree(published_once, tmp_path / "tiny")


@pytest.fixture(scope="session")
def policy(tmp_path_factory):
    """The checkpoint of a base policy of the miniature world."""
    from support import miniature

    folder = tmp_path_factory.mktemp("policy")
    miniature.policy().save_pretrained(folder)
    miniature.tokenizer().save_pretrained(folder)
    return folder
