"""Records the verdicts of a family's published code, run at the revision that its rules follow, on the tests' texts.

    PYTHONPATH=.:tests NLTK_DATA=FOLDER python tests/checkers/record_upstream.py iftrain CHECKOUT

CHECKOUT is a clone of the family's repository at that revision; it is imported and run, so read it first. FOLDER holds
NLTK's punkt_tab and stopwords. What else upstream imports (emoji, syllapy, langdetect, pythainlp) must be installed;
types whose resources are not there are left out, and named. Writes tests/checkers/upstream_FAMILY.json:

    revision   repository@commit
    texts      the texts
    verdicts   id: [[arguments, a sign for each text]]: 1 followed, 0 not, x where upstream raises
"""

import importlib
import json
import random
import subprocess
import sys
from pathlib import Path

from support.ifbench_examples import EXAMPLES as IFBENCH
from support.ifbench_examples import FIXED as IFBENCH_FIXED
from support.ifeval_examples import EXAMPLES as IFEVAL
from test_iftrain import EXAMPLES as IFTRAIN
from test_iftrain import FIXES

from uniapl.checkers.families import BY_NAME

PACKAGES = {
    "ifeval": "lm_eval.tasks.ifeval.instructions_registry",
    "ifbench": "ifbench.instructions_registry",
    "iftrain": "open_instruct.IFEvalG.instructions_registry",
    "multi_if": "ifeval",
}
OWN = {"ifeval": IFEVAL, "ifbench": IFBENCH, "iftrain": IFTRAIN, "multi_if": IFEVAL}
MORE = (
    "rain falls down\nrain B down",
    "red warm furry fox, red hot furry fox",
    "It rains. Does it? It does!",
    "* one\n- two\n* three\n  - four",
    "“It rains,” she said. It's 3.5 o'clock — isn't it?",
    "<<a title>>\n\n***\n\nP.S. It's over.",
    "我们今天去公园散步，然后回家吃饭。天气很好！",
    "आज मौसम बहुत अच्छा है। हम बाजार जाएँगे! क्या तुम आओगे",
    "Сегодня идёт дождь. Мы останемся дома вместе.",
    "「今日はとても天気がいいです。散歩に行きましょう。」",
)


def all_texts() -> list[str]:
    """The examples' texts of every family, in a fixed order, none blank."""
    examples = [text for family in (IFEVAL, IFBENCH, IFTRAIN) for _, *texts in family.values() for text in texts]
    fixed = [text for _, good, bad, _ in IFBENCH_FIXED.values() for text in (good, bad)]
    texts = dict.fromkeys((*examples, *fixed, *(case[2] for case in FIXES), *MORE))
    return [text for text in texts if text.strip() and len(text) < 600]


def arguments(family: str, instruction_id: str) -> list[dict]:
    """The arguments of the examples of an id."""
    given = [OWN[family][instruction_id][0]]
    if family == "ifbench":
        given += [kwargs for name, (kwargs, *_) in IFBENCH_FIXED.items() if name == f"{instruction_id}~fixed"]
    if family == "iftrain":
        given += [kwargs for name, kwargs, *_ in FIXES if name == instruction_id]
    return [json.loads(text) for text in dict.fromkeys(map(json.dumps, given))]


def verdict(checker, text: str) -> str:
    random.seed(0)
    try:
        return str(int(bool(checker.check_following(text))))
    except LookupError as error:
        if "Resource" in str(error):  # NLTK's: a download is missing
            raise
        return "x"
    except Exception:  # upstream's own, whatever it is
        return "x"


def record(family: str, checkout: Path) -> dict:
    """Revision, texts and verdicts. Stops unless the checkout is at the revision."""
    revision = BY_NAME[family].revision
    commit = subprocess.run(["git", "-C", checkout, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert commit.stdout.strip() == revision.partition("@")[2], f"check out {revision}"
    sys.path.insert(0, str(checkout))
    module = importlib.import_module(PACKAGES[family])
    assert Path(module.__file__).is_relative_to(checkout.resolve()), f"{module.__file__} is not of the checkout"
    import langdetect
    import nltk

    langdetect.DetectorFactory.seed = 0
    for name in (PACKAGES[family], PACKAGES[family].replace("registry", "util")):  # the pickle is refused by NLTK
        util = sys.modules[name]
        if hasattr(util, "_get_sentence_tokenizer"):
            util._get_sentence_tokenizer = lambda: nltk.tokenize.PunktTokenizer("english")
    texts, verdicts = all_texts(), {}
    for instruction_id in BY_NAME[family].instructions:
        for kwargs in arguments(family, instruction_id):
            checker = module.INSTRUCTION_DICT[instruction_id](instruction_id)
            checker.build_description(**kwargs)
            try:
                signs = "".join(verdict(checker, text) for text in texts)
            except LookupError:
                print(f"{instruction_id}: a resource is not there: left out")
                break
            verdicts.setdefault(instruction_id, []).append([kwargs, signs])
    return {"revision": revision, "texts": texts, "verdicts": verdicts}


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    out = Path(__file__).with_name(f"upstream_{name}.json")
    out.write_text(json.dumps(record(name, folder), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
