"""What the references are says how they are learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError
from impasto.learn.choose import choose
from impasto.learn.job import TrainJob


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Paintings, a folder of them, a tree with folders that count and some that do not, a shot of four frames and keys."""
    names = ["a.png", "b.png", "flat/1.png", "flat/2.png", "tree/monet/1.png", "tree/turner/1.png", "wave_512.png"]
    names += [f"shot/s.{number:04d}.png" for number in range(1, 5)]
    names += ["keys/0002.png", "keys/0004.png", "mixed/0002.png", "mixed/x.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
    for hidden in ("flat/__MACOSX", "flat/.cache", "flat/empty"):
        (tmp_path / hidden).mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "flat/.cache/thumb.png")
    (tmp_path / "list.txt").write_text("a.png\n")
    (tmp_path / "clip.mp4").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("references", "more", "recipe"),
    [
        (["a.png"], {}, "one_image"),
        (["a.png", "b.png"], {}, "styles"),
        (["flat"], {}, "folder"),
        (["list.txt"], {}, "folder"),
        (["tree"], {}, "styles"),
        (["clip.mp4"], {}, "style_video"),
        (["cifar-10-binary.tar.gz"], {}, "noise"),
        (["keys/0002.png", "keys/0004.png"], {"shot": "shot"}, "keyframes"),
        (["keys"], {"shot": "shot"}, "keyframes"),
        (["wave_512.png"], {"shot": "shot"}, "one_image"),
        (["flat", "tree"], {"shot": "shot"}, "styles"),
        ([], {"distil": "big.style"}, "distil"),
        (["look.style"], {"steady": "shot"}, "steady"),
    ],
)
def test_references_choose_their_recipe(place: Path, references: list[str], more: dict[str, str], recipe: str) -> None:
    given = {name: place / value for name, value in more.items()}
    job = TrainJob.build(references=[place / name for name in references], out=place / "x.style", **given)
    assert choose(job) == recipe


@pytest.mark.parametrize("references", [["mixed"], ["keys/0002.png", "a.png"], ["keys/0002.png", "wave_512.png"]])
def test_painted_frames_beside_others_are_no_guess(place: Path, references: list[str]) -> None:
    job = TrainJob.build(references=[place / name for name in references], shot=place / "shot", out=place / "x.style")
    with pytest.raises(InputError, match=r"(x|a|wave_512)\.png: named by no frame of .*shot, and other references are"):
        choose(job)


def test_layers_and_mattes_of_a_shot_go_with_painted_frames_alone(place: Path) -> None:
    for more in ({"matte": place / "b.png"}, {"guide": ["depth=d.####.exr"]}):
        with pytest.raises(InputError, match=r"--(matte|guide) goes along with painted frames .* recipe one_image has none"):
            TrainJob.build(references=[place / "a.png"], out=place / "x.style", **more).finish()
