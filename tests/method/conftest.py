"""The trainer that a training of an arm has, on six prompts."""

import types

import pytest
from support import miniature
from support.settings import settings as method_settings

from uniapl.config import Compute
from uniapl.config.job import Job
from uniapl.jsonl import write_jsonl


@pytest.fixture
def six_prompts(tmp_path, monkeypatch):
    """A function that builds a method's trainer on six prompts, with a reward that random weights can earn."""
    start, data = tmp_path / "start", tmp_path / "data"
    miniature.policy().save_pretrained(start)
    miniature.tokenizer().save_pretrained(start)
    data.mkdir()
    write_jsonl(data / "train.jsonl", [{**row, "demonstration": row["response"]} for row in miniature.rows(6)])
    monkeypatch.setattr("uniapl.checkers.reward.follows_all", miniature.words)

    def build(method, settings: dict, *, compute=None, discriminator=None):
        own = method_settings(method, **settings)
        run = types.SimpleNamespace(arm="own", seed=0, compute=compute or Compute(), settings=own)
        job = Job(run=run, data=data, start=start, state=tmp_path / "state", discriminator=discriminator)
        return method.build(job)

    return build
