"""The plan's memory against what PyTorch allocates, for two miniature sizes."""

import pytest
import torch
import trl.trainer.utils
from support.allocated import most_bytes
from trl.trainer.utils import add_fused_lm_head

from uniapl.costs import memory
from uniapl.costs.measure import policy
from uniapl.costs.shapes import Shape

SMALL = Shape(128, 6, 4, 2, 32, 384, 512), 4, 128  # shape, rows, tokens per row
LARGE = Shape(256, 4, 8, 4, 32, 768, 1024), 2, 192
SIZES = pytest.mark.parametrize(("shape", "rows", "length"), [SMALL, LARGE])
PRECISIONS = pytest.mark.parametrize("bf16", [True, False])


def build(shape: Shape):
    torch.manual_seed(0)
    return policy(shape).train()


def batch(shape: Shape, rows: int, length: int):
    """Ids and mask; the first row is padded on the left, as rollouts are."""
    ids = torch.randint(5, shape.vocabulary, (rows, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, :3] = 0
    return ids, mask


def kept(model, run) -> dict[int, torch.Tensor]:
    """What autograd keeps for the backward pass of `run`, by storage, without the parameters."""
    own, found = {p.untyped_storage().data_ptr() for p in model.parameters()}, {}

    def pack(tensor):
        if tensor.untyped_storage().data_ptr() not in own:
            found[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        run()
    return found


def size(tensors) -> int:
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors)


def forward(model, shape: Shape, rows: int, length: int, bf16: bool):
    ids, mask = batch(shape, rows, length)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return model.model(ids, attention_mask=mask, use_cache=False).last_hidden_state


@SIZES
def test_parameters_gradients_and_optimizer_are_counted_exactly(shape, rows, length):
    model = build(shape)
    optimizer = torch.optim.AdamW(model.parameters())
    forward(model, shape, rows, length, bf16=False).sum().backward()
    optimizer.step()
    moments = [v for state in optimizer.state.values() for v in state.values() if v.numel() > 1]
    assert size(model.parameters()) == memory.parameters(shape)
    assert size(p.grad for p in model.parameters()) == memory.parameters(shape)
    assert size(moments) == memory.optimizer(shape)


@SIZES
@PRECISIONS
def test_what_a_layer_keeps_is_counted_exactly(shape, rows, length, bf16):
    model = build(shape)
    found = kept(model, lambda: forward(model, shape, rows, length, bf16)).values()
    # beside layers and last norm: rotary cosines and sines, the ids
    others = 2 * 4 * length * shape.head + 8 * rows * length
    layers = shape.layers * (memory.layer(shape, rows, length, bf16) + (memory.copies(shape) if bf16 else 0))
    assert size(found) == layers + memory.last_norm(shape, rows, length) + others


@SIZES
def test_checkpointed_layers_keep_their_inputs(shape, rows, length):
    model = build(shape)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    found = kept(model, lambda: forward(model, shape, rows, length, bf16=True)).values()
    inputs = memory.boundaries(shape, rows, length) + memory.last_norm(shape, rows, length)
    assert size(found) == inputs + 8 * rows * length  # and the ids


@SIZES
@PRECISIONS
@pytest.mark.parametrize("checkpointing", [True, False])
def test_the_peak_of_a_step_is_within_a_tenth(monkeypatch, shape, rows, length, bf16, checkpointing):
    # TRL's tile, 64 words instead of 32,768, so that it does not hide the layers
    monkeypatch.setattr(trl.trainer.utils, "_CHUNKED_LOGPROB_CHUNK_SIZE", 64)
    monkeypatch.setattr(memory, "TILE", (4096, 64))
    model = build(shape)
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    ids, mask = batch(shape, rows, length)
    labels = ids.masked_fill(mask == 0, -100)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out = model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True)
        (-out.log_probs.sum()).backward()

    for parameter in model.parameters():  # the gradients, which are counted apart
        parameter.grad = torch.zeros_like(parameter)
    planned = memory.moments(shape, rows, length, rows * length, bf16=bf16, checkpointing=checkpointing)
    assert most_bytes(step) == pytest.approx(max(sum(parts.values()) for parts in planned.values()), rel=0.1)


@pytest.mark.parametrize(
    ("shape", "rows", "length"),
    [SMALL, LARGE, (Shape(128, 4, 16, 8, 32, 64, 512), 8, 256)],  # in the last, attention is larger than the MLP
)
def test_a_pass_without_gradient_is_within_a_tenth(shape, rows, length):
    model = build(shape).eval()
    ids, mask = batch(shape, rows, length)

    def run():
        with torch.inference_mode():
            model.model(ids, attention_mask=mask, use_cache=False)

    run()
    assert most_bytes(run) == pytest.approx(memory.inference(shape, rows, length), rel=0.1)


@SIZES
@PRECISIONS
def test_the_cache_of_the_probe_is_float32_under_autocast_too(shape, rows, length, bf16):
    ids, mask = batch(shape, rows, length)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        cache = build(shape).model(ids, attention_mask=mask, use_cache=True).past_key_values
    tensors = [tensor for each in cache.layers for tensor in (each.keys, each.values)]
    assert size(tensors) == memory.kv_cache(shape, rows * length, memory.FLOAT)


def test_the_head_grows_with_the_vocabulary_by_the_gradient_of_its_matrix_alone():
    # 40,000 to 80,000 words x 16 x 4 bytes: 2.56 MB; 96 positions of logits would grow by 15 MB in every copy.
    # (The tile itself is folded in place on a GPU; on a CPU PyTorch takes seven more tensors of its size.)
    found, planned = [], []
    for words in (40_000, 80_000):
        shape = Shape(16, 1, 1, 1, 16, 16, words)
        model = build(shape)
        add_fused_lm_head(model)
        ids, mask = batch(shape, 1, 96)

        def step(model=model, ids=ids, mask=mask):
            model(input_ids=ids, attention_mask=mask, labels=ids, fused_lm_head=True).log_probs.sum().backward()

        step()
        found.append(most_bytes(step))
        planned.append(memory.head(shape, 96, bf16=False))
    assert planned[0] == 96 * 32_768 * 4 + 4 * (40_000 * 16 + 2 * 96 * 16)
    assert planned[1] - planned[0] == 4 * 40_000 * 16
    assert found[1] - found[0] == pytest.approx(planned[1] - planned[0], rel=0.05)


def test_the_kv_cache_of_a_token():
    # Qwen3-0.6B: keys and values, 28 layers, 8 heads of 128, 2 bytes: 2 x 28 x 1024 x 2 = 114,688
    assert memory.kv_cache(Shape(1024, 28, 16, 8, 128, 3072, 151_936), 1) == 114_688
