"""The rule of stage teach: ask, judge, keep the first answer that passes, and stop before the budget is exceeded."""

import dataclasses
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from uniapl import checkers
from uniapl.data.teach import Teacher, identity
from uniapl.data.teach.answer import Answer, Refusal, Request, rejection, seed_of
from uniapl.data.teach.ledger import BudgetSpent, Journal, Meter
from uniapl.errors import UserError
from uniapl.jsonl import read_json
from uniapl.provenance import checksums

Backend = Callable[[Iterator[Request | None], Meter], Generator[Answer | Refusal, None, None]]
GIVE_UP = 10  # requests in a row without an answer: it is the endpoint, not the prompt


class Answers:
    """The answers to `prompts` so far: which prompts wait for another, and what was earned."""

    def __init__(self, prompts: list[dict], rows: list[dict]):
        self.prompts, self.rows = prompts, rows
        self.asked = Counter(row["key"] for row in rows)
        self.accepted = {row["key"] for row in rows if row["passed"]}

    def add(self, row: dict) -> None:
        self.rows.append(row)
        self.asked[row["key"]] += 1
        if row["passed"]:
            self.accepted.add(row["key"])

    def pending(self, attempts: int) -> list[dict]:
        """The prompts without a demonstration that were answered less than `attempts` times, in their order."""
        return [p for p in self.prompts if p["key"] not in self.accepted and self.asked[p["key"]] < attempts]

    def summary(self) -> dict:
        """Counts: prompts, answers, why answers were rejected, acceptance by type of instruction and by attempt."""
        types: dict[str, dict] = defaultdict(lambda: {"prompts": 0, "accepted": 0})
        for prompt in self.prompts:
            for name in set(prompt["instruction_id_list"]):
                types[name]["prompts"] += 1
                types[name]["accepted"] += prompt["key"] in self.accepted
        return {
            "prompts": len(self.prompts),
            "answered": len(self.asked),
            "accepted": len(self.accepted),
            "answers": len(self.rows),
            "rejected": Counter(row["reason"] for row in self.rows if not row["passed"]),
            "accepted_at_attempt": dict(sorted(Counter(r["attempt"] for r in self.rows if r["passed"]).items())),
            "prompt_tokens": sum(row["prompt_tokens"] or 0 for row in self.rows),
            "completion_tokens": sum(row["completion_tokens"] or 0 for row in self.rows),
            "instruction_types": dict(sorted(types.items())),
        }


def with_verdict(outcome: Answer | Refusal, prompt: dict, rules: tuple) -> dict:
    """The row of an answer, or of a refusal to give one."""
    reason, broken = rejection(outcome, prompt["instruction_id_list"], rules)
    text = Answer(outcome.request, "", "refused", 0, 0, "") if isinstance(outcome, Refusal) else outcome
    return {
        "key": prompt["key"],
        "attempt": outcome.request.attempt,
        "model": text.model,
        "response": text.text,
        "finish_reason": text.finish_reason,
        "prompt_tokens": text.prompt_tokens,
        "completion_tokens": text.completion_tokens,
        "passed": reason is None,
        "reason": reason,
        "broken": broken,
    }


