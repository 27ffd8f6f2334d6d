"""Which environment a scale's jobs need.

`python -m uniapl.dag.environment [SCALE]` prints its folder, for the Makefile.
"""

import sys
from importlib.util import find_spec

from uniapl.config import Scale
from uniapl.errors import UserError, one_line_errors

PLAIN, WITH_VLLM = ".venv", ".venv-vllm"


def needs_vllm(scale: Scale) -> bool:
    """Whether jobs of the scale import vLLM: its rollouts or its evaluation are vLLM's."""
    return "vllm" in (scale.compute.rollouts, scale.compute.evaluate)


def conda_of(scale: Scale) -> str:
    """The name of the environment file in envs/ that rules have under --use-conda."""
    return "vllm" if needs_vllm(scale) else "uniapl"


def check_vllm(scale: Scale, conda: bool) -> None:
    """Raise UserError, before the first job, where the scale's jobs need vLLM and would not find it.

    `conda`: rules run in environments of conda, and `conda_of` names one that has it.
    """
    if needs_vllm(scale) and not conda and find_spec("vllm") is None:
        raise UserError(
            f"scale {scale.name} needs vLLM, which this environment has not: `make reproduce SCALE={scale.name}` "
            f"builds {WITH_VLLM} and runs in it; by hand: make venv-vllm, then PATH=$PWD/{WITH_VLLM}/bin:$PATH "
            "snakemake --workflow-profile profiles/gpu8"
        )


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    from uniapl.dag.snakemake import choose_scale

    argv = sys.argv[1:] if argv is None else argv
    scale, _ = choose_scale({"scale": argv[0]} if argv else {})
    print(WITH_VLLM if needs_vllm(scale) else PLAIN)


if __name__ == "__main__":
    main()
