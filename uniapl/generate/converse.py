"""Multi-IF with a model: three turns, each answered after the model's own earlier answers.

    python -m uniapl.generate.converse --conversations multi_if.jsonl --model CHECKPOINT --out responses.jsonl
    python -m uniapl.score --family multi_if --prompts multi_if.jsonl --responses responses.jsonl --format md

Conversations are facebook/Multi-IF's file, or the one that `python -m uniapl.data.public` writes; a row of the output
is key, turn (1 to 3) and response. Answers are greedy, and come through lm-eval's models: transformers, or vLLM with
`--backend vllm`. A chat that fills the context loses its first tokens, as the harness does it.

`--rows FILE` also scores the answers, and writes them as uniapl/generate/suite.py writes its benchmarks: of each turn
of each conversation the metrics prompt_strict (1 where all instructions so far are followed) and inst_strict (their
share).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from uniapl.data.conversations import Conversation, messages, read_conversations
from uniapl.errors import UserError, at_least_one, one_line_errors
from uniapl.generate.suite import BACKENDS, COLUMNS, load, means
from uniapl.jsonl import write_jsonl
from uniapl.provenance import checksums
from uniapl.scorers import multi_if
from uniapl.scorers.files import ENDINGS, write_frame


def converse(lm, conversations: Sequence[Conversation], max_new_tokens: int) -> list[dict]:
    """key, turn and response of every turn, in the conversations' order. `lm` is a model of lm-eval."""
    from lm_eval.api.instance import Instance

    answers: dict[str, list[str]] = {conversation.key: [] for conversation in conversations}
    arguments = {"until": [], "do_sample": False, "max_gen_toks": max_new_tokens}
    for number in range(max(len(conversation.turns) for conversation in conversations)):
        going_on = [conversation for conversation in conversations if len(conversation.turns) > number]
        chats = [lm.apply_chat_template(messages(conversation, answers[conversation.key])) for conversation in going_on]
        requests = [Instance("generate_until", {}, (chat, dict(arguments)), i) for i, chat in enumerate(chats)]
        for conversation, answer in zip(going_on, lm.generate_until(requests), strict=True):
            answers[conversation.key].append(answer)
    return [
        {"key": key, "turn": turn, "response": response}
        for key, responses in answers.items()
        for turn, response in enumerate(responses, start=1)
    ]


def values(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows (COLUMNS of stage suite) of what `multi_if.score` returns: task multi_if_turn_N, doc_id the key."""
    of_turn = scores.groupby(["key", "turn"], sort=False)["strict"]
    wide = of_turn.agg(prompt_strict="min", inst_strict="mean")
    long = wide.stack().rename("value").rename_axis(["doc_id", "turn", "metric"]).reset_index()
    return long.assign(task="multi_if_turn_" + long["turn"].astype(str))[COLUMNS]


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a checkpoint's folder or a hub id")
    parser.add_argument("--out", type=Path, required=True, help="the answers, as JSON Lines")
    parser.add_argument("--rows", type=Path, help="their scores, as CSV or Parquet by the name's ending")
    parser.add_argument("--backend", choices=BACKENDS, default=BACKENDS[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--max-new-tokens", type=int, default=1280)
    args = parser.parse_args(argv)
    at_least_one(args, "batch", "max_new_tokens")
    if args.rows and args.rows.suffix not in ENDINGS:
        raise UserError(f"{args.rows}: must end in {' or '.join(ENDINGS)}")
    conversations = read_conversations(args.conversations)
    lm = load(args.model, args.batch, args.backend)
    answers = converse(lm, conversations, args.max_new_tokens)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_jsonl(args.out, answers)
    checksums.record(args.out)
    if args.rows:
        frame = values(multi_if.score(conversations, multi_if.join(conversations, answers)))
        write_frame(frame, args.rows)
        checksums.record(args.rows)
        print(means(frame).to_string(index=False))


if __name__ == "__main__":
    main()
