"""A repository of one's own, examples/own_method: found from outside the checkout, never mixed, its mistakes named."""

import re
import shutil
import sys

import pytest
from support.clones import planned, refused
from support.places import ROOT

from uniapl.jsonl import read_json

JOBS = {"data": 1, "fetch": 1, "train": 2, "generate": 3, "score": 3, "analyse": 1, "tables": 1}
JOBS |= {"overview": 1, "report": 1, "all": 1}


@pytest.fixture
def own(tmp_path):
    """A copy of the example with a policy in it, outside every checkout."""
    folder = shutil.copytree(ROOT / "examples/own_method", tmp_path / "own", ignore=shutil.ignore_patterns("policy"))
    (folder / "policy").mkdir()
    (folder / "policy/config.json").write_text("{}")
    return folder


def line(clone, own, *more: str) -> tuple[str, ...]:
    return ("--config", *(more or ("scale=mine",)), f"repository={own}")


def test_the_method_is_a_file_of_at_most_60_lines_and_the_prompts_are_64():
    assert len((ROOT / "examples/own_method/baselines/dr_grpo.py").read_text().splitlines()) <= 60
    files = (ROOT / "examples/own_method/prompts").glob("*.jsonl")
    assert sum(len(path.read_text().splitlines()) for path in files) == 64


def test_its_experiment_runs_beside_our_arm_in_a_folder_of_its_own(clone, own):
    code, printed = clone.snakemake("-n", *line(clone, own))
    assert code == 0 and planned(printed) == JOBS, printed
    trained = set(re.findall(r"^    output: results/local/mine/train/(\w+)/", printed, re.MULTILINE))
    assert trained == {"base", "grpo", "dr_grpo"} and "--discriminator" not in printed
    code, printed = clone.snakemake("-n", "--config", "scale=smoke")
    assert code == 0 and "dr_grpo" not in printed


@pytest.mark.parametrize(
    "file, old, new, message",
    [
        ("scales.py", 'name="mine"', 'name="tiny"', r"scales.py: the checkout has a scale 'tiny' too: rename yours"),
        ("scales.py", "steps", "stepz", r"setting of baselines.grpo.*'stepz'.*did you mean 'steps'"),
        ("scales.py", "MINE = Scale(", "MINE = Scale(size=3, ", r"scales.py: .*'size' \(scales.py:\d+\)"),
        ("experiments/dr_grpo.py", "arms=(GRPO", "arms=(GRPPO", r"'GRPPO'.* \(experiments/dr_grpo.py:\d+\)"),
        ("baselines/dr_grpo.py", "from baselines import grpo", "import grpo_", r"\(baselines/dr_grpo.py:10\)"),
    ],
)
def test_a_mistake_in_one_of_its_files_is_one_line_with_file_and_line(file, old, new, message, clone, own):
    text = (own / file).read_text()
    assert old in text
    (own / file).write_text(text.replace(old, new, 1))
    scale = "tiny" if "tiny" in new else "mine"
    assert re.search(message, refused(clone, "-n", *line(clone, own, f"scale={scale}")))


def test_what_would_mix_is_refused(clone, own):
    assert "unknown scale 'smoke': known are mine" in refused(clone, "-n", *line(clone, own, "scale=smoke"))
    assert "name one of its scales too" in refused(clone, "-n", "--config", f"repository={own}")
    assert "no file " in refused(clone, "-n", "--config", "scale=mine", f"repository={own}/experiments")
    shutil.copy(ROOT / "baselines/grpo.py", own / "baselines/grpo.py")
    assert "the checkout has baselines/grpo.py too: rename yours" in refused(clone, "-n", *line(clone, own))
    (own / "baselines/grpo.py").unlink()
    clone.write("results/local/mine/repository.txt", "/somewhere/else\n")
    assert "holds results of /somewhere/else" in refused(clone, "-n", *line(clone, own))
    (clone.folder / "results/local/mine/repository.txt").rename(clone.folder / "results/local/mine/summary.json")
    assert f"holds results of {clone.folder}" in refused(clone, "-n", *line(clone, own))


def test_the_method_trains_and_its_tables_and_report_are_made(clone, own):
    shutil.rmtree(own / "policy")
    code, printed = clone.run(sys.executable, own / "policy.py")
    assert code == 0, printed
    code, printed = clone.snakemake("--cores", "2", *line(clone, own))
    assert code == 0, printed
    results = clone.folder / "results/local/mine"
    assert read_json(results / "train/dr_grpo/seed0/run.json")["method"] == "baselines.dr_grpo"
    assert read_json(results / "train/base/seed0/run.json")["source"] == {"id": "policy", "revision": "folder"}
    main = (results / "tables/dr_grpo/main.csv").read_text()
    assert "dr_grpo" in main and "Dr. GRPO follows more prompts" in (results / "tables/dr_grpo/claims.csv").read_text()
    assert "Dr. GRPO" in (results / "report.html").read_text()
    assert not (results / "general").exists()
