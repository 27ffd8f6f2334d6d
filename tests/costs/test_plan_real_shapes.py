"""The plan's memory at the real shapes of Qwen3, against PyTorch's own operations on tensors without memory.

What is aligned: whole parameters, of one device; gradients, which the plan counts apart, are dropped as they come;
TRL's tile is of 8,192 words, because its head on a CPU holds four in float32 (2 GB of 32,768), and a GPU's does not.
"""

import pytest
import torch
import trl.trainer.utils
from costs.test_plan_memory import build
from support.live_bytes import LiveBytes
from torch._subclasses import FakeTensorMode
from trl.trainer.utils import add_fused_lm_head

from uniapl.costs import memory
from uniapl.costs.shapes import shape_of

WORDS = 8_192


@pytest.mark.parametrize(("model", "rows", "length"), [("Qwen/Qwen3-0.6B", 8, 2_048), ("Qwen/Qwen3-4B", 4, 2_048)])
def test_a_micro_batch_of_the_papers_scales_is_within_a_tenth(monkeypatch, model, rows, length):
    monkeypatch.setattr(trl.trainer.utils, "_CHUNKED_LOGPROB_CHUNK_SIZE", WORDS)
    monkeypatch.setattr(memory, "TILE", (4_096, WORDS))
    # a training in this process, of another test, may have let the head pick positions, whose number no shape tells
    monkeypatch.setattr(trl.trainer.utils, "_use_triton", lambda device: False)
    shape = shape_of(model)
    with FakeTensorMode(allow_non_fake_inputs=True):
        policy = build(shape)
        add_fused_lm_head(policy, outputs=("log_probs", "entropy"))
        policy.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        for parameter in policy.parameters():
            parameter.register_post_accumulate_grad_hook(lambda parameter: setattr(parameter, "grad", None))
        ids = torch.ones(rows, length, dtype=torch.long)
        with LiveBytes([*policy.parameters(), *policy.buffers()]) as live:
            with torch.autocast("cpu", torch.bfloat16):
                out = policy(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids, fused_lm_head=True)
            (-out.log_probs.sum()).backward()
    planned = memory.moments(shape, rows, length, rows * length, bf16=True, checkpointing=True)
    assert live.most == pytest.approx(max(sum(parts.values()) for parts in planned.values()), rel=0.1)
