#!/usr/bin/env bash
# Math-Verify 0.9.0 (latex2sympy2_extended 1.11.0) drops the base of a number. The digits alone are compared: of a
# gold answer 2516_8, which questions about bases have, 2516_9 and 2516 are right, and 1358, its value, is wrong. A gold
# answer 204 is met by 204_5, which is 54. Of a name the index counts: x_1 is not x_2. Nothing warns, and its README
# names no such rule. A reward by it pays for a wrong base.
# Expected: numbers of different value differ, or nothing is read, as of other things that the parser does not know.
#
# No model, no download but the packages. Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that
# has the packages already; without it they are installed in a temporary folder. This suite judges by lm-eval's
# comparison of strings, which keeps the base.
#
# Seen (math-verify 0.9.0, latex2sympy2_extended 1.11.0):
#     gold 2516_8, answer 2516_8: right
#     gold 2516_8, answer 2516_9: right
#     gold 2516_8, answer 2516: right
#     gold 2516_8, answer 1358: wrong
#     gold 4210_{5}, answer 4210_{7}: right
#     gold 204, answer 204_5: right
#     gold 54, answer 204_5: wrong
#     gold x_1, answer x_2: wrong
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check latex2sympy2_extended==1.11.0 \
    "math-verify[antlr4_13_2]==0.9.0"
fi
cat >"$folder/bases.py" <<'PYTHON'
import sys
from importlib.metadata import version

from math_verify import parse, verify

CASES = [  # gold answer, a response's answer, what Math-Verify 0.9.0 says
    ("2516_8", "2516_8", True),
    ("2516_8", "2516_9", True),
    ("2516_8", "2516", True),
    ("2516_8", "1358", False),
    ("4210_{5}", "4210_{7}", True),
    ("204", "204_5", True),
    ("54", "204_5", False),
    ("x_1", "x_2", False),
]
print(f"math-verify {version('math-verify')}, latex2sympy2_extended {version('latex2sympy2_extended')}")
holds = True
for gold, answer, expected in CASES:
    found = verify(parse(f"${gold}$"), parse(f"The answer is \\boxed{{{answer}}}."))
    print(f"gold {gold}, answer {answer}: {'right' if found else 'wrong'}")
    holds &= found == expected
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
"$python" "$folder/bases.py"
