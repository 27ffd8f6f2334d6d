#!/usr/bin/env bash
# lm-eval 0.4.13: `last_boxed_only_string`, by which its task AIME finds a response's answer, does not take the last
# box. One `\boxed` with a blank behind it, anywhere, comes before every \boxed{...}: a response that repeats its
# instruction ("I put the answer into \boxed notation"), or writes its first box with a blank, is not judged by its last
# box.
# The function comes from the MATH data set's own code, where it reads solutions of people. lm-eval has it in four more
# tasks, which read such solutions alone; AIME reads responses of models with it.
# Expected: the last box, as the name says.
#
# No model, no download but the packages. Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that
# has the packages already; without it they are installed in a temporary folder. uniapl/generate/tasks/math500.py, which
# judges by the same function, gives it the last \boxed{ alone.
#
# Seen (lm_eval 0.4.13; the right answer is 204):
#     1 "\boxed{203}. No: \boxed{204}."
#     1 "It is $\boxed 204$."
#     0 "I put the answer into \boxed notation. It is \boxed{204}."
#     0 "It is $\boxed 203$. No: $\boxed{204}$."
#     1 "It is $\boxed 204$. No: $\boxed{203}$."
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check lm_eval==0.4.13
fi
cat >"$folder/box.py" <<'PYTHON'
import sys
from importlib.metadata import version

from lm_eval.tasks.aime.utils import process_results

RESPONSES = {  # -> what lm-eval 0.4.13 gives
    r"\boxed{203}. No: \boxed{204}.": 1,
    r"It is $\boxed 204$.": 1,
    r"I put the answer into \boxed notation. It is \boxed{204}.": 0,
    r"It is $\boxed 203$. No: $\boxed{204}$.": 0,
    r"It is $\boxed 204$. No: $\boxed{203}$.": 1,
}
print(f"lm_eval {version('lm_eval')}; the right answer is 204")
holds = True
for response, expected in RESPONSES.items():
    found = process_results({"Answer": 204}, [response])["exact_match"]
    print(f'{found} "{response}"')
    holds &= found == expected
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
"$python" "$folder/box.py"
