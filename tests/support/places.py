"""Where tests find files: the root of the checkout, and published data that no commit may hold."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED_DATA = Path(os.environ.get("UNIAPL_PUBLISHED_DATA", ROOT / "published_data")).resolve()
WITHOUT_DATA = "UNIAPL_PUBLISHED_DATA names no folder with the published prompts and responses"
