"""What the editing did: per instruction type how often and how much, and how the base itself finds the result.

    python -m uniapl.data.everyday.report --prompts P.jsonl [...] --demonstrations demonstrations.jsonl \\
        --model FOLDER --out report.json [--examples examples.md] [--rows 256]

`--out` gets, for every type and for all rows:

    prompts, accepted, edited   shares: of the answers that became demonstrations, and of those that this type's editor
                                changed (`edited`), or any editor (`changed by any`)
    written, cut                shares of tokens: of the demonstration's that are not the answer's, and the reverse
    perplexity                  of the base on the answers and on the demonstrations, over all tokens (`before`,
                                `after`), and on the edited ones alone

Perplexity is measured on the first `--rows` demonstrations. `--examples` gets 20 demonstrations that are drawn at
random, as they are.
"""

import argparse
import difflib
import json
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from uniapl.data.teach.__main__ import read_all
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl
from uniapl.models.checkpoints import load_policy, load_tokenizer, messages

ALL = "all"


def token_shares(original: Sequence[int], edited: Sequence[int]) -> tuple[int, int]:
    """How many tokens of `edited` are in no passage of `original`, and how many of `original` in none of `edited`."""
    blocks = difflib.SequenceMatcher(None, original, edited, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    return len(edited) - same, len(original) - same


def perplexity(values: Sequence[tuple[float, int]]) -> float | None:
    """exp of the mean of -log p over all tokens, of (sum of log p, tokens) per text; None without tokens."""
    tokens = sum(n for _, n in values)
    return math.exp(-sum(total for total, _ in values) / tokens) if tokens else None


def log_likelihoods(model, tokenizer, texts: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
    """Of each (prompt, response) the sum of the response's log p under the model, in nats, and its tokens."""
    from uniapl.models.logprobs import token_logprobs

    pairs = []
    for prompt, response in texts:
        start = tokenizer.apply_chat_template(messages(prompt), add_generation_prompt=True, return_dict=False)
        pairs.append((start, tokenizer(response, add_special_tokens=False)["input_ids"]))
    return [(float(values.sum()), len(values)) for values in token_logprobs(model, pairs, batch=8)]


def table(prompts: Sequence[dict], rows: Sequence[dict], tokenizer, likelihoods: dict) -> dict:
    """The report's figures by type. `likelihoods`: by key, log-likelihood of the answer and of the demonstration."""
    asked = {prompt["key"]: prompt for prompt in prompts}
    groups: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        for name in {ALL, *asked[row["key"]]["instruction_id_list"]}:
            groups[name].append(row)
    ids = {
        row["key"]: [tokenizer(row[name], add_special_tokens=False)["input_ids"] for name in ("original", "response")]
        for row in rows
    }
    found = {}
    for name, members in sorted(groups.items()):
        passed = [row for row in members if row["passed"]]
        shares = [token_shares(*ids[row["key"]]) for row in passed]
        before, after = (sum(len(ids[row["key"]][side]) for row in passed) for side in (0, 1))
        measured = [row for row in passed if row["key"] in likelihoods]
        touched = [row for row in measured if row["edits"]]
        found[name] = {
            "prompts": len(members),
            "accepted": len(passed) / len(members),
            "edited": sum(name in row["edits"] for row in passed) / len(passed) if passed and name != ALL else None,
            "changed by any": sum(bool(row["edits"]) for row in passed) / len(passed) if passed else None,
            "written": sum(n for n, _ in shares) / after if after else None,
            "cut": sum(n for _, n in shares) / before if before else None,
            "tokens": {"before": before / len(passed), "after": after / len(passed)} if passed else None,
            "perplexity": {
                "rows": len(measured),
                "before": perplexity([likelihoods[row["key"]][0] for row in measured]),
                "after": perplexity([likelihoods[row["key"]][1] for row in measured]),
                "edited rows": len(touched),
                "edited, before": perplexity([likelihoods[row["key"]][0] for row in touched]),
                "edited, after": perplexity([likelihoods[row["key"]][1] for row in touched]),
            },
        }
    return found


def examples(prompts: Sequence[dict], rows: Sequence[dict], n: int = 20, seed: int = 0) -> str:
    """`n` accepted demonstrations, drawn at random, with their prompts, as Markdown."""
    asked = {prompt["key"]: prompt for prompt in prompts}
    passed = [row for row in rows if row["passed"]]
    drawn = random.Random(f"{seed}/examples").sample(passed, min(n, len(passed)))
    parts = [
        f"# {len(drawn)} demonstrations, drawn at random\n\nOf {len(passed)} that were accepted (seed {seed}); nothing "
        "is left out or mended. `edits`: the types of instruction whose editors changed the answer of the base.\n"
    ]
    for number, row in enumerate(drawn, 1):
        edits = ", ".join(row["edits"]) or "none"
        parts.append(
            f"## {number}. {row['key']}\n\nPrompt:\n\n~~~~text\n{asked[row['key']]['prompt']}\n~~~~\n\n"
            f"Edits: {edits}.\n\nDemonstration:\n\n~~~~text\n{row['response']}\n~~~~\n"
        )
    return "\n".join(parts)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, nargs="+", required=True)
    parser.add_argument("--demonstrations", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's checkpoint")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--examples", type=Path)
    parser.add_argument("--rows", type=int, default=256)
    args = parser.parse_args(argv)
    prompts, rows = read_all(args.prompts), read_jsonl(args.demonstrations)
    asked = {prompt["key"]: prompt["prompt"] for prompt in prompts}
    if unknown := [row["key"] for row in rows if row["key"] not in asked]:
        raise UserError(f"{args.demonstrations}: {len(unknown)} rows answer no prompt: {', '.join(unknown[:3])}")
    tokenizer, measured = load_tokenizer(args.model), [row for row in rows if row["passed"]][: args.rows]
    texts = [(asked[row["key"]], row[name]) for row in measured for name in ("original", "response")]
    values = log_likelihoods(load_policy(args.model), tokenizer, texts) if texts else []
    likelihoods = {row["key"]: (values[2 * i], values[2 * i + 1]) for i, row in enumerate(measured)}
    found = table(prompts, rows, tokenizer, likelihoods)
    args.out.write_text(json.dumps(found, indent=2) + "\n")
    if args.examples:
        args.examples.write_text(examples(prompts, rows), encoding="utf-8")
    print(json.dumps(found[ALL], indent=2))


if __name__ == "__main__":
    main()
