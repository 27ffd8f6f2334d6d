#!/usr/bin/env bash
# reasoning-gym 0.1.25: two data sets give the full score to wrong answers, by their own score_answer.
# game_of_life_halting: the answer is the text True or False, compared by bool(answer) == bool(gold answer), and the
# text "False" is true. Every answer but the empty one scores 1, so a reward or an accuracy on it measures nothing.
# coin_flip: the digits from the left that agree with the probability are divided by the length of the SHORTER text, so
# "0" scores 1 wherever the probability is written 0.something. Of two wrong answers that agree as far, the shorter
# scores more.
# Expected: less than 1 for a wrong answer. (The docstrings: 1.0 for a correct answer; small numeric errors.)
#
# Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that has the package already; without it it
# is installed in a temporary folder. This suite uses neither data set.
#
# Seen (reasoning-gym 0.1.25, Python 3.11; mean score over 100 questions of seed 42, and how many are right by value):
#     game_of_life_halting, always 'True': mean score 1.00, right 45 times
#     game_of_life_halting, always 'False': mean score 1.00, right 55 times
#     game_of_life_halting, always 'I do not know': mean score 1.00, right 0 times
#     coin_flip, always '0': mean score 0.92, right 4 times
#     coin_flip, always '0.999': mean score 0.39, right 2 times
#     coin_flip, always '0.3141592': mean score 0.26, right 0 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check reasoning-gym==0.1.25 setuptools wheel
fi
cat >"$folder/scores.py" <<'PYTHON'
import sys
from fractions import Fraction

from reasoning_gym.factory import create_dataset


def scores(name: str, answers: list[str], right) -> dict[str, tuple[float, int]]:
    """Of each answer, given to 100 questions: its mean score, and to how many it is the right one."""
    drawn = create_dataset(name, seed=42, size=100)
    entries = [drawn[i] for i in range(100)]
    found = {}
    for answer in answers:
        mean = sum(drawn.score_answer(answer, entry) for entry in entries) / 100
        found[answer] = mean, sum(right(answer, entry["answer"]) for entry in entries)
        print(f"{name}, always {answer!r}: mean score {mean:.2f}, right {found[answer][1]} times")
    return found


halting = scores("game_of_life_halting", ["True", "False", "I do not know"], lambda answer, gold: answer == gold)
coins = scores(
    "coin_flip", ["0", "0.999", "0.3141592"], lambda answer, gold: abs(Fraction(answer) - Fraction(gold)) < 1e-4
)
holds = all(mean == 1 and right < 90 for mean, right in halting.values())
holds &= coins["0"][0] > 0.8 and coins["0"][1] < 10 and coins["0.3141592"][0] < coins["0.999"][0] < coins["0"][0]
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
"$python" "$folder/scores.py"
