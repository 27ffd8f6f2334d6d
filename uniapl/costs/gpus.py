"""GPUs by name: what their data sheets say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """Memory in bytes, dense bfloat16 and float32 rates in FLOP/s, memory bandwidth in bytes/s."""

    memory: float
    bf16: float
    float32: float
    bandwidth: float
    source: str


GPUS = {
    "a100": Gpu(80e9, 312e12, 19.5e12, 2.039e12, "NVIDIA A100 80GB SXM data sheet"),
    "h100": Gpu(80e9, 989.4e12, 66.9e12, 3.35e12, "NVIDIA H100 SXM data sheet, without sparsity"),
    "h200": Gpu(141e9, 989.4e12, 66.9e12, 4.8e12, "NVIDIA H200 SXM data sheet, without sparsity"),
    "l40s": Gpu(48e9, 362.05e12, 91.6e12, 0.864e12, "NVIDIA L40S data sheet, without sparsity"),
    "rtx4090": Gpu(24e9, 165.2e12, 82.6e12, 1.008e12, "NVIDIA Ada architecture paper, float32 accumulation"),
}
