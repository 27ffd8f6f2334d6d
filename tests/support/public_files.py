"""A local hub in which every public data set is a few rows of ours in the published form: names, columns, types."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MESSAGES = pa.list_(pa.struct({"content": pa.string(), "role": pa.string()}))
IF_MULTI = pa.schema(
    [("key", pa.string()), ("messages", MESSAGES)]
    + [(name, pa.string()) for name in ("ground_truth", "dataset", "constraint_type", "constraint")]
)
# a struct has every argument of any row: numbers with gaps are doubles, what no row has is null
IFBENCH_KWARGS = {
    **dict.fromkeys("N m max_words min_words n n_end n_start percentage small_n".split(), pa.float64()),
    **dict.fromkeys("keyword keyword1 keyword2 keyword3 keyword4 keyword5 options".split(), pa.string()),
    **dict.fromkeys("prompt_to_repeat reference_text sep word".split(), pa.string()),
    **dict.fromkeys("capital_frequency end_phrase forbidden_words num_words relation".split(), pa.null()),
}
IFBENCH = pa.schema(
    [
        ("key", pa.string()),
        ("prompt", pa.string()),
        ("instruction_id_list", pa.list_(pa.string())),
        ("kwargs", pa.list_(pa.struct(IFBENCH_KWARGS))),
    ]
)
IFEVAL_LIKE = pa.schema(
    [("key", pa.int64()), ("prompt", pa.string()), ("response", pa.string())]
    + [("instruction_id_list", pa.list_(pa.string())), ("kwargs", pa.string())]
    + [(f"{unit}_level_{rule}_acc", pa.bool_()) for unit in ("prompt", "inst") for rule in ("strict", "loose")]
)

IFEVAL_ROWS = [
    {
        "key": 1000,
        "prompt": "Describe a harbour at dawn. Use no commas.",
        "instruction_id_list": ["punctuation:no_comma"],
    }
    | {"kwargs": [{}]},
    {
        "key": 1001,
        "prompt": "Name the ships that sailed past the old lighthouse last winter, in at least 5 words and no commas.",
        "instruction_id_list": ["length_constraints:number_words", "punctuation:no_comma"],
        "kwargs": [{"num_words": 5, "relation": "at least"}, {}],
    },
]
IFBENCH_ROWS = [
    {
        "key": "0",
        "prompt": "Explain tides. Include keyword moon in the 2-th sentence.",
        "instruction_id_list": ["words:keywords_specific_position"],
        "kwargs": [{"keyword": "moon", "n": 2.0, "m": 1.0}],
    }
]


def parquet(path: Path, rows: list[dict], schema: pa.Schema | None = None) -> Path:
    """A Parquet file, with the types of `schema` or those that pyarrow finds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def if_multi(key: str, prompt: str, ids: list[str], kwargs: list) -> dict:
    """A row of IF_multi_constraints_upto5: the literal that Python writes."""
    return {
        "key": key,
        "messages": [{"content": prompt, "role": "user"}],
        "ground_truth": str([{"instruction_id": ids, "kwargs": kwargs}]),
        "dataset": "ifeval",
        "constraint_type": "multi",
        "constraint": "as said",
    }


def ifeval_like(key: int, prompt: str, response: str, ids: list[str], kwargs: list[dict]) -> dict:
    """A row of ifeval-like-data, configuration filtered: kwargs is JSON."""
    row = {"key": key, "prompt": prompt, "response": response, "instruction_id_list": ids, "kwargs": json.dumps(kwargs)}
    return row | {name: True for name in IFEVAL_LIKE.names if name.endswith("_acc")}


def multi_if(key: str, language: str, turns: list[tuple[str, list[str], list[dict]]]) -> dict:
    """A row of Multi-IF's CSV: every field is text, JSON within JSON."""
    row = {"turns": "", "responses": "", "key": key, "turn_index": "0", "language": language}
    for number, (prompt, ids, kwargs) in enumerate(turns, start=1):
        row |= {
            f"turn_{number}_prompt": json.dumps({"role": "user", "content": prompt}),
            f"turn_{number}_instruction_id_list": json.dumps(ids),
            f"turn_{number}_kwargs": json.dumps([json.dumps(given) for given in kwargs]),
        }
    return row


def write_csv(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


NO_COMMA = ["punctuation:no_comma"]
FEW = ["length_constraints:number_words"]
ADDED = [{}, {"num_words": 50, "relation": "less than"}]
MULTI_IF_ROWS = [
    multi_if(
        "1001:1:en",
        "English",
        [
            ("Sing about rain without commas", NO_COMMA, [{}]),
            ("Fewer than 50 words", NO_COMMA + FEW, ADDED),
            ("Now shout", [*NO_COMMA, *FEW, "change_case:english_capital"], [*ADDED, {}]),
        ],
    ),
    multi_if("1002:1:ru", "Russian", [("Расскажи о дожде без запятых", NO_COMMA, [{}])] * 3),
]


def subjects(n: int) -> list[str]:
    """`n` prompts of which no two share eight words in a row."""
    return [f"Write line {i} on subject {i * i + 7} for reader {i + 3} without commas" for i in range(n)]


def write_hub(root: Path, n: int = 60) -> Path:
    """Every data set under `root`, with `n` usable rows in each training set."""
    prompts = subjects(n)
    ifeval = "".join(json.dumps(row) + "\n" for row in IFEVAL_ROWS)
    path = root / "google/IFEval/ifeval_input_data.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(ifeval)
    parquet(root / "allenai/IFBench_test/data/train-00000-of-00001.parquet", IFBENCH_ROWS, IFBENCH)
    write_csv(root / "facebook/Multi-IF/multiIF_20241018.csv", MULTI_IF_ROWS)
    training = [if_multi(f"k{i}", text, NO_COMMA, [None]) for i, text in enumerate(prompts)]
    parquet(root / "allenai/IF_multi_constraints_upto5/data/train-00000-of-00001.parquet", training, IF_MULTI)
    ready = [ifeval_like(i, text, f"Line {i} is here", NO_COMMA, [{}]) for i, text in enumerate(prompts)]
    parquet(root / "argilla/ifeval-like-data/filtered/train-00000-of-00001.parquet", ready, IFEVAL_LIKE)
    return root
