"""Shares of looks: read, made to add up to 1, and mixed in one render."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.render.job import RenderJob
from impasto.render.mattes import MatteSpec, StyleUse, read_uses
from impasto.render.shares import Share, read_shares
from tests.fakes import noise, write_tiny_style


def test_shares_are_read_and_made_to_add_up() -> None:
    assert read_shares(["a:0.6", "b.style:0.4"]) == ([Share("a", 0.6), Share("b.style", 0.4)], "")
    assert read_shares(["a", "b"]) == ([Share("a", 0.5), Share("b", 0.5)], "")
    assert read_shares(["many#x:1", "b:3"])[0] == [Share("many#x", 0.25), Share("b", 0.75)]
    assert read_shares(["many#x:1,y:2", "b"])[0] == [Share("many#x:1,y:2", 0.5), Share("b", 0.5)]


def test_a_file_named_like_a_share_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a:0.6").touch()
    assert read_shares(["a:0.6"])[0] == [Share("a:0.6", 1)]


@pytest.mark.parametrize(
    ("texts", "fault"), [(["a:1", "b"], "'b' has no share"), (["a:1", "b:-1"], "come to 0"), (["a:1e999"], "inf")]
)
def test_shares_that_mean_nothing_are_refused(texts: list[str], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_shares(texts)


def test_each_look_is_laid_on_so_thinly_that_all_come_to_their_shares() -> None:
    uses, note = read_uses(["a:0.5", "b:0.3", "c:0.2", "d@skin"])
    assert [use.style for use in uses] == ["a", "b", "c", "d"]
    assert [use.matte and (use.matte.origin, use.matte.name) for use in uses] == [
        None, ("even", "0.375"), ("even", "0.2"), ("skin", ""),
    ]  # fmt: skip
    assert not note
    assert read_uses(["a:2", "b:2"])[1] == "the shares add up to 4, so they are taken as 0.5, 0.5"
    assert read_uses(["many#x:-0.4"])[0] == [StyleUse("many#x:-0.4")], "after one look the number is the look's own"
    assert read_uses(["a", "b@skin"])[0] == [StyleUse("a"), StyleUse("b", MatteSpec("skin"))]
    with pytest.raises(InputError, match="looks with shares come first"):
        read_uses(["a:1", "d@skin", "b:1"])
    with pytest.raises(InputError, match="more than 0 of each"):
        read_uses(["a:1", "b:0"])


def test_a_render_with_two_shares_blends_the_pictures(tmp_path: Path) -> None:
    looks = [str(write_tiny_style(tmp_path / f"{len(tiers)}.style", tiers)) for tiers in (("live",), ("full", "live"))]
    Image.fromarray(noise(20, 28)).save(tmp_path / "in.png")

    def painted(*style: str) -> np.ndarray:
        options = {"engine": "onnx", "tier": "live", "overwrite": True}
        RenderJob.build(inputs=[tmp_path / "in.png"], out=tmp_path / "out.png", style=list(style), **options).finish()
        return np.asarray(Image.open(tmp_path / "out.png")).astype(float)

    one, two = painted(looks[0]), painted(looks[1])
    assert np.abs(one - two).max() > 20
    mixed = painted(f"{looks[0]}:0.3", f"{looks[1]}:0.7")
    assert np.abs(mixed - (0.3 * one + 0.7 * two)).max() <= 0.51
