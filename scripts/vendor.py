"""Copy the browser files that pages load from node_modules to static/vendor.

`make setup` runs it after `npm ci`. The folder is made anew each time, so that a file
which is no longer listed does not stay behind. Standard library only.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"

# Package → the file of it that pages load. Its licence is copied beside it.
FILES = {
    "htmx.org": "dist/htmx.min.js",
    "htmx-ext-ws": "ws.js",
    "chart.js": "dist/chart.umd.min.js",
    "@fontsource-variable/inter": "files/inter-latin-wght-normal.woff2",
    "@fontsource-variable/jetbrains-mono": "files/jetbrains-mono-latin-wght-normal.woff2",
}


def copy(modules: Path = MODULES, vendor: Path = VENDOR) -> list[Path]:
    """Fill `vendor` from `modules`; returns the copied files. Raises FileNotFoundError."""
    fresh = vendor.with_name(f"{vendor.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    copied = []
    for package, file in FILES.items():
        source = modules / package / file
        shutil.copyfile(source, fresh / source.name)
        copied.append(vendor / source.name)
        for licence in sorted((modules / package).glob("LICENSE*")):
            shutil.copyfile(licence, fresh / f"{source.name}.{licence.name}")
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return copied


def main() -> int:
    try:
        copied = copy()
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: run `npm ci` first.", file=sys.stderr)
        return 1
    print(f"static/vendor has {len(copied)} browser files.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
