"""The public face: every name is there, loads lazily, and says what is wrong in its own errors."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.errors import InputError, StyleError
from tests.fakes import noise


def test_every_public_name_loads() -> None:
    assert dir(impasto) == impasto.__all__
    for name in impasto.__all__:
        assert getattr(impasto, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        impasto.nothing  # noqa: B018  the access is the test


def test_verbs_stay_verbs_when_their_rooms_are_imported() -> None:
    import impasto.evaluate.job
    import impasto.learn.job
    import impasto.live.job
    import impasto.render.job

    rooms = impasto.render.job.RenderJob, impasto.learn.job.TrainJob, impasto.evaluate.job.EvaluateJob, impasto.live.job.LiveJob
    for verb, job in zip((impasto.render, impasto.learn, impasto.evaluate, impasto.live), rooms, strict=True):
        assert job.command == verb.__name__.rpartition(".")[2]
        with pytest.raises(InputError, match="unknown field 'colour'"):
            verb("photo.png", "out", colour="blue")


def test_errors_are_the_same_everywhere() -> None:
    assert impasto.StyleError is StyleError
    assert issubclass(impasto.MediaError, impasto.InputError)


def test_render_and_open_style(tmp_path: Path, tiny_style: Path) -> None:
    Image.fromarray(noise(20, 30)).save(tmp_path / "in.png")
    done = impasto.render(tmp_path / "in.png", tmp_path / "out.png", style=str(tiny_style), tier="live")
    assert done.path == tmp_path / "out.png"
    with Image.open(str(done.path)) as written:
        assert np.asarray(written).shape == (20, 30, 3)
    assert done.figures["style_hash"] == impasto.open_style(tiny_style).hash


def test_evaluate_tells_figures(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="evaluating needs torch (extra 'learn')")
    Image.fromarray(noise(32, 48)).save(tmp_path / "in.png")
    done = impasto.evaluate(tmp_path / "in.png", tmp_path / "in.png")
    assert done.figures["mean"]["picture"]["ssim"] == pytest.approx(1, abs=1e-4)


def test_faults_are_gathered_into_one_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"strength is 3.*precision is 'int4'.*unknown field 'colour'"):
        impasto.render("a.png", tmp_path / "b.png", strength=3, precision="int4", colour="blue")
    with pytest.raises(StyleError, match="no look has this name"):
        impasto.open_style("no-such-look")


def test_sample_writes_frames(tmp_path: Path) -> None:
    done = impasto.sample(tmp_path / "plate", size="96x64", frames=2)
    assert done.path == tmp_path / "plate"
    assert len(list((tmp_path / "plate").glob("*.png"))) == 2


def test_learn_refuses_what_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra 'learn')")
    with pytest.raises(InputError, match=r"missing\.jpg"):
        impasto.learn(tmp_path / "missing.jpg", tmp_path / "x.style")
