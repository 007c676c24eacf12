"""Attacks find the worst within their reach: of networks whose worst is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the network runs in torch (extra 'learn')")

from impasto import cli  # noqa: E402  torch must be known to be there first
from impasto.evaluate.attack import ATTACKS, Under, moved  # noqa: E402
from tests.evaluate.shots import pan, written  # noqa: E402

EPS = 2 / 255
PICTURE = 0.25 + 0.5 * torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def under(network: torch.nn.Module) -> Under:
    return Under(network.requires_grad_(False), EPS, torch.Generator().manual_seed(0))


def summing() -> torch.nn.Module:
    """Every pixel the mean of 5 x 5 of its neighbours: only changes that agree with each other move it."""
    blur = torch.nn.Conv2d(3, 3, 5, padding=2, groups=3, bias=False)
    torch.nn.init.constant_(blur.weight, 1 / 25)
    return blur


def gain(name: str, network: torch.nn.Module) -> float:
    siege = under(network)
    changed = ATTACKS[name](siege, PICTURE)
    assert float((changed - PICTURE).abs().max()) <= EPS + 1e-6 or name in ("compression", "gamma")
    return moved(PICTURE, changed.detach(), siege.paint(PICTURE), siege.paint(changed.detach()))["gain"]


@pytest.mark.parametrize("name", ATTACKS)
def test_what_paints_nothing_has_a_gain_of_one(name: str) -> None:
    assert gain(name, torch.nn.Identity()) == pytest.approx(1, abs=1e-3)


def test_what_is_known_to_agree_is_found() -> None:
    """A mean of 25 takes chance down to about a fifth; the worst change agrees with itself, and passes nearly whole."""
    found = {name: gain(name, summing()) for name in ("noise", "fgsm", "pgd")}
    assert found["noise"] == pytest.approx(0.2, abs=0.05)
    assert found["noise"] < found["fgsm"] < found["pgd"]
    assert found["pgd"] > 0.6


def test_a_constant_painter_cannot_be_moved() -> None:
    blank = torch.nn.Conv2d(3, 3, 1)
    torch.nn.init.zeros_(blank.weight)
    assert gain("pgd", blank) == 0


def test_a_look_is_told_under_each_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = written(tmp_path / "s", pan(3))
    words = ["evaluate", str(source), "great-wave", "--tier", "live", "--side", "64", "--eps", "4"]
    assert cli.main([*words, "--attack", "fgsm", "--attack", "gamma", "--json"]) == 0, capsys.readouterr().err
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    assert figures["eps"] == pytest.approx(4)
    assert 3 < figures["changes"]["fgsm"]["moved_by"] <= 4
    assert set(figures["changes"]) == {"untouched", "fgsm", "gamma"}
    assert "warp_short" in figures["changes"]["untouched"]
