"""Published sets beside each other: pairs on the same prompts, ranks only where decided, what cannot be compared."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support import small_set
from support.published_set import PUBLISHED, seal

from uniapl import stats
from uniapl.errors import UserError
from uniapl.publish.compare import check, compare, main, pairs, ranks, read, text_of, view_pairs


def follow_all(arm: str):
    """Every instruction followed by this arm, in every run."""

    def edit(scores: pd.DataFrame) -> None:
        scores.loc[scores.arm == arm, ["strict", "loose"]] = 1

    return edit


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    return [small_set.write(folder / "ours"), small_set.write(folder / "theirs", follow_all("uniapl"))]


def whole(one) -> np.ndarray:
    """Which prompts of `trained` uniapl follows wholly, greedy: seeds x prompts."""
    scores = one.rows.scores[(one.rows.scores.arm == "uniapl") & (one.rows.scores.decoding == "greedy")]
    trained = one.rows.test.key[one.rows.test.benchmark == "trained"]
    return scores[scores.key.isin(trained)].groupby(["seed", "key"]).strict.min().unstack().to_numpy()


def test_a_pair_of_two_sets_is_compared_on_the_same_prompts_as_the_statistics_do(sets):
    ours, theirs = map(read, sets)
    _, compared = pairs([ours, theirs], ["uniapl"], "trained")
    (row,) = compared.itertuples()
    sign = 1 if row.arm.startswith(theirs.name) else -1
    assert sign * row.difference == pytest.approx(100 * (1 - whole(ours).mean()))
    assert row.n_prompts == 384 and (row.n_seeds, row.n_seeds_against) == (2, 2)
    by_seed = [stats.mcnemar(np.ones(384), of_seed).p for of_seed in whole(ours)]
    assert row.mcnemar_p == pytest.approx(np.median(by_seed))


def test_an_arm_of_one_seed_is_held_against_every_seed_of_the_other_and_the_caption_says_so(sets):
    ours, theirs = map(read, sets)
    first = theirs.rows.scores[theirs.rows.scores.seed == 0]
    _, compared = pairs([ours, replace(theirs, rows=replace(theirs.rows, scores=first))], ["uniapl"], "trained")
    (row,) = compared.itertuples()
    assert {row.n_seeds, row.n_seeds_against} == {1, 2}
    assert row.mcnemar_p == pytest.approx(np.median([stats.mcnemar(np.ones(384), one).p for one in whole(ours)]))
    assert "of an arm of one seed, over all seeds of the other" in view_pairs(text_of(compared)).caption


def test_a_rank_is_one_number_only_where_the_pairs_decide_it():
    def pair(arm, against, low, high, p):
        return dict(arm=arm, against=against, low=low, high=high, difference=(low + high) / 2, p_holm=p)

    both = [pair("a", "b", 1, 3, 0.01), pair("a", "c", 2, 4, 0.01), pair("c", "b", -1, 1, 1.0)]
    assert ranks(["a", "b", "c"], pd.DataFrame(both)) == {"a": (1, 1), "b": (2, 3), "c": (2, 3)}
    unadjusted = pd.DataFrame([pair("a", "b", 1, 3, 0.06)])  # an interval above 0 alone decides nothing
    assert ranks(["a", "b"], unadjusted) == {"a": (1, 2), "b": (1, 2)}
    turned = pd.DataFrame([pair("b", "a", -3, -1, 0.01)])
    assert ranks(["a", "b"], turned) == {"a": (1, 1), "b": (2, 2)}


def test_the_command_writes_both_tables_and_prints_the_leaderboard(sets, tmp_path, capsys):
    main([*map(str, sets), "--arms", "uniapl", "grpo", "--out", str(tmp_path / "out")])
    board = pd.read_csv(tmp_path / "out/leaderboard.csv", dtype=str)
    assert list(board.arm) == ["uniapl", "uniapl", "grpo", "grpo"] and board.estimate[0] == "100.0"
    assert board.rank_from[0] == "1" and (board.n_seeds == "2").all() and (board.rollouts == "8000").all()
    assert (tmp_path / "out/leaderboard.md").read_text().strip() == capsys.readouterr().out.strip()
    assert len(pd.read_csv(tmp_path / "out/pairs.csv")) == 6 and (tmp_path / "out/pairs.tex").is_file()


def reseal_with(folder, **digests):
    (folder / "data.json").write_text(json.dumps({"sha256": digests}))
    seal(folder)
    return folder


def test_what_cannot_be_compared_is_refused_with_its_reason(sets, tmp_path):
    ours = read(sets[0])
    with pytest.raises(UserError, match="needs two sets at least"):
        check([ours])
    with pytest.raises(UserError, match="is named twice"):
        check([ours, ours])
    prompts = reseal_with(small_set.write(tmp_path / "prompts"), **{"test.jsonl": "another"})
    with pytest.raises(UserError, match="was asked other test prompts than tiny-"):
        check([ours, read(prompts)])
    other = read(small_set.write(tmp_path / "gpu", device="NVIDIA H200", commit="x"))
    with pytest.raises(
        UserError, match="has device cpu, .* has device gpu: the difference would be that of the device"
    ):
        check([ours, other])
    known = [read(small_set.write(tmp_path / name, checkers=name)) for name in ("old", "new")]
    with pytest.raises(UserError, match="that of the checkers"):
        check(known)


def test_a_set_that_was_edited_or_does_not_say_its_prompts_is_refused(tmp_path):
    folder = small_set.write(tmp_path / "set")
    (folder / "runs.jsonl").write_text((folder / "runs.jsonl").read_text().replace("8000", "7000"))
    with pytest.raises(UserError, match="runs.jsonl: is not the file of the manifest .*; ask who published it"):
        read(folder)
    with pytest.raises(UserError, match="no SHA-256 of test.jsonl"):
        read(reseal_with(small_set.write(tmp_path / "unsaid")))


def test_a_set_that_leaves_out_what_was_not_followed_is_refused(tmp_path):
    def drop_failed(scores: pd.DataFrame) -> None:
        failed = (scores.arm == "uniapl") & (scores.seed == 1) & (scores.strict == 0)
        scores.drop(index=scores.index[failed], inplace=True)

    with pytest.raises(UserError, match=r"rows/scores.parquet: score/test/uniapl/seed1/\w+.csv: .* are missing"):
        read(small_set.write(tmp_path / "set", drop_failed))


def test_arms_and_benchmarks_that_nobody_has_are_refused(sets):
    with pytest.raises(UserError, match="unknown --arms 'unipal'"):
        compare(sets, ["unipal"], "trained")
    with pytest.raises(UserError, match="unknown --benchmark 'train'"):
        compare(sets, None, "train")
    assert PUBLISHED.is_dir()
