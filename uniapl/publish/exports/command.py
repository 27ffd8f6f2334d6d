"""A published set in a format that others read: `uniapl export --form FORM SET --out FOLDER`.

    eval-results      Hugging Face's .eval_results/*.yaml, a folder per arm; needs --dataset OWNER/NAME
    every-eval-ever   records of schema 0.3.0 with uncertainty and samples, as data/COLLECTION/DEVELOPER/MODEL/UUID.json
    lm-eval           lm-eval's results_*.json and samples_*.jsonl, a folder per arm and seed
    croissant         croissant.json: the set as a data set with every file's SHA-256 and every table's columns

The set is held against its manifest first. Nothing leaves this machine. FOLDER must be new or empty.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from uniapl.errors import UserError, one_line_errors
from uniapl.publish.exports import croissant, eval_results, every_eval_ever, lm_eval_layout, numbers

FORMS = ("eval-results", "every-eval-ever", "lm-eval", "croissant")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="results/published/<scale>")
    parser.add_argument("--form", choices=FORMS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder that is new or empty")
    parser.add_argument("--dataset", help="eval-results: the hub's data set that holds the test prompts")
    parser.add_argument("--source", help="eval-results: an address where the set can be read")
    args = parser.parse_args(argv)
    set_, now = numbers.read(args.set), int(time.time())
    if args.out.is_dir() and any(args.out.iterdir()):
        raise UserError(f"{args.out}: is not empty: name a new folder")
    if args.form == "eval-results":
        paths = eval_results.write(set_, args.out, args.dataset, args.source)
    elif args.form == "every-eval-ever":
        paths = every_eval_ever.write(set_, args.out, now)
    elif args.form == "lm-eval":
        paths = lm_eval_layout.write(set_, args.out, now)
    else:
        paths = croissant.write(set_, args.out, time.strftime("%Y-%m-%d", time.gmtime(now)))
    size = sum(path.stat().st_size for path in paths) / 1e6
    print(
        f"{set_.manifest['id']}: {len(set_.arms)} arms as {args.form}, {len(paths)} files, {size:.1f} MB in {args.out}"
    )


if __name__ == "__main__":
    main()