def _write_json(path: Path, value: dict) -> None:
    """Write the whole file or, where that fails, leave it as it was."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(value, indent=2) + "\n")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{path}: {error.strerror}: make room and run again, it continues") from error


def same_settings(path: Path, settings: dict, begun: bool) -> None:
    """Write what the answers depend on beside them. Raises UserError where they were begun with something else."""
    if begun:
        old = read_json(path, remedy="it says how the answers were made: name another --out")
        for name in settings | old:
            if old.get(name) != settings.get(name):
                raise UserError(
                    f"{path}: the answers were begun with {name} = {old.get(name)!r}, not {settings.get(name)!r}: "
                    "take that value, or name another --out"
                )
    else:
        _write_json(path, settings)


class _Round:
    """One more request for each of some prompts. `stop` says why it ended early: the budget, a backend in trouble."""

    def __init__(self, teacher: Teacher, prompts: list[dict], answers: Answers, meter: Meter):
        self.teacher, self.prompts, self.answers, self.meter = teacher, prompts, answers, meter
        self.stop: UserError | None = None
        self.failures = 0

    def requests(self) -> Iterator[Request | None]:
        """Asked for only when there is room for another, so that what is known by then can end the round.

        None: the budget has no room as long as all that is under way may take its most. Take an answer, then ask again.
        """
        for prompt in self.prompts:
            key, attempt = prompt["key"], self.answers.asked[prompt["key"]]
            # a byte-level tokenizer makes no more tokens than a text has bytes
            most = len(prompt["prompt"].encode()) + self.teacher.template_tokens + self.teacher.max_tokens
            while self.meter.reserved and not self.meter.has_room(most) and not self.stop:
                yield None
            if self.stop:
                return
            try:
                ticket = self.meter.reserve(most)
            except BudgetSpent as spent:
                self.stop = spent
                return
            yield Request(key, attempt, prompt["prompt"], seed_of(self.teacher.seed, key, attempt), most, ticket)

    def count(self, outcome: Answer | Refusal, recorded: bool) -> None:
        """End the round where it cannot go on."""
        self.failures = 0 if recorded else self.failures + 1
        if self.failures == GIVE_UP:
            self.stop = self.stop or no_answers(GIVE_UP, outcome.detail)
        if (outcome.charge or 0) > outcome.request.tokens:
            self.stop = self.stop or UserError(
                f"key {outcome.request.key} took {outcome.charge} tokens and not at most {outcome.request.tokens}: the "
                "chat template adds more than --template-tokens, or the endpoint does not keep to max_tokens"
            )


def _progress(outcomes: Iterable, number: int, this: _Round) -> tqdm:
    """Prompts, rate and time left of a round: a bar on a terminal, a line every half minute in a log."""
    return tqdm(
        outcomes,
        desc=f"round {number + 1} of {this.teacher.attempts} at most",
        total=len(this.prompts),
        unit=" prompts",
        mininterval=0.5 if sys.stderr.isatty() else 30.0,
    )


def no_answers(n: int, detail: str) -> UserError:
    return UserError(f"{n} requests in a row had no answer, the last: {detail}: mend it and run again, it continues")


def teach(teacher: Teacher, prompts: list[dict], backend: Backend, out: Path, record: dict) -> dict:
    """Answer `prompts` into `out`, and write beside it what was spent, the settings, and the summary that is returned.

    `prompts` are valid rows (uniapl.data.prompts.valid_prompts); `record` says what answers them. A file that was
    begun is continued. Raises UserError where it was begun with other settings, where the budget or the disk has no
    room, and where the backend does not answer: all answers that came are kept, and a rerun continues.
    """
    by_key = {p["key"]: (p, checkers.build_row(p, where=f"key {p['key']}")) for p in prompts}
    with Journal(out) as file, Journal(out.with_suffix(".spent.jsonl")) as spending:
        same = identity(teacher, prompts, record.get("source"))
        same_settings(out.with_suffix(".config.json"), same, bool(file.rows or spending.rows))
        meter, answers = Meter(spending, teacher.token_budget), Answers(prompts, file.rows)
        stop = None
        for number in range(teacher.attempts):
            pending = answers.pending(teacher.attempts)
            if stop or not pending:
                break
            this = _Round(teacher, pending, answers, meter)
            with closing(backend(this.requests(), meter)) as results, _progress(results, number, this) as bar:
                for outcome in bar:
                    # a prompt may be blamed once another was answered: before, the backend may refuse them all
                    recorded = isinstance(outcome, Answer) or (outcome.final and bool(answers.rows))
                    if recorded:
                        row = with_verdict(outcome, *by_key[outcome.request.key])
                        file.append(row)
                        answers.add(row)
                    meter.settle(outcome.request.ticket, outcome.charge, outcome.detail)
                    this.count(outcome, recorded)
                    bar.set_postfix_str(f"{len(answers.accepted):,} accepted, {meter.spent:,} tokens", refresh=False)
            none = no_answers(this.failures, outcome.detail) if this.failures and not answers.rows else None
            stop = this.stop or none
        summary = {
            **answers.summary(),
            "unanswered": len(answers.pending(teacher.attempts)),
            "tokens_charged": meter.spent,
            "teacher": dataclasses.asdict(teacher),
            "record": record,
        }
        _write_json(out.with_suffix(".summary.json"), summary)
        checksums.record(out)
        if stop:
            raise stop
    return summary
