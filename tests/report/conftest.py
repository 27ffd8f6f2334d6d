"""The set whose report the tests of this room read."""

import pytest
from support.report_pages import smoke_set


@pytest.fixture
def local(analysis, tmp_path):
    """A local set of smoke: the headline's tables, all its run cards but one, no other experiment."""
    return smoke_set(analysis, tmp_path)
