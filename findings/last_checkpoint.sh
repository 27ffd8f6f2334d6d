#!/usr/bin/env bash
# transformers 5.17.0: a training that is resumed from the checkpoint of its last step trains one step more. `max_steps`
# is looked at after a step (DefaultFlowCallback.on_step_end), never before one, and the flag with which the run had ended
# is reset when a training begins. Only where an epoch ends at `max_steps` there is no batch left. A run that was killed
# between its last checkpoint and whatever its script does next thus ends with other weights, and another count of steps,
# than an undisturbed one. Expected: nothing is trained.
#
# A Llama of one layer with random weights, 10 rows, 2 in a step; no download but the packages. Exits 0 while all of this
# holds, 1 if not. FINDINGS_PYTHON names a Python that has the packages already; without it they are installed in a
# temporary folder.
#
# What hurts users of this suite is repaired in uniapl/method/resume.py, and tested in tests/method/test_resume.py.
#
# Seen (transformers 5.17.0, torch 2.13.0, accelerate 1.15.0 on a CPU):
#     max_steps 3 of 5 in an epoch: ended at step 3; resumed from checkpoint-3: ended at step 4, same weights: False
#     max_steps 5 of 5 in an epoch: ended at step 5; resumed from checkpoint-5: ended at step 5, same weights: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.17.0 accelerate==1.15.0
fi
cat >"$folder/resumed.py" <<'PYTHON'
import sys

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments, set_seed

print(f"transformers {transformers.__version__}, torch {torch.__version__}")
rows = [{"input_ids": [i, i + 1, i + 2], "labels": [i, i + 1, i + 2]} for i in range(10)]


def trained(out: str, steps: int, checkpoint: str | None = None) -> tuple[int, torch.Tensor]:
    """(the step at which it ended, its weights)"""
    set_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(**shape, vocab_size=16))
    args = TrainingArguments(
        out, max_steps=steps, per_device_train_batch_size=2, save_strategy="steps", save_steps=1, learning_rate=1e-2,
        lr_scheduler_type="constant", use_cpu=True, disable_tqdm=True, report_to="none", logging_strategy="no",
    )
    trainer = Trainer(model, args, train_dataset=rows)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=checkpoint)
    return trainer.state.global_step, torch.cat([p.detach().flatten() for p in model.parameters()])


found = []
for steps in (3, 5):
    out = f"{sys.argv[1]}/{steps}"
    ended, weights = trained(out, steps)
    again, other = trained(out, steps, f"{out}/checkpoint-{steps}")
    same = torch.equal(weights, other)
    print(
        f"max_steps {steps} of 5 in an epoch: ended at step {ended}; resumed from checkpoint-{steps}: "
        f"ended at step {again}, same weights: {same}"
    )
    found.append((ended, again, same))
holds = found == [(3, 4, False), (5, 5, True)]
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
HF_HUB_OFFLINE=1 "$python" "$folder/resumed.py" "$folder/out" 2>/dev/null
