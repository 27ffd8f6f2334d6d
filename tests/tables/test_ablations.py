"""The table of ablations: what an arm changes, its accuracy, and its difference to the comparator, turned or not."""

from support.ablated import ablations_of_two_arms

from uniapl.config import load_experiment
from uniapl.tables import rounded
from uniapl.tables.ablations import EXPERIMENTS, view_ablations


def test_every_arm_of_every_ablation_has_a_row_and_missing_ones_say_so(tmp_path):
    found = ablations_of_two_arms(tmp_path)
    arms = [(name, arm.name) for name in EXPERIMENTS for arm in load_experiment(name).arms]
    assert [(r.experiment, r.arm) for r in found.itertuples()] == arms
    view = view_ablations(rounded("ablations", found))
    shown = {(row[0], row[1]): row[2:] for row in view.rows}
    chord = shown["lambda_sweep: against chord", "chord"]
    assert chord == ["lam 0 (else 0.1)", "66.1 [59.0, 73.5]", "", "3"]
    # The comparison is stored as chord minus lambda_1: turned, with its bounds.
    turned = shown["lambda_sweep: against chord", "lambda_1"]
    assert turned == ["lam 1 (else 0.1)", "51.6", "-14.6 [-23.8, -6.2]*", "3"]
    assert shown["terms: against uniapl", "luffy"] == ["", "missing", "", ""]
    assert "n = 384 prompts; seeds per arm: 3." in view.caption
