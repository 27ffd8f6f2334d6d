#!/usr/bin/env bash
# Snakemake runs this in the folder of the project, with the new environment activated. It copies environment files
# to where environments live, so a path to the lock inside uniapl.yaml would lead nowhere.
set -euo pipefail
python -m pip install --quiet --requirement requirements.lock
python -m pip install --quiet --no-deps --require-hashes --requirement envs/small.txt
