#!/usr/bin/env bash
# TRL 1.16.0: GRPOConfig(use_transformers_continuous_batching=True, bf16=True) converts the trained policy itself to
# bfloat16 at the first generation and leaves it so (GRPOTrainer._generate_single_turn: `unwrapped_model.to(bfloat16)`).
# bf16=True otherwise means autocast over float32 weights. In bfloat16 a weight has 8 bits: at GRPOConfig's default
# learning rate of 1e-6 most updates round to nothing. Expected: the policy stays in float32, as with ordinary generation.
#
# A Llama of two layers with random weights, no download but the packages. Exits 0 while all of this holds, 1 if not.
# FINDINGS_PYTHON names a Python that has the packages already; without it they are installed in a temporary folder.
#
# Seen (trl 1.16.0, transformers 5.17.0, torch 2.13.0 on a CPU, four steps):
#     ordinary generation: torch.float32, 99.8 % of the weights moved
#     continuous batching: torch.bfloat16, 1.9 % of the weights moved
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 transformers==5.17.0 trl==1.16.0 accelerate==1.15.0 datasets==5.2.0
fi
cat >"$folder/weights.py" <<'PYTHON'
import sys

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

print(f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
words = {"<pad>": 0, "<end>": 1} | {f"w{i}": i for i in range(2, 64)}
inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")


def trained(continuous: bool) -> tuple[str, float]:
    """The policy's type after four steps, and the share of its weights that are not what they were."""
    set_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(**shape, vocab_size=64, eos_token_id=1, pad_token_id=0))
    model.load_state_dict({k: v.bfloat16().float() for k, v in model.state_dict().items()})  # exact in both types
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    args = trl.GRPOConfig(
        output_dir=sys.argv[1], max_steps=4, per_device_train_batch_size=16, num_generations=8, max_completion_length=8,
        report_to="none", save_strategy="no", use_cpu=True, bf16=True, disable_tqdm=True, logging_strategy="no",
        use_transformers_continuous_batching=continuous,
    )
    prompts = Dataset.from_list([{"prompt": f"w{i} w{i + 1}"} for i in range(2, 34)])
    reward = lambda completion_ids, **_: [float(len(set(ids))) for ids in completion_ids]  # noqa: E731
    trainer = trl.GRPOTrainer(model, reward, args, train_dataset=prompts, processing_class=tokenizer)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    after = dict(trainer.model.named_parameters())
    types = {str(weight.dtype) for weight in after.values()}
    moved = sum((after[name].float() != weight).sum().item() for name, weight in before.items())
    return ", ".join(sorted(types)), moved / sum(weight.numel() for weight in before.values())


ordinary, continuous = trained(False), trained(True)
print(f"ordinary generation: {ordinary[0]}, {100 * ordinary[1]:.1f} % of the weights moved")
print(f"continuous batching: {continuous[0]}, {100 * continuous[1]:.1f} % of the weights moved")
holds = ordinary[0] == "torch.float32" and continuous[0] == "torch.bfloat16" and 5 * continuous[1] < ordinary[1]
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
HF_HUB_OFFLINE=1 "$python" "$folder/weights.py" "$folder/out" 2>/dev/null
