"""POLAR (arXiv 2507.05197): internlm/POLAR-1_8B and -7B, as a model in this process or behind vLLM.

text    P \\n reference <|reward|> P \\n response [UNUSED_TOKEN_130]
score   scalar head at the last token, raw: unbounded, not calibrated, higher is nearer to the reference

POLAR's checkpoint is InternLM2 with remote code. No remote code is executed: InternLM2 is Llama with other names and a
fused wqkv, so the tensors are renamed into a stock Llama. Its dynamic RoPE is plain RoPE up to
max_position_embeddings; longer inputs, on which the two would differ, are refused.

Text and truncation are those of POLAR's client (src/polar/reward_func.py; the same code is xtuner's RewardModelClient),
which differs from its description in one point: the newline before an empty response stays, because the client tests
`len(r2) == ""`, which is never true.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from uniapl.checkers.thinking import strip_thinking
from uniapl.discriminators.pairs import Row, Scorer, fastest_device, whole_weights
from uniapl.errors import UserError

ARCHITECTURES = ["InternLM2ForRewardModel"]
SEPARATOR, SCORED = "<|reward|>", "[UNUSED_TOKEN_130]"
MAX_LENGTH, MAX_RESPONSE = 16_384, 4_096  # tokens, POLAR's client


@dataclass(frozen=True)
class Tokens:
    """POLAR's tokenizer: `tokenizer` is a tokenizers.Tokenizer; the ids are those of <s> and of the two marks."""

    tokenizer: object
    bos: int
    separator: int
    scored: int
    max_length: int = MAX_LENGTH
    max_response: int = MAX_RESPONSE

    def ids(self, texts: list[str]) -> list[list[int]]:
        """Ids without <s>."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def text(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)


def _without_thinking(response: str) -> str:
    """The response after the thinking before it, stripped; a response without any, or with an open one, as it is."""
    answer = strip_thinking(response)
    return response if answer == response else answer.strip()


def fit(prompt: str, reference: str, response: str, tokens: Tokens) -> tuple[str, str, str]:
    """The three texts cut as POLAR's client cuts them.

    Reference and response keep their first `max_response` tokens, the prompt its last (max_length - 4 - both) // 2;
    each length counts a leading <s>. All are decoded without special tokens, so no text can bring a mark of its own.
    """
    p, r1, r2 = ([tokens.bos, *ids] for ids in tokens.ids([prompt, reference, response]))
    r1, r2 = r1[: tokens.max_response], r2[: tokens.max_response]
    room = (tokens.max_length - 4 - len(r1) - len(r2)) // 2
    p = p[max(0, len(p) - room) :]  # nothing of it where there is no room; POLAR's limits always leave some
    return tokens.text(p), tokens.text(r1), tokens.text(r2)


def layout(prompt: str, reference: str, response: str) -> str:
    """The text that POLAR scores."""
    return f"{prompt}\n{reference}{SEPARATOR}{prompt}\n{response}{SCORED}"


def encoder(tokens: Tokens, limit: int) -> Callable[[list[str], list[str], list[str]], list[Row]]:
    """Turns texts into rows: the ids of <s> and `layout`. Raises UserError for a row of more than `limit` tokens.

    The halves are tokenized apart, which is what the tokenizer does at the mark between them. The prefix ends where the
    ids of `P \\n` and of `P \\n response` part: a merge across that border moves it, and changes no id.
    """

    def encode(prompts: list[str], references: list[str], responses: list[str]) -> list[Row]:
        rows = []
        for prompt, reference, response in zip(prompts, references, responses, strict=True):
            p, r1, r2 = fit(prompt, reference, _without_thinking(response), tokens)
            start, first, second = tokens.ids([f"{p}\n", f"{p}\n{r1}", f"{p}\n{r2}"])
            same = next((i for i, (a, b) in enumerate(zip(start, second, strict=False)) if a != b), None)
            same = min(len(start), len(second)) if same is None else same
            row = Row(
                (tokens.bos, *first, tokens.separator, *second[:same]),
                (*second[same:], tokens.scored),
            )
            length = len(row.prefix) + len(row.rest)
            if length > limit:
                raise UserError(
                    f"POLAR: an input has {length} tokens, and beyond max_position_embeddings = {limit} its dynamic "
                    "RoPE is not the RoPE used here: shorten the prompts"
                )
            rows.append(row)
        return rows

    return encode


def llama(config: dict, tensors: dict[str, Tensor]):
    """InternLM2's configuration and tensors as a LlamaConfig and the state dict of LlamaForSequenceClassification.

    wqkv (rows) holds per KV head its queries, then its key, then its value: (KV heads, queries + 2, head size).
    """
    from transformers import LlamaConfig

    hidden, heads, kv = (config[key] for key in ("hidden_size", "num_attention_heads", "num_key_value_heads"))
    size = hidden // heads
    renamed = {
        "model.tok_embeddings.": "model.embed_tokens.",
        "attention.wo.": "self_attn.o_proj.",
        "feed_forward.w1.": "mlp.gate_proj.",
        "feed_forward.w3.": "mlp.up_proj.",
        "feed_forward.w2.": "mlp.down_proj.",
        "attention_norm.": "input_layernorm.",
        "ffn_norm.": "post_attention_layernorm.",
        "v_head.": "score.",
    }
    state = {}
    for name, value in tensors.items():
        if name.endswith("rotary_emb.inv_freq"):
            continue  # a constant that some versions of the modelling code saved
        if "attention.wqkv." in name:
            groups = value.view(kv, heads // kv + 2, size, hidden)
            for part, rows in (("q", groups[:, :-2]), ("k", groups[:, -2]), ("v", groups[:, -1])):
                state[name.replace("attention.wqkv", f"self_attn.{part}_proj")] = rows.reshape(-1, hidden).contiguous()
            continue
        for theirs, ours in renamed.items():
            name = name.replace(theirs, ours)
        state[name] = value
    return LlamaConfig(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        intermediate_size=config["intermediate_size"],
        num_hidden_layers=config["num_hidden_layers"],
        num_attention_heads=heads,
        num_key_value_heads=kv,
        max_position_embeddings=config["max_position_embeddings"],
        rms_norm_eps=config["rms_norm_eps"],
        rope_parameters={"rope_type": "default", "rope_theta": float(config["rope_theta"])},
        hidden_act=config["hidden_act"],
        num_labels=1,
    ), state


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"POLAR: {path}: {error}") from error


def load_tokens(folder: Path) -> Tokens:
    """The tokenizer of a POLAR checkpoint. Raises UserError where its marks are missing or one and the same.

    In older InternLM2 reward tokenizers <|reward|> is the id of [UNUSED_TOKEN_130]: with one of these, POLAR scores
    another text without any error.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if not path.exists():
        raise UserError(
            f"POLAR: {folder} has no tokenizer.json: write it once with AutoTokenizer.from_pretrained(..., "
            "trust_remote_code=True).save_pretrained(...) where you trust that code; it is not executed here"
        )
    tokenizer, bos = Tokenizer.from_file(str(path)), _read(folder / "config.json").get("bos_token_id")
    separator, scored = (tokenizer.token_to_id(mark) for mark in (SEPARATOR, SCORED))
    for mark, id in ((SEPARATOR, separator), (SCORED, scored), ("bos_token_id", bos)):
        if id is None:
            raise UserError(f"POLAR: {folder} knows no {mark}: it is not the tokenizer of POLAR")
    # by name they may differ and still be one token to the encoder, so encoding decides
    as_text = [tokenizer.encode(mark, add_special_tokens=False).ids for mark in (SEPARATOR, SCORED)]
    if separator == scored or as_text != [[separator], [scored]]:
        raise UserError(
            f"POLAR: in {path} {SEPARATOR} and {SCORED} must be two special tokens with ids of their own, and are "
            f"{as_text[0]} and {as_text[1]}: this is the tokenizer of another reward model, which scores wrong text"
        )
    return Tokens(tokenizer, bos, separator, scored)


