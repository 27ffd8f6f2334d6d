#!/usr/bin/env bash
# TRL 1.16.0: trl.experimental.sdft.SDFTTrainer with teacher_model_kind="base", whose documentation calls it the initial
# student, loads the teacher anew from the path in the student's configuration (_setup_teacher_model). A student whose
# weights are not those of this path, say because a state_dict was loaded into it, gets another teacher than itself, and
# nothing warns. Expected: at the first step the teacher has the weights of the student.
#
# A Llama of two layers with random weights, no download but the packages. Exits 0 while all of this holds, 1 if not.
# FINDINGS_PYTHON names a Python that has the packages already; without it they are installed in a temporary folder.
#
# Seen (trl 1.16.0, transformers 5.17.0, torch 2.13.0 on a CPU):
#     student as saved: 0.0 % of the teacher's weights differ from the student's
#     other weights loaded into it: 99.6 % of the teacher's weights differ from the student's
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
cat >"$folder/teacher.py" <<'PYTHON'
import sys

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed
from trl.experimental.sdft import SDFTConfig, SDFTTrainer

print(f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
words = {"<pad>": 0, "<end>": 1} | {f"w{i}": i for i in range(2, 64)}
inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}


def fresh(seed: int) -> LlamaForCausalLM:
    set_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**shape, vocab_size=64, eos_token_id=1, pad_token_id=0))


def differing(student) -> float:
    """Percent of the teacher's weights that are not the student's before the first step."""
    rows = [{"prompt": f"w{i} w{i + 1}", "privileged_context": f"w{i + 2}"} for i in range(2, 18)]
    args = SDFTConfig(output_dir=f"{sys.argv[1]}/out", report_to="none", use_cpu=True, bf16=False, save_strategy="no")
    trainer = SDFTTrainer(student, args, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
    pairs = list(zip(trainer.teacher_model.parameters(), trainer.model.parameters(), strict=True))
    return 100 * sum((a != b).sum().item() for a, b in pairs) / sum(a.numel() for a, _ in pairs)


fresh(0).save_pretrained(f"{sys.argv[1]}/saved")
student = AutoModelForCausalLM.from_pretrained(f"{sys.argv[1]}/saved")
same = differing(student)
student.load_state_dict(fresh(1).state_dict())
other = differing(student)
print(f"student as saved: {same:.1f} % of the teacher's weights differ from the student's")
print(f"other weights loaded into it: {other:.1f} % of the teacher's weights differ from the student's")
holds = same == 0 and other > 50
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
HF_HUB_OFFLINE=1 "$python" "$folder/teacher.py" "$folder" 2>/dev/null
