"""Published sets in public formats: valid by their schemas, and what is read back has the same numbers."""

import hashlib
import json
import shutil

import jsonschema
import pandas as pd
import pytest
from support import small_set
from support.places import ROOT
from support.published_set import EXPERIMENT, PUBLISHED, seal

from uniapl.errors import UserError
from uniapl.generate.suite import means, read_samples, rows
from uniapl.publish.exports import command, eval_results, every_eval_ever, lm_eval_layout, numbers

SCHEMAS = ROOT / "tests/publish/every_eval_ever"
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A set of three arms at two seeds, with the accuracies of these."""
    folder = small_set.write(tmp_path_factory.mktemp("sets") / "tiny")
    analysis = folder / "analyse" / EXPERIMENT
    analysis.mkdir(parents=True)
    table = pd.read_csv(PUBLISHED / "analyse/headline/main.csv")
    table[table.arm.isin(small_set.ARMS)].to_csv(analysis / "main.csv", index=False)
    seal(folder)
    return numbers.read(folder)


def test_huggingface_s_results_have_every_number_and_its_interval(published, tmp_path):
    paths = eval_results.write(published, tmp_path, "someone/prompts", "https://example.org/tiny")
    assert [path.relative_to(tmp_path).parts[0] for path in paths] == ["tiny-sft", "tiny-grpo", "tiny-uniapl"]
    for arm, path in zip(published.arms, paths, strict=True):
        expected = {f"{n.benchmark}_{n.metric}": n.estimate for n in published.of(arm)}
        assert eval_results.read(path) == expected and len(expected) == 12
        assert "95 % interval [" in path.read_text() and published.manifest["id"] in path.read_text()
    with pytest.raises(UserError, match="needs --dataset OWNER/NAME"):
        eval_results.write(published, tmp_path / "again")


def test_every_eval_ever_s_records_and_samples_are_valid_and_have_the_numbers(published, tmp_path):
    every_eval_ever.write(published, tmp_path, NOW)
    whole, one = (
        jsonschema.Draft7Validator(json.loads((SCHEMAS / name).read_text()))
        for name in ("eval.schema.json", "instance_level_eval.schema.json")
    )
    for arm in published.arms:
        (path,) = tmp_path.glob(f"data/uniapl-repro/uniapl-repro/tiny-{arm}/*.json")
        record = json.loads(path.read_text())
        assert list(whole.iter_errors(record)) == []
        expected = {f"{n.benchmark}/{n.metric}": (n.estimate, n.low, n.high) for n in published.of(arm)}
        assert every_eval_ever.read(path) == expected
        samples = tmp_path / record["detailed_evaluation_results"]["file_path"]
        assert hashlib.sha256(samples.read_bytes()).hexdigest() == record["detailed_evaluation_results"]["checksum"]
        said = [json.loads(line) for line in samples.read_text().splitlines()]
        assert [error for sample in said[:20] for error in one.iter_errors(sample)] == []
        assert {sample["evaluation_id"] for sample in said} == {record["evaluation_id"]}
        assert len(said) == record["detailed_evaluation_results"]["total_rows"] == 2 * 768
        frame = pd.DataFrame([(s["evaluation_result_id"], s["evaluation"]["score"]) for s in said])
        shares = frame.groupby(0)[1].mean()
        by_prompt = numbers.verdicts(published, arm).groupby("benchmark", observed=True).prompt_strict.mean()
        assert {f"{name}/prompt_strict": share for name, share in by_prompt.items()} == pytest.approx(dict(shares))


def test_a_record_that_lacks_what_the_schema_asks_is_noticed(published, tmp_path):
    every_eval_ever.write(published, tmp_path, NOW)
    record = json.loads(next(tmp_path.rglob("*.json")).read_text())
    schema = json.loads((SCHEMAS / "eval.schema.json").read_text())
    del record["evaluation_results"][0]["metric_config"]["max_score"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema)


def test_the_same_set_gives_the_same_identities(published):
    first, other = (every_eval_ever.identity(published, arm) for arm in ("grpo", "uniapl"))
    assert first == every_eval_ever.identity(published, "grpo") != other and first.version == 4


def test_lm_eval_s_layout_is_read_by_the_reader_of_lm_eval_s_own(published, tmp_path):
    lm_eval_layout.write(published, tmp_path, NOW)
    for arm in published.arms:
        values = numbers.verdicts(published, arm)
        for seed in small_set.SEEDS:
            folder = tmp_path / f"uniapl-repro__tiny-{arm}-seed{seed}"
            (results,) = folder.glob("results_*.json")
            told = json.loads(results.read_text())["results"]
            read = means(rows(read_samples(folder))).set_index(["task", "metric"])["mean"]
            for benchmark, of_benchmark in values[values.seed == seed].groupby("benchmark", observed=True):
                task = f"uniapl_tiny_{benchmark}"
                strict = of_benchmark.prompt_strict.mean()
                assert read[task, "prompt_strict,none"] == pytest.approx(strict) == told[task]["prompt_strict,none"]
                followed = (of_benchmark.inst_strict * of_benchmark.instructions).sum()
                pooled = followed / of_benchmark.instructions.sum()
                assert told[task]["inst_strict,none"] == pytest.approx(pooled)


def test_croissant_names_every_file_with_its_hash_and_every_column(published, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(published.folder, folder)
    command.main([str(published.folder), "--form", "croissant", "--out", str(tmp_path / "out")])
    described = json.loads((tmp_path / "out/croissant.json").read_text())
    assert described["name"] == published.manifest["id"]
    for file in described["distribution"]:
        assert hashlib.sha256((folder / file["contentUrl"]).read_bytes()).hexdigest() == file["sha256"]
    (table,) = (one for one in described["recordSet"] if one["name"] == f"analyse-{EXPERIMENT}-main")
    source = {field["source"]["fileObject"]["@id"] for field in table["field"]}
    assert source == {f"analyse/{EXPERIMENT}/main.csv"}
    frame = pd.read_csv(folder / source.pop())
    assert [field["name"] for field in table["field"]] == list(frame.columns)
    assert {f["name"]: f["dataType"] for f in table["field"]}["estimate"] == "sc:Float"
    for one in described["recordSet"]:  # no word such as NA or None in a cell: mlcroissant would take it for a blank
        path = folder / one["field"][0]["source"]["fileObject"]["@id"]
        written = pd.read_csv(path, dtype=str, keep_default_na=False)
        assert (written[pd.read_csv(path).isna()].fillna("") == "").all(axis=None), path


def test_an_edited_set_and_a_folder_that_holds_something_are_refused(published, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        command.main([str(published.folder), "--form", "croissant", "--out", str(tmp_path / "out")])
    assert ended.value.code == 2 and "is not empty: name a new folder" in capsys.readouterr().err
    folder = tmp_path / "tiny"
    shutil.copytree(published.folder, folder)
    (folder / "runs.jsonl").write_text("")
    with pytest.raises(UserError, match="verify the set first"):
        numbers.read(folder)
