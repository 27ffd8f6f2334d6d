"""What a training of scale smoke starts from."""

import pytest
from support.train_command import arguments

from uniapl.data.miniature.rows import main as data
from uniapl.train.training import main as train


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Data of scale smoke and a discriminator; every arm starts from the random policy to save the pretraining."""
    folder = tmp_path_factory.mktemp("world")
    data(["--scale", "smoke", "--out", str(folder / "data")])
    train(arguments(folder, "discriminator", folder / "discriminator"))
    return folder
