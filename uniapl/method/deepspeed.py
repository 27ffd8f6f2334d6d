"""DeepSpeed versions that lose micro-batches: under them no comparison of methods means what it says."""

from importlib.metadata import version

from packaging.version import Version

REPAIRED = "0.19.0"  # the first release with deepspeedai/DeepSpeed pull requests 7967 and 7981


def check_deepspeed(accelerator) -> None:
    """Raise ValueError where ZeRO 1 or 2 offloads the optimizer and DeepSpeed is older than the repair.

    From 0.15.2 on it kept only some micro-batches' gradients (pull request 6550): arXiv 2604.23747 names it as one of
    two faults for which published baselines of SFT were too weak.
    """
    plugin = getattr(accelerator.state, "deepspeed_plugin", None)
    zero = plugin.deepspeed_config.get("zero_optimization", {}) if plugin else {}
    offloaded = (zero.get("offload_optimizer") or {}).get("device", "none") != "none"
    if offloaded and zero.get("stage") in (1, 2) and Version(version("deepspeed")) < Version(REPAIRED):
        raise ValueError(
            f"DeepSpeed {version('deepspeed')} drops micro-batches where ZeRO {zero['stage']} offloads the optimizer: "
            f"install {REPAIRED} or newer, or do not offload"
        )
