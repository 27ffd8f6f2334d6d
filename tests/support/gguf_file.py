"""A GGUF file of a few thousand random weights, with a real byte-level tokenizer: SmolLM2's metadata in small."""

from pathlib import Path

import numpy as np

END, START, ENDOFTEXT = "<|im_end|>", "<|im_start|>", "<|endoftext|>"
TEMPLATE = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
HIDDEN, LAYERS, HEADS, INNER = 32, 1, 2, 64


def byte_letters() -> list[str]:
    """GPT-2's letter of each byte, in the order of the bytes."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return [bytes_to_unicode()[byte] for byte in range(256)]


def write(path: Path, seed: int = 0, **changes) -> dict[str, np.ndarray]:
    """Write the file; returns its weights as a reader of the format dequantizes them.

    `changes` replace metadata: architecture, template (None: none), eos, padding (ids; None: none), pre, context.
    """
    import gguf

    said = {
        "architecture": "llama",
        "template": TEMPLATE,
        "eos": 2,
        "padding": 2,
        "pre": "smollm",
        "context": 128,
    } | changes
    tokens = [ENDOFTEXT, START, END, *byte_letters(), "12", "ab"]
    writer = gguf.GGUFWriter(path, said["architecture"])
    writer.add_name("Tiny")
    writer.add_context_length(said["context"])
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(said["pre"])
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3, *[1] * 258])
    writer.add_token_merges(["1 2", "a b"])
    writer.add_bos_token_id(1)
    writer.add_unk_token_id(0)
    if said["eos"] is not None:
        writer.add_eos_token_id(said["eos"])
    if said["padding"] is not None:
        writer.add_pad_token_id(said["padding"])
    if said["template"] is not None:
        writer.add_chat_template(said["template"])
    rng, kinds = np.random.default_rng(seed), gguf.GGMLQuantizationType
    shapes = {"token_embd": (len(tokens), HIDDEN), "output_norm": (HIDDEN,)}
    for layer in range(LAYERS):
        matrices = {"attn_q": (HIDDEN, HIDDEN), "attn_k": (HIDDEN, HIDDEN), "attn_v": (HIDDEN, HIDDEN)}
        matrices |= {"attn_output": (HIDDEN, HIDDEN), "ffn_gate": (INNER, HIDDEN), "ffn_up": (INNER, HIDDEN)}
        matrices |= {"ffn_down": (HIDDEN, INNER), "attn_norm": (HIDDEN,), "ffn_norm": (HIDDEN,)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in matrices.items()}
    weights = {}
    for name, shape in shapes.items():
        values = rng.normal(size=shape).astype(np.float32)
        kind = kinds.F32 if len(shape) == 1 else kinds.Q4_1
        packed = values if kind == kinds.F32 else gguf.quantize(values, kind)
        weights[name] = values if kind == kinds.F32 else gguf.dequantize(packed, kind)
        writer.add_tensor(f"{name}.weight", packed, raw_dtype=None if kind == kinds.F32 else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights
