"""Which number format a machine multiplies fast."""

from uniapl.config import Compute


def in_bfloat16(compute: Compute) -> bool:
    """Whether trainings and rollouts of this compute multiply in bfloat16 on this machine."""
    return multiplies_bfloat16() if compute.bf16 is None else compute.bf16


def computing_dtype(compute: Compute):
    """torch.bfloat16 or torch.float32: what such a compute multiplies in on this machine."""
    import torch

    return torch.bfloat16 if in_bfloat16(compute) else torch.float32


def name_of_dtype(compute: Compute) -> str:
    """`bfloat16` or `float32`, as a run card and the state of an unfinished run have it."""
    return str(computing_dtype(compute)).removeprefix("torch.")


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 is multiplied in hardware: on a GPU that has it, or a CPU with AVX-512 BF16, AMX or Arm's BF16.

    A CPU without it (AVX2 alone) multiplies bfloat16 by reference code: 1.2 GFLOP/s where float32 has 41, on one core
    (512 x 576 x 1536, torch 2.13). Training and sampling there belong in float32.
    """
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
