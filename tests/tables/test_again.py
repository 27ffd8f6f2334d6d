"""Again, with other seeds: verdicts side by side, shares inside predictions, and which sets repeat each other."""

import pandas as pd
import pytest
from support import two_sets
from support.analysis_files import CLAIM, COMPARISON, MAIN

from uniapl.errors import UserError
from uniapl.tables import again

HEAD = "headline-1", "headline-2", "headline-3"
FIRST = ("supported", "not decided", "not decided")
SEEDS = {"first": "0, 1, 2, 3, 4", "second": "5, 6, 7, 8, 9", "third": "10, 11, 12, 13, 14"}


def write(folder, verdicts, *, grpo=46.4876, difference=5.449, fingerprint="f1", base="0"):
    """A set with three claims, the accuracies of base and grpo, and one difference; its seeds follow from its name."""
    main = [MAIN[0], (*MAIN[2][:4], grpo, *MAIN[2][5:])]
    two_sets.write(folder, main, [COMPARISON | dict(difference=difference)])
    claims = [CLAIM | dict(id=id, verdict=v, fingerprint=fingerprint) for id, v in zip(HEAD, verdicts, strict=True)]
    claims.append(CLAIM | dict(id="gone", verdict="withdrawn", fingerprint=None))
    pd.DataFrame(claims).to_csv(folder / "analyse/headline/claims.csv", index=False)
    arms = [("base", 1, base), ("grpo", 5, SEEDS[folder.name]), ("sft_then_grpo", 5, SEEDS[folder.name])]
    runs = pd.DataFrame(arms, columns=["arm", "n_planned", "seeds"])
    runs.to_csv(folder / "analyse/headline/runs.csv", index=False)
    return folder


@pytest.fixture
def three(tmp_path):
    """The second decides headline-2, the third contradicts what the first supports, and its grpo lies far away."""
    return [
        write(tmp_path / "first", FIRST),
        write(tmp_path / "second", ("supported", "contradicted", "not decided"), grpo=50.0, difference=-2.0),
        write(tmp_path / "third", ("contradicted", "not decided", "not decided"), grpo=60.0, difference=14.0),
    ]


def test_a_decided_verdict_is_contradicted_where_another_set_decides_the_opposite(three):
    found = again.again(three)["again"]
    assert found.set.tolist() == ["first", "second", "third"] * 3  # claim by claim, and no withdrawn one
    by_claim = found.drop_duplicates("id").set_index("id").contradicted
    assert by_claim.to_dict() == {"headline-1": "yes", "headline-2": "no", "headline-3": "none decided"}
    two = again.again(three[:2])["again"].drop_duplicates("id").contradicted
    assert two.tolist() == ["no", "no", "none decided"]


def test_shares_count_the_estimates_inside_the_predictions_of_the_other_set(three):
    """grpo: [38.04, 54.94] in every set. The difference: [-2.5, 13.4]. base has one seed: not judged."""
    found = again.again(three)["again_share"].set_index(["set", "predicted_by", "quantity"])
    first, second, third = (root.name for root in three)
    accuracy, difference = "accuracy (%)", "difference (points)"
    assert found.loc[second, first, accuracy].tolist() == [1, 1, 100, 1]
    assert found.loc[third, first, accuracy].tolist() == [0, 1, 0, 1]
    assert found.loc[second, first, difference].tolist() == [1, 1, 100, 0]
    assert found.loc[third, second, difference].tolist() == [0, 1, 0, 0]
    assert len(found) == 6 * 2


def test_the_command_writes_both_tables_in_three_formats(three, tmp_path, capsys):
    again.main([*map(str, three), "--out", str(tmp_path / "out")])
    names = {path.name for path in (tmp_path / "out").glob("[!.]*")}
    assert names == {f"{name}{form}" for name in again.VIEWS for form in (".csv", ".md", ".tex")}
    text = (tmp_path / "out/again.md").read_text()
    assert "Of 3 claims 1 are supported by one set and contradicted by another, 1 are decided in one set at" in text
    assert "| headline | headline-2: UniAPL beats GRPO. | not decided: 13.80 [7.34, 20.47] | contradicted:" in text
    share = (tmp_path / "out/again_share.md").read_text()
    assert "| third in first | accuracy (%) | 0.0 | 0 of 1 | 1 |" in share
    assert capsys.readouterr().out.startswith(text)


def test_sets_that_do_not_repeat_each_other_are_refused_in_one_line(three, tmp_path, capsys):
    def refused(*roots):
        with pytest.raises(SystemExit):
            again.main([*map(str, roots), "--out", str(tmp_path / "out")])
        (line,) = capsys.readouterr().err.splitlines()
        assert not (tmp_path / "out").exists()
        return line

    assert "needs two sets at least" in refused(three[0])
    assert "both have seed 0, 1, 2, 3, 4 of grpo" in refused(three[0], three[0])
    other = write(tmp_path / "of/second", FIRST, fingerprint="f2")
    assert "claim headline-1 of headline says something else in each" in refused(three[0], other)
    (other / "data.json").write_text('{"sha256": {"test.jsonl": "b"}}')
    assert "other test prompts than" in refused(three[0], other)
    assert "no claims.csv of any experiment" in refused(three[0], tmp_path / "nowhere")
    runs = three[1] / "analyse/headline/runs.csv"
    pd.read_csv(runs).drop(columns="seeds").to_csv(runs, index=False)
    assert "runs.csv: no column seeds; run the stage analyse again" in refused(*three)


def test_sets_of_one_name_are_called_by_their_folders(three):
    sets = [three[0].rename(three[0].parent / "tiny"), three[1].parent / "elsewhere/tiny"]
    sets[1].parent.mkdir()
    three[1].rename(sets[1])
    assert again.again(sets)["again"].set.unique().tolist() == [str(root) for root in sets]


def test_a_table_beside_another_analysis_than_it_was_made_of_is_named(three, tmp_path):
    again.main([*map(str, three), "--out", str(three[0] / "again")])
    assert list(again.outdated(three[0], "first")) == []
    claims = three[0] / "analyse/headline/claims.csv"
    pd.read_csv(claims).replace({"not decided": "supported"}).iloc[1:].to_csv(claims, index=False)
    gone, *changed = again.outdated(three[0], "first")
    assert "again.csv: claim headline-1 of headline in first: 'UniAPL beats GRPO. 13.80" in gone
    assert gone.endswith("the analysis says 'nothing'")
    assert [line.split(":")[1].split()[1] for line in changed] == ["headline-2", "headline-3"]


def test_a_base_of_every_seed_is_an_arm_like_others(tmp_path):
    one, other = write(tmp_path / "first", FIRST), write(tmp_path / "second", FIRST)
    for root in (one, other):
        path = root / "analyse/headline/runs.csv"
        pd.read_csv(path, dtype=str).assign(n_planned=5, seeds=["3, 4", *SEEDS[root.name].split("x") * 2]).to_csv(path)
    with pytest.raises(UserError, match="both have seed 3, 4 of base"):
        again.again([one, other])
