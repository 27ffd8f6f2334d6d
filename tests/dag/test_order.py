"""What waits for what on eight GPUs: the real workflow, Snakemake's real scheduler, and stand-ins for the stages."""

import shutil

import pytest
from support.gpu_machines import with_gpus

# every stage is one line in a log, a moment, and the files that its rule declares
STAGE = """case "$*" in "-m uniapl lease "*)
  while [ "$1" != "--" ]; do shift; done; shift; exec "$@" ;;
esac
echo "$3 $*" >> {log}
{sleep} 0.2
all="$*"; out="${{all##*--out }}"; out="${{out%% *}}"
case "$3" in
  teach) for end in summary.json; do echo {{}} > "${{out%.jsonl}}.$end"; done ;;
  suite) echo made > "$out" ;;
  converse) echo made > "$out"; echo made > "${{all##*--rows }}" ;;
  hub) ;;
  *) {mkdir} -p "$out"; for name in {names}; do echo made > "$out/$name"; done ;;
esac
echo "end $3" >> {log}"""
NAMES = (
    "train_prompts.jsonl validation_prompts.jsonl multi_if.jsonl "
    "train.jsonl unsolved.jsonl validation.jsonl test.jsonl expert.jsonl summary.json run.json history.csv"
)


@pytest.fixture
def order(clone):
    """Run targets of a scale; the stages that ran, in the order of their starts, each with its command line."""
    log = clone.bin.parent / "order"

    def run(scale: str, targets: list[str], *config: str) -> list[str]:
        with_gpus(clone, 8)
        clone.write("vllm/__init__.py")  # the scale asks whether it is there
        tools = {name: shutil.which(name) for name in ("sleep", "mkdir")}
        clone.tool("mkdir", f'exec {tools["mkdir"]} "$@"')
        clone.tool("python", STAGE.format(log=log, names=NAMES, **tools))
        asked = [f"results/local/{scale}/{target}" for target in targets]
        line = ["--cores", "64", "--workflow-profile", "profiles/gpu8", "--config", f"scale={scale}", *config]
        code, printed = clone.snakemake(*asked, *line)
        assert code == 0, printed
        return log.read_text().splitlines()

    return run


def starts(lines: list[str], stage: str) -> list[int]:
    return [i for i, line in enumerate(lines) if line.split()[0] == stage]


@pytest.mark.parametrize("scale", ["paper", "paper_4b"])
def test_the_teacher_waits_for_downloads_and_the_suite_for_the_teacher_and_the_trainings(order, scale):
    trainings = [f"train/{arm}/seed{seed}/run.json" for arm in ("grpo", "sft") for seed in (0, 1)]
    lines = order(scale, ["suite/base/seed0.csv", "converse/base/seed0.csv", *trainings])
    (teach,), train = starts(lines, "teach"), starts(lines, "train")
    assert len(starts(lines, "fetch")) == 2 and len(train) == 4 and len(starts(lines, "hub")) == 1
    assert max(*starts(lines, "fetch"), *starts(lines, "hub"), *starts(lines, "prompts")) < teach
    late = [*starts(lines, "suite"), *starts(lines, "converse")]
    assert len(late) == 2 and min(late) > teach
    if scale == "paper_4b":  # a training has all GPUs; at paper's all six jobs have room at a time
        assert min(late) > max(train)


def test_trainings_that_share_a_server_of_rollouts_run_one_at_a_time(order):
    trainings = [f"train/grpo/seed{seed}/run.json" for seed in (0, 1, 2)]
    lines = order("paper", trainings, "rollouts=http://host:8000")
    trained = [line.split()[0] for line in lines if line.split()[0] == "train" or line == "end train"]
    assert trained == ["train", "end"] * 3
