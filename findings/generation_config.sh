#!/usr/bin/env bash
# TRL 1.16.0, transformers 5.17.0: fields of a checkpoint's generation_config.json act on GRPOTrainer's rollouts although
# GRPOConfig leaves them out, and without a warning. TRL asks `generate` for temperature, top_k, top_p and
# repetition_penalty by name; every other field is None there, and `GenerationMixin._prepare_generation_config` fills what
# is None from model.generation_config. The loss then reads log-probabilities of the whole distribution for tokens drawn
# from another one. Expected: rollouts from the policy as GRPOConfig describes it, or a word that they are not.
#
# A Llama of one layer with random weights, no download but the packages. Exits 0 while all of this holds, 1 if not.
# FINDINGS_PYTHON names a Python that has the packages already; without it they are installed in a temporary folder.
#
# Seen (64 rollouts of at most 8 tokens, vocabulary 64, trl 1.16.0, transformers 5.17.0, torch 2.13.0 on a CPU):
#     {}: distinct rollouts of a group 8, rollouts with a token twice 26, share of tokens below id 32 0.46
#     {'min_p': 1.0}: distinct rollouts of a group 1, rollouts with a token twice 64, share of tokens below id 32 0.50
#     {'no_repeat_ngram_size': 1}: distinct 8, rollouts with a token twice 0, share 0.44
#     {'suppress_tokens': [2, ..., 31]}: distinct 8, twice 29, share of tokens below id 32 0.00
#     {'temperature': 0.01, 'top_k': 1, 'top_p': 0.1, 'repetition_penalty': 9.0}: as {}, token for token
#     warnings that name one of the fields: []
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
cat >"$folder/rollouts.py" <<'PYTHON'
import logging
import sys
import warnings

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


def rollouts(**fields) -> list[list[int]]:
    set_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(**shape, vocab_size=64, eos_token_id=1, pad_token_id=0))
    for name, value in fields.items():
        setattr(model.generation_config, name, value)
    seen = []

    def reward(completion_ids, **_):
        seen.extend(completion_ids)
        return [float(len(set(ids))) for ids in completion_ids]

    args = trl.GRPOConfig(
        output_dir=sys.argv[1], max_steps=1, per_device_train_batch_size=64, num_generations=8, max_completion_length=8,
        report_to="none", save_strategy="no", use_cpu=True, bf16=False, disable_tqdm=True, logging_strategy="no",
    )
    prompts = Dataset.from_list([{"prompt": f"w{i} w{i + 1}"} for i in range(2, 10)])
    trainer = trl.GRPOTrainer(model, reward, args, train_dataset=prompts, processing_class=tokenizer)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return seen


def described(ids: list[list[int]]) -> tuple[int, int, float]:
    groups = [ids[i : i + 8] for i in range(0, 64, 8)]
    distinct = max(len(set(map(tuple, group))) for group in groups)
    twice = sum(len(set(row)) < len(row) for row in ids)
    tokens = [token for row in ids for token in row if token > 1]
    return distinct, twice, sum(token < 32 for token in tokens) / max(1, len(tokens))


class Heard(logging.Handler):
    lines: list[str] = []

    def emit(self, record):
        self.lines.append(record.getMessage())


for name in ("transformers", "trl"):
    logging.getLogger(name).addHandler(Heard())
warnings.showwarning = lambda message, *_: Heard.lines.append(str(message))
named = {"temperature": 0.01, "top_k": 1, "top_p": 0.1, "repetition_penalty": 9.0}
cases = [{}, {"min_p": 1.0}, {"no_repeat_ngram_size": 1}, {"suppress_tokens": list(range(2, 32))}, named]
ids = [rollouts(**fields) for fields in cases]
for fields, rows in zip(cases, ids):
    distinct, twice, low = described(rows)
    print(
        f"{fields}: distinct rollouts of a group {distinct}, rollouts with a token twice {twice}, "
        f"share of tokens below id 32 {low:.2f}"
    )
plain, min_p, no_repeat, suppressed = map(described, ids[:4])
said = [line for line in Heard.lines if any(name in line for fields in cases[1:4] for name in fields)]
print(f"warnings that name one of the fields: {said}")
holds = plain[0] == 8 and min_p[0] == 1  # greedy, where sampling at temperature 1 was asked for
holds &= plain[1] > 20 and no_repeat[1] == 0
holds &= plain[2] > 0.4 and suppressed[2] == 0
holds &= ids[4] == ids[0] and not said
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
HF_HUB_OFFLINE=1 "$python" "$folder/rollouts.py" "$folder/out" 2>/dev/null
