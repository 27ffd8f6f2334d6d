"""Writes the folder `policy`: a random model of 0.1 million parameters, so that the example needs no download.

`python policy.py`, with the suite's environment active. Any folder with config.json, *.safetensors and a tokenizer that
has a chat template takes its place.
"""

import json
from pathlib import Path

from uniapl.data.miniature.model import Size, write_scratch

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    files = sorted(HERE.glob("prompts/*.jsonl"))
    texts = [json.loads(line)["prompt"] for path in files for line in path.read_text().splitlines()]
    size = Size(vocabulary=500, hidden=32, layers=2, heads=2, head=16, intermediate=48)
    print(write_scratch(HERE / "policy", texts, size, seed=0))
