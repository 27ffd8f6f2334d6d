"""What a training is watched for where several processes share it: who speaks, and who marks a checkpoint."""

from types import SimpleNamespace

import pytest

from baselines import grpo
from uniapl.provenance import checksums
from uniapl.train.state import COMPLETE
from uniapl.train.watch import Watch


@pytest.mark.parametrize("first", [True, False])
def test_the_first_process_speaks_and_marks_a_checkpoint_once_all_have_written(tmp_path, monkeypatch, capsys, first):
    (tmp_path / "checkpoint-1").mkdir()
    written, waits = tmp_path / "checkpoint-1/rank1.bin", []

    def wait():
        waits.append(written.write_bytes(b"the other's part"))

    processes = SimpleNamespace(is_main_process=first, wait_for_everyone=wait)
    training = SimpleNamespace(output_dir=str(tmp_path), log_history=[{"step": 1}], global_step=1, max_steps=2)
    monkeypatch.setattr("uniapl.train.watch.SHOW_EVERY", 0)
    watch = Watch(grpo, processes)
    for event in (watch.on_train_begin, watch.on_log, watch.on_save):
        event(training, training, None)
    assert len(waits) == 1 and (tmp_path / "checkpoint-1" / COMPLETE).exists() is first
    assert checksums.beside(written).exists() is first
    assert capsys.readouterr().out.startswith("step 1/2") is first
