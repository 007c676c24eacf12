"""Every test runs with folders of its own for looks and caches, and leaves the user's alone."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers share the cores; must be set before torch is imported


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    for variable in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "IMPASTO_STYLES"):
        os.environ[variable] = str(home / variable.lower())
    os.environ.pop("IMPASTO_DEBUG", None)


@pytest.fixture(scope="session")
def tiny_style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A style file that paints in a blink, with the tiers live and full."""
    from tests.fakes import write_tiny_style

    return write_tiny_style(tmp_path_factory.mktemp("looks") / "tiny.style")
