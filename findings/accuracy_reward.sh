#!/usr/bin/env bash
# TRL 1.16.0: trl.rewards.accuracy_reward takes "raw-text solutions", and its example is a gold answer in bare LaTeX,
# \frac{1}{3}. Math-Verify, which reads it, takes LaTeX only between delimiters (its FAQ says so, TRL does not): of
# other bare LaTeX it reads a plain number that occurs in it, or nothing. The example works because a fraction is a
# special case. Gold answers as MATH-500's column `answer` has them reward a wrong number with 1 and the right answer
# with 0; where nothing is read the row has no reward. $...$ around the gold answer repairs it.
# Two boxes, as a model writes that corrects itself, are read as a set of both: 0, whichever of them is right.
# Expected: 1 for the gold answer itself, 0 for another one; of several boxes one that counts.
#
# No model, no download but the packages. Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that
# has the packages already; without it they are installed in a temporary folder.
#
# Seen (trl 1.16.0, math-verify 0.9.0, latex2sympy2_extended 1.11.0): reward of the gold answer in a box, and of another
#     gold \frac{1}{3}: 1.0, of 3: 0.0; gold in $...$: 1.0, of 3: 0.0
#     gold 2\sqrt{3}: 0.0, of 2: 1.0; gold in $...$: 1.0, of 2: 0.0
#     gold \left( 3, \frac{\pi}{2} \right): 0.0, of 3: 1.0; gold in $...$: 1.0, of 3: 0.0
#     gold 1 - \sqrt{2}: 0.0, of 1: 1.0; gold in $...$: 1.0, of 1: 0.0
#     gold \sqrt{2}: None, of 2: None; gold in $...$: 1.0, of 2: 0.0
#     gold 2, "First \boxed{1}. No, \boxed{2}.": 0.0, "First \boxed{2}. No, \boxed{1}.": 0.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.17.0 trl==1.16.0 \
    accelerate==1.15.0 datasets==5.2.0 latex2sympy2_extended==1.11.0 "math-verify[antlr4_13_2]==0.9.0"
fi
cat >"$folder/reward.py" <<'PYTHON'
import sys
from importlib.metadata import version

import trl
from trl.rewards import accuracy_reward

print(f"trl {trl.__version__}, math-verify {version('math-verify')}")


def reward(gold: str, *contents: str) -> list[float | None]:
    """Of each response to a prompt with this gold answer."""
    return accuracy_reward([[{"role": "assistant", "content": text}] for text in contents], [gold] * len(contents))


CASES = [  # gold answer, another answer
    (r"\frac{1}{3}", "3"),
    (r"2\sqrt{3}", "2"),
    (r"\left( 3, \frac{\pi}{2} \right)", "3"),
    (r"1 - \sqrt{2}", "1"),
    (r"\sqrt{2}", "2"),
]
bare = []
holds = True
for gold, other in CASES:
    responses = [f"The answer is \\boxed{{{answer}}}." for answer in (gold, other)]
    bare.append(reward(gold, *responses))
    delimited = reward(f"${gold}$", *responses)
    print(
        f"gold {gold}: {bare[-1][0]}, of {other}: {bare[-1][1]}; "
        f"gold in $...$: {delimited[0]}, of {other}: {delimited[1]}"
    )
    holds &= delimited == [1.0, 0.0]
holds &= bare == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [None, None]]
texts = [r"First \boxed{1}. No, \boxed{2}.", r"First \boxed{2}. No, \boxed{1}."]
last, first = reward("2", *texts)
print(f'gold 2, "{texts[0]}": {last}, "{texts[1]}": {first}')
holds &= last == first == 0.0
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
"$python" "$folder/reward.py" 2>"$folder/log" || { status=$?; tail -20 "$folder/log" >&2; exit "$status"; }
