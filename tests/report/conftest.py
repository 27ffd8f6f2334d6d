"""The set whose report the tests of this room read."""

import shutil

import pytest
from support import analysis_files
from support.report_pages import smoke_set


@pytest.fixture(scope="session")
def local_once(tmp_path_factory):
    """A local set of smoke: the headline's tables, all its run cards but one, no other experiment. To be copied."""
    folder = tmp_path_factory.mktemp("local")
    analysis = folder / "analysis"
    analysis.mkdir()
    analysis_files.write(analysis)
    return smoke_set(analysis, folder)


@pytest.fixture
def local(local_once, tmp_path):
    """Such a set of one's own."""
    return shutil.copytree(local_once, tmp_path / "local/smoke")
