"""bfloat16 where the machine multiplies it, float32 elsewhere."""

import pytest
import torch

from uniapl.config import Compute
from uniapl.models.precision import computing_dtype, multiplies_bfloat16


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


@pytest.mark.parametrize("machine", [True, False])
def test_a_scale_says_bfloat16_or_not_or_leaves_it_to_the_machine(monkeypatch, machine):
    monkeypatch.setattr("uniapl.models.precision.multiplies_bfloat16", lambda: machine)
    formats = [computing_dtype(Compute(bf16=said)) for said in (True, False, None)]
    assert formats == [torch.bfloat16, torch.float32, torch.bfloat16 if machine else torch.float32]
