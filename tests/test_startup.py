"""What a process hides from transformers and TRL before it imports them."""

import subprocess
import sys

HIDDEN = """
from uniapl.startup import without
without("scipy", "sklearn", "peft")
import sys
from transformers.utils import is_peft_available, is_scipy_available, is_sklearn_available
from trl import GRPOTrainer
print(is_peft_available(), is_scipy_available(), is_sklearn_available())
print(*(name for name in ("peft", "scipy", "sklearn") if sys.modules.get(name)))
"""


def printed(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.split("\n")


def test_a_trainer_imports_without_what_it_does_not_use():
    assert printed(HIDDEN)[:2] == ["False False False", ""]


def test_packages_stay_visible_where_vllm_is_installed(tmp_path):
    (tmp_path / "vllm").mkdir()
    program = f"""
import sys

sys.path.append({str(tmp_path)!r})
from uniapl.startup import without
without("scipy")
import scipy.stats
print("here")
"""
    assert printed(program)[0] == "here"


def test_a_package_that_is_in_use_stays():
    program = "import scipy; from uniapl.startup import without; without('scipy'); import scipy; print(scipy.__name__)"
    assert printed(program)[0] == "scipy"
