"""Clips from elsewhere, as they come from cameras and the net: each is painted for half a second and keeps what goes with it."""
from __future__ import annotations

from pathlib import Path

import av
import pytest

from impasto.media import open_reader
from impasto.render.job import RenderJob
from tests.fakes import write_tiny_style

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "video"
NAMES = sorted(file.name for file in CLIPS.glob("*.mp4")) if CLIPS.is_dir() else []


@pytest.mark.skipif(not NAMES, reason=f"no clips to try on: {CLIPS} is not there")
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_half_a_second_of_it(tmp_path: Path, name: str) -> None:
    look = str(write_tiny_style(tmp_path / "tiny.style"))
    given = {"style": look, "tier": "live", "engine": "onnx", "proxy": 4, "end": "0.5s", "quality": "draft"}
    done = RenderJob.build(inputs=[CLIPS / name], out=tmp_path / "out.mp4", **given).finish()
    with open_reader(CLIPS / name) as source, open_reader(tmp_path / "out.mp4") as result:
        assert result.info.frames == done.figures["frames"] == sum(time < 0.5 for time in source.times())  # type: ignore[attr-defined]
        assert result.info.fps == pytest.approx(source.info.fps, rel=0.02)
        assert result.info.width == -(-source.info.width // 4)
    with av.open(str(CLIPS / name)) as before, av.open(str(tmp_path / "out.mp4")) as after:
        assert [s.codec_context.name for s in after.streams.audio] == [s.codec_context.name for s in before.streams.audio]