def check(folder: Path) -> None:
    """Raise UserError where a folder holds no POLAR that `load` can read: its tokenizer, its shapes. Reads no weights.

    For the moment after a download: what is found here would otherwise end the first training, after the teacher.
    """
    from safetensors import safe_open
    from transformers import LlamaForSequenceClassification

    load_tokens(folder)
    tensors: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            tensors |= {
                name: torch.empty(file.get_slice(name).get_shape(), device="meta")
                for name in file.keys()  # noqa: SIM118 - no dictionary
            }
    shape, state = _renamed(folder, tensors)
    with torch.device("meta"):
        wanted = {name: value.shape for name, value in LlamaForSequenceClassification(shape).state_dict().items()}
    found = {name: value.shape for name, value in state.items()}
    if wrong := sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)):
        raise UserError(
            f"POLAR: {folder} holds other tensors than its config.json asks for: {', '.join(wrong[:3])} ({len(wrong)})"
        )


def _renamed(folder: Path, tensors: dict[str, Tensor]):
    """`llama` of a folder's configuration and these tensors of it. Raises UserError where it is no POLAR."""
    config = _read(folder / "config.json")
    if config.get("architectures") != ARCHITECTURES:
        raise UserError(f"POLAR: {folder} holds {config.get('architectures')}, not {ARCHITECTURES}")
    if config.get("bias"):
        raise UserError(f"POLAR: {folder} has biases in its attention, which POLAR has not")
    try:
        return llama(config, tensors)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"POLAR: {folder} is incomplete or inconsistent: {error}") from error


