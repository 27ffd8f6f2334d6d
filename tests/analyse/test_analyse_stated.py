"""A claim that was changed or withdrawn after its runs were first analysed says so."""

import dataclasses
import json

import pandas as pd
import pytest
from support.four_prompts import CLAIMS, PLAN, run

from uniapl.analyse.claims import fingerprint, statement
from uniapl.analyse.stated import LOCK, first_statements, recorded_statements
from uniapl.errors import UserError

FIRST, OTHER = CLAIMS
LATER = dataclasses.replace(FIRST, margin=2.5)


def judged(claims, stated):
    plan = dataclasses.replace(PLAN, claims=claims, stated=stated)
    return run(plan=plan)["claims"].set_index("id")


def test_the_first_statement_stays_whatever_a_later_analysis_claims(tmp_path):
    folder, none = tmp_path / "local", tmp_path / "none"
    first_statements(folder, none, [FIRST])
    stated = first_statements(folder, none, [LATER, OTHER])
    assert stated == {"C1": statement(FIRST), "C2": statement(OTHER) | {"late": True}}
    entry = json.loads((folder / LOCK).read_text())["C1"]
    assert entry["fingerprint"] == fingerprint(FIRST) != fingerprint(LATER) and entry["commit"]


def test_a_lost_record_begins_with_the_published_one_which_is_only_read(tmp_path):
    published, folder = tmp_path / "published", tmp_path / "local"
    first_statements(published, tmp_path / "none", [FIRST])
    before = (published / LOCK).read_bytes()
    assert first_statements(folder, published, [LATER, OTHER])["C1"]["margin"] == 0
    assert json.loads((folder / LOCK).read_text())["C1"]["claim"]["margin"] == 0
    assert (published / LOCK).read_bytes() == before


def test_a_claim_that_is_new_after_the_analysis_says_so(tmp_path):
    folder, none = tmp_path / "local", tmp_path / "none"
    first_statements(folder, none, [FIRST])
    stated = first_statements(folder, none, [FIRST, OTHER])
    assert stated == first_statements(folder, none, [FIRST, OTHER]) == recorded_statements(folder)
    found = judged((FIRST, OTHER), stated)
    assert pd.isna(found.changed.C1) and found.changed.C2 == "added after the first analysis"
    first_statements(tmp_path / "no claims", none, [])
    assert first_statements(tmp_path / "no claims", none, [FIRST])["C1"]["late"]
    (none / "analyse").mkdir(parents=True)
    (none / "analyse/claims.csv").write_text("")  # published without any
    assert first_statements(tmp_path / "fresh", none / "analyse", [FIRST])["C1"]["late"]


def test_what_was_changed_stands_beside_the_verdict():
    stated = {"C1": statement(FIRST), "C2": statement(OTHER)}
    same = judged((FIRST, OTHER), stated)
    assert same.changed.isna().all() and same.fingerprint.C1 == fingerprint(FIRST)
    changed = judged((LATER, OTHER), stated)
    assert changed.changed.C1 == "margin was 0.0" and pd.isna(changed.changed.C2)
    assert changed.fingerprint.C1 == fingerprint(LATER)


def test_a_claim_that_is_gone_is_withdrawn_and_has_no_numbers():
    found = judged((FIRST,), {claim.id: statement(claim) for claim in CLAIMS})
    assert found.verdict.C2 == "withdrawn" and found.sentence.C2 == OTHER.sentence
    assert found.loc["C2", ["estimate", "low", "high"]].isna().all()


@pytest.mark.parametrize("text", ["", "[]", '{"C1": {}}', '{"C1": {"claim": 3}}'])
def test_a_spoilt_record_is_named_and_not_overwritten(text, tmp_path):
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(UserError, match=LOCK):
        first_statements(tmp_path, tmp_path / "none", [FIRST])
    assert (tmp_path / LOCK).read_text() == text
