"""The list of instruction types has every type of every family, with what its arguments must be."""

import io
import json

import pandas as pd
import pytest

from uniapl import checkers
from uniapl.scorers import instruction_types
from uniapl.scorers.command import main


def test_every_type_that_can_be_built_is_listed_once_in_its_family():
    found = instruction_types.types()
    counts = found.groupby("family", sort=False).size()
    fixed = found.instruction_id.str.endswith("~fixed")
    published = found[~fixed].groupby("family", sort=False).size()
    names = ["ifeval", "ifbench", "iftrain", "multi_if"]
    assert published[names].tolist() == [25, 58, 29, 25]
    assert counts[names].tolist() == [25, 58 + 43, 29 + 21, 25 + 1]
    own = found[found.family != "multi_if"].instruction_id
    assert own.is_unique and set(own) == set(checkers.INSTRUCTIONS)


def test_the_arguments_are_those_that_a_checker_asks_for():
    found = instruction_types.types("ifeval").set_index("instruction_id")
    assert found.loc["length_constraints:number_words", "arguments"] == {
        "num_words": "a whole number of at least 1",
        "relation": "'at least' or 'less than'",
    }
    assert found.loc["punctuation:no_comma", "arguments"] == {}
    assert found.loc["punctuation:no_comma", "category"] == "punctuation"


def test_multi_ifs_own_rules_are_told_apart():
    one, other = (instruction_types.types(of).set_index("instruction_id") for of in ("ifeval", "multi_if"))
    differ = {name for name in one.index if one.checks[name] != other.checks[name]}
    assert differ == {"length_constraints:number_sentences", "length_constraints:number_words", "startend:quotation"}
    assert other.source["length_constraints:number_words~fixed"].startswith("ours")


def test_each_type_says_what_it_checks_and_whose_rule_it_is():
    found = instruction_types.types()
    assert found.checks.str.endswith((".", "?", ":", ";")).all() and found.source.str.strip().all()


@pytest.mark.parametrize("family", [None, "iftrain"])
def test_the_command_prints_the_list_in_three_formats(capsys, family):
    chosen = ["--family", family] if family else []
    expected = instruction_types.types(family)
    main(["--list", "--format", "json", *chosen])
    assert json.loads(capsys.readouterr().out) == expected.to_dict("records")
    main(["--list", "--format", "csv", *chosen])
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table.instruction_id.tolist() == expected.instruction_id.tolist()
    assert [json.loads(text) for text in table.arguments] == expected.arguments.tolist()
    main(["--list", *chosen])
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in expected.instruction_id)


def test_without_files_and_without_list_the_command_says_what_it_needs(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: needs --prompts and --responses, or --list\n"
