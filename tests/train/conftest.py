"""What a training of scale smoke starts from."""

import pytest
from support.train_command import run

from uniapl.data.miniature.rows import main as data


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Data of scale smoke and a discriminator; every arm starts from the random policy to save the pretraining."""
    folder = tmp_path_factory.mktemp("world")
    data(["--scale", "smoke", "--out", str(folder / "data")])
    done = run(folder, "discriminator", folder / "discriminator")
    assert done.returncode == 0, done.stderr
    return folder
