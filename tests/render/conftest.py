"""What most tests of rendering paint with."""
from __future__ import annotations

from pathlib import Path

import pytest

from impasto.engine import Engine
from impasto.render import brush
from tests.fakes import Inverter


@pytest.fixture
def look(tiny_style: Path) -> str:
    """A look as it is named on the command line."""
    return str(tiny_style)


@pytest.fixture
def negative(monkeypatch: pytest.MonkeyPatch) -> Inverter:
    """Every render paints the negative, so that each value can be foretold."""
    engine = Inverter()

    def opened(*args: object, **options: object) -> Engine:
        return engine

    monkeypatch.setattr(brush, "open_engine", opened)
    return engine