def load(folder: Path, *, batch: int = 8) -> Scorer:
    """POLAR as a frozen `pairs.Scorer`: float32 on a CPU; on a GPU float16, as published.

    `folder` has config.json, *.safetensors and tokenizer.json. Raises UserError where it is not a POLAR. `batch` is in
    rows.
    """
    from safetensors.torch import load_file
    from transformers import LlamaForSequenceClassification

    config, tokens = _read(folder / "config.json"), load_tokens(folder)
    files = sorted(folder.glob("*.safetensors"))
    tensors = {name: value for file in files for name, value in load_file(file).items()}
    shape, state = _renamed(folder, tensors)
    device = fastest_device()
    with whole_weights():
        model, found = LlamaForSequenceClassification.from_pretrained(
            None,
            config=shape,
            state_dict=state,
            dtype=torch.float16 if device.type == "cuda" else torch.float32,
            ignore_mismatched_sizes=True,  # reported below, with the others
            output_loading_info=True,
        )
    wrong = {kind: sorted(map(str, names)) for kind, names in found.items() if names}
    if wrong:
        kinds = "; ".join(f"{kind}: {', '.join(names[:3])} ({len(names)})" for kind, names in wrong.items())
        raise UserError(f"POLAR: {folder} holds other tensors than its config.json asks for: {kinds}")
    return Scorer(model.to(device), encoder(tokens, config["max_position_embeddings"]), batch=batch)


@dataclass(frozen=True)
class Endpoint:
    """POLAR behind vLLM's pooling endpoint (`vllm serve ... --runner pooling`): POST {url}/pooling.

    `tokens` cuts long texts as POLAR's client does; without it they are sent whole, and a server refuses what is too
    long for it. `timeout` and `backoff` are in seconds; a request is repeated `retries` times, with doubled pauses,
    where the server cannot be reached, is too slow or answers 5xx.
    """

    url: str
    model: str
    tokens: Tokens | None = None
    batch: int = 64
    timeout: float = 60.0
    retries: int = 3
    backoff: float = 0.5

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> Tensor:
        """Scores (N,), float32. Raises UserError, naming url and status, where the server gives none."""
        texts = []
        for prompt, reference, response in zip(prompts, references, responses, strict=True):
            parts = (prompt, reference, _without_thinking(response))
            texts.append(layout(*(fit(*parts, self.tokens) if self.tokens else parts)))
        scores: list[float] = []
        for start in range(0, len(texts), self.batch):
            scores += self._ask(texts[start : start + self.batch])
        return torch.tensor(scores, dtype=torch.float32)

    def _ask(self, texts: list[str]) -> list[float]:
        body = self._post(json.dumps({"model": self.model, "input": texts}).encode())
        try:
            rows = sorted(json.loads(body)["data"], key=lambda row: row["index"])
            scores = [float(row["data"][-1][0]) for row in rows]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise UserError(f"{self.url}/pooling: no pooling answer: {body[:80]!r} ({error!r})") from error
        if len(scores) != len(texts):
            raise UserError(f"{self.url}/pooling: {len(scores)} scores for {len(texts)} texts")
        return scores

    def _post(self, body: bytes) -> bytes:
        try:
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"{self.url}/pooling", data=body, headers=headers)
        except ValueError as error:
            raise UserError(f"{self.url}/pooling: {error}; a URL begins with http://") from error
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(self.backoff * 2 ** (attempt - 1))
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                problem = f"status {error.code} ({error.read(200)!r})"
                if error.code < 500:  # the request is wrong, and stays wrong
                    raise UserError(f"{self.url}/pooling: {problem}") from error
            except (OSError, http.client.HTTPException) as error:  # not reached, cut off, or too late
                problem = str(getattr(error, "reason", error))
        raise UserError(f"{self.url}/pooling: {problem}, after {self.retries + 1} attempts")
