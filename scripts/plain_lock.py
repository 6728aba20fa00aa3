"""Take every address out of package-lock.json: it pins versions by integrity alone.

`npm install` writes funding pages into the lock whatever it is told; where the packages
come from is the business of the machine that installs them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "package-lock.json"
WITH_ADDRESSES = ("funding", "resolved")


def plain(lock: dict[str, Any]) -> dict[str, Any]:
    """The same lock without the entries that hold addresses."""
    packages = {
        path: {key: value for key, value in entry.items() if key not in WITH_ADDRESSES}
        for path, entry in lock["packages"].items()
    }
    return {**lock, "packages": packages}


if __name__ == "__main__":
    text = json.dumps(plain(json.loads(LOCK.read_text())), indent=2, ensure_ascii=False)
    LOCK.write_text(text + "\n")
