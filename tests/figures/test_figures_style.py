"""The look of an arm: its colour, marker, name and place are the same in every figure."""

from support.synthetic_results import ARMS, MEMBERS

from figures import style


def test_the_arms_of_the_headline_have_fixed_and_distinct_looks():
    assert {arm: style.look(arm).colour for arm in (*ARMS, "expert")} == {
        "base": "#808080",
        "sft": "#56B4E9",
        "grpo": "#E69F00",
        "sft_then_grpo": "#0072B2",
        "uniapl": "#D55E00",
        "expert": "#000000",
    }


def test_no_two_arms_look_alike_and_a_family_shares_its_colour():
    looks = style.LOOKS.values()
    assert len({(look.colour, look.marker) for look in looks}) == len({(k.colour, k.line) for k in looks}) == len(looks)
    together = {*MEMBERS["staged"], *MEMBERS["unified"], *MEMBERS["reward_shaping"], "base", "expert"}
    assert len({style.look(arm).marker for arm in together}) == len(together)
    for members in (("sft", "a_sft"), ("grpo", "a_grpo", "grpo_reward_shaped"), ("uniapl", "lambda_1", "d_random")):
        assert len({style.look(arm).colour for arm in members}) == 1
    assert style.look("uniapl_d96") == style.look("uniapl_biased") == style.look("uniapl")
    assert style.look("sft_then_grpo_noise50") == style.look("sft_then_grpo")


def test_an_unknown_arm_has_the_look_of_its_name_and_never_that_of_a_known_arm():
    assert style.look("uniapl_no_demonstrations") is style.look("uniapl_no_demonstrations")
    assert {look.colour for look in style.OTHERS}.isdisjoint(look.colour for look in style.LOOKS.values())


def test_arms_are_named_and_ordered_alike_in_every_figure():
    arms = style.in_order(["expert", "uniapl", "zeta", "sft_then_grpo", "grpo", "sft", "alpha_1", "base", "sft"])
    assert arms == ["base", "sft", "grpo", "sft_then_grpo", "alpha_1", "zeta", "uniapl", "expert"]
    names = ["base", "SFT", "GRPO", "SFT→GRPO", "alpha 1", "zeta", "UniAPL", "expert"]
    assert [style.label(arm) for arm in arms] == names
    assert style.label("a_sft_then_a_grpo") == "A-SFT→A-GRPO"
    assert style.label("uniapl_no_demonstrations") == "UniAPL no demonstrations"
    variants = ("sft_then_grpo_d96", "uniapl_noise20", "uniapl_biased", "lambda_003", "switch_25")
    assert [style.label(arm) for arm in variants] == [
        *("SFT→GRPO (96 demonstrations)", "UniAPL (20 % noise)", "UniAPL biased", "λ 0.03", "SFT 25 %→GRPO"),
    ]


def test_the_commit_is_that_of_the_manifest_where_there_is_one(tmp_path):
    (tmp_path / "manifest.json").write_text('{"commit": "0123abc"}')
    assert style.commit(tmp_path) == "0123abc"
    assert style.commit(tmp_path / "elsewhere") == style.provenance.commit()
