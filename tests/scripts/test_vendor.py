"""The browser files are copied with their licences, and old ones do not stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import vendor


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """What npm would have installed."""
    for package, file in vendor.FILES.items():
        source = tmp_path / "node_modules" / package / file
        source.parent.mkdir(parents=True)
        source.write_text(f"the file of {package}")
        (tmp_path / "node_modules" / package / "LICENSE").write_text(f"the licence of {package}")
    return tmp_path / "node_modules"


def test_each_file_is_copied_with_the_licence_of_its_package(modules: Path, tmp_path: Path) -> None:
    copied = vendor.copy(modules, tmp_path / "vendor")
    assert (tmp_path / "vendor" / "htmx.min.js").read_text() == "the file of htmx.org"
    assert (tmp_path / "vendor" / "htmx.min.js.LICENSE").read_text() == "the licence of htmx.org"
    assert len(copied) == len(vendor.FILES)
    assert all(file.exists() for file in copied)


def test_a_file_that_is_no_longer_listed_does_not_stay(modules: Path, tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "old.js").touch()
    vendor.copy(modules, tmp_path / "vendor")
    assert not (tmp_path / "vendor" / "old.js").exists()


def test_a_missing_file_leaves_the_folder_as_it_was(modules: Path, tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "ws.js").write_text("the old one")
    (modules / "htmx-ext-ws" / "ws.js").unlink()
    with pytest.raises(FileNotFoundError):
        vendor.copy(modules, tmp_path / "vendor")
    assert (tmp_path / "vendor" / "ws.js").read_text() == "the old one"
