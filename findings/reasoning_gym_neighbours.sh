#!/usr/bin/env bash
# reasoning-gym 0.1.25: neighbouring seeds give the same questions, shifted by one. Entry i is drawn from
# Random(seed + i), so entry i of seed 43 is entry i + 1 of seed 42. A test set of the next seed lies in the training
# set but for one question, and "five seeds" of a data set are one. ReseedingDataset, by its docstring infinite, takes
# the next seed for the next chunk, and so repeats its chunk but for one question.
# Expected: another seed, other questions. Seeds further apart than the size of the data set are safe.
#
# Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that has the package already; without it it
# is installed in a temporary folder.
#
# Seen (reasoning-gym 0.1.25, Python 3.11; chain_sum and letter_counting as they come):
#     chain_sum: of 100 test questions of seed 43, 100 are among 1,000 training questions of seed 42, of seed 1000042 1
#     letter_counting: the same, 100 and 0
#     chain_sum, 1,500 questions of ReseedingDataset: 498 different ones
#     data sets whose seed 43 is seed 42 shifted by one: 101 of 105, not acre, codeio, gsm_symbolic, list_functions
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check reasoning-gym==0.1.25 setuptools wheel
fi
cat >"$folder/neighbours.py" <<'PYTHON'
import itertools
import sys

from reasoning_gym.dataset import ReseedingDataset
from reasoning_gym.factory import DATASETS, create_dataset


def questions(name: str, seed: int, size: int, asked: int | None = None) -> list[str]:
    drawn = create_dataset(name, seed=seed, size=size)
    return [drawn[i]["question"] for i in range(asked or size)]


shared = []
for name in ("chain_sum", "letter_counting"):
    train = set(questions(name, 42, 1000))
    near, far = (sum(question in train for question in questions(name, seed, 100)) for seed in (43, 1_000_042))
    print(
        f"{name}: of 100 test questions of seed 43, {near} are among 1,000 training questions of seed 42, "
        f"of seed 1000042 {far}"
    )
    shared.append((near, far))
stream = ReseedingDataset(create_dataset("chain_sum", seed=42, size=500), chunk_size=500)
different = len({entry["question"] for entry in itertools.islice(stream, 1500)})
print(f"chain_sum, 1,500 questions of ReseedingDataset: {different} different ones")
names = sorted(set(DATASETS) - {"composite"})
other = [name for name in names if questions(name, 42, 50, 4)[1:] != questions(name, 43, 50, 3)]
print(
    f"data sets whose seed 43 is seed 42 shifted by one: {len(names) - len(other)} of {len(names)}, "
    f"not {', '.join(other)}"
)
holds = all(near == 100 and far < 10 for near, far in shared) and different < 510 and len(other) < 10
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
"$python" "$folder/neighbours.py"
