"""bfloat16 where the machine multiplies it, float32 elsewhere."""

import pytest
import torch

from uniapl.models.precision import multiplies_bfloat16


@pytest.mark.parametrize(
    ("has", "fast"),
    [
        ({"avx2": True}, False),
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
    ],
    ids=str,
)
def test_a_cpu_is_asked_for_its_instructions(monkeypatch, has, fast):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert multiplies_bfloat16() == fast


def test_a_gpu_is_asked_itself(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {})
    assert multiplies_bfloat16()
