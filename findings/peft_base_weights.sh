#!/usr/bin/env bash
# TRL 1.16.0, peft 0.21.2: with LoraConfig(init_lora_weights="pissa"), "pissa_niter_N" or "olora" the reference policy
# is not the initial one, or the policy itself is broken before its first step. These initialisations take a part of
# the base weights away and put it into the adapter; without the adapter the model is another one.
#   peft_config given to the trainer: the reference is the model without adapter, so without the part that was taken.
#     DPO's loss at step 0 is not log 2, and its rewards are differences to a model that nobody trained.
#   A PeftModel given to the trainer: TRL adds an adapter "ref" of the same configuration, whose initialisation takes
#     the next part of the base weights away, also from the policy. Reference and policy agree, so the loss is log 2
#     and nothing looks wrong. peft warns of it in load_adapter, and not in add_adapter, which TRL calls.
# GRPOTrainer with beta > 0 does the same: its KL is not 0 before anything is trained, or the policy moves.
# Expected: a reference that is the initial policy, and a policy that is left as it was.
#
# A Llama of two layers with random weights, no download but the packages. Exits 0 while all of this holds, 1 if not.
# FINDINGS_PYTHON names a Python that has the packages already; without it they are installed in a temporary folder.
#
# Seen (trl 1.16.0, peft 0.21.2, transformers 5.17.0, torch 2.13.0 on a CPU; learning rate 0; nats at the worst token):
#     True: peft_config: DPO's loss 0.693; PeftModel: DPO's loss 0.693, policy moved by 0.00 nats
#     pissa: peft_config: DPO's loss 0.764; PeftModel: DPO's loss 0.693, policy moved by 7.06 nats
#     pissa_niter_16: peft_config: DPO's loss 0.776; PeftModel: DPO's loss 0.693, policy moved by 6.90 nats
#     olora: peft_config: DPO's loss 0.753; PeftModel: DPO's loss 0.693, policy moved by 4.63 nats
#     True: peft_config: GRPO's KL 0.000; PeftModel: GRPO's KL 0.000, policy moved by 0.00 nats
#     pissa: peft_config: GRPO's KL 1.421; PeftModel: GRPO's KL 0.000, policy moved by 7.06 nats
#     warnings that name the base weights: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 transformers==5.17.0 trl==1.16.0 peft==0.21.2 accelerate==1.15.0 datasets==5.2.0
fi
cat >"$folder/reference.py" <<'PYTHON'
import math
import sys
import warnings

import peft
import torch
import transformers
import trl
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

print(", ".join(f"{package.__name__} {package.__version__}" for package in (trl, peft, transformers, torch)))
words = {"<pad>": 0, "<end>": 1} | {f"w{i}": i for i in range(2, 64)}
inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
pairs = Dataset.from_list(
    [
        {"prompt": f"w{i} w{i + 1}", "chosen": f" w{i + 2} w{i + 3}", "rejected": f" w{i + 9} w{i + 5}"}
        for i in range(2, 34)
    ]
)
heard = []
warnings.showwarning = lambda message, *_: heard.append(str(message))


def model() -> LlamaForCausalLM:
    set_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(**shape, vocab_size=64, initializer_range=0.2, eos_token_id=1, pad_token_id=0))


def logprobs(of) -> torch.Tensor:
    with torch.no_grad():
        return of.eval()(input_ids=torch.arange(2, 12)[None]).logits.log_softmax(-1)


SETTINGS = {"max_steps": 1, "learning_rate": 0.0, "logging_steps": 1, "per_device_train_batch_size": 8}
SETTINGS |= {"report_to": "none", "save_strategy": "no", "use_cpu": True, "bf16": False, "disable_tqdm": True}


def dpo(of, **named):
    args = trl.DPOConfig(sys.argv[1], **SETTINGS)
    return trl.DPOTrainer(of, args=args, train_dataset=pairs, processing_class=tokenizer, **named)


def grpo(of, **named):
    args = trl.GRPOConfig(sys.argv[1], beta=0.1, num_generations=8, max_completion_length=8, **SETTINGS)
    reward = lambda completion_ids, **_: [float(len(set(ids))) for ids in completion_ids]  # noqa: E731
    return trl.GRPOTrainer(of, reward, args, train_dataset=pairs, processing_class=tokenizer, **named)


def first(trainer, name: str) -> float:
    """What the first step logs; nothing is trained."""
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return trainer.state.log_history[0][name]


def shown(init, make, name: str, words: str, right: float) -> bool:
    """Whether both ways of handing the adapter over leave reference and policy as the initialisation should."""
    shape = {"r": 8, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "up_proj"], "task_type": "CAUSAL_LM"}
    config = LoraConfig(**shape, init_lora_weights=init)
    by_config = first(make(model(), peft_config=config), name)
    wrapped = get_peft_model(model(), config)
    before = logprobs(wrapped)
    assert (before - logprobs(model())).abs().max() < 1e-3  # the adapter's initialisation leaves the policy as it was
    trainer = make(wrapped)
    moved = (logprobs(trainer.model) - before).abs().max().item()
    by_model = first(trainer, name)
    print(
        f"{init}: peft_config: {words} {by_config:.3f}; PeftModel: {words} {by_model:.3f}, "
        f"policy moved by {moved:.2f} nats"
    )
    assert abs(by_model - right) < 1e-3
    return abs(by_config - right) < 1e-3 and moved < 1e-3


inits = (True, "pissa", "pissa_niter_16", "olora")
fine = {init: shown(init, dpo, "loss", "DPO's loss", math.log(2)) for init in inits}
fine |= {f"{init}, GRPO": shown(init, grpo, "kl", "GRPO's KL", 0) for init in (True, "pissa")}
holds = [init for init, as_expected in fine.items() if as_expected] == [True, "True, GRPO"]
named = [message for message in heard if "base weights" in message]
print(f"warnings that name the base weights: {len(named)}")
holds &= not named
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
HF_HUB_OFFLINE=1 "$python" "$folder/reference.py" "$folder/out" 2>"$folder/log" ||
  { status=$?; tail -20 "$folder/log" >&2; exit "$status"; }
