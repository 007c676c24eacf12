"""Known motion is read as it is written, put on the right frames, and gives the known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from impasto.errors import InputError, MediaError
from impasto.evaluate.given import fitted, open_flows, read_flo, write_flo
from impasto.evaluate.pairing import as_shown
from impasto.evaluate.pairing import fitted as smaller
from impasto.evaluate.steadiness import LONG, Steadiness, summary, warp_error
from impasto.media.flow import Plane, Step, end_point_error, follow
from tests.evaluate.shots import HEIGHT, WIDTH, noisy, pan
from tests.media.exr_made import Made, exr

SINTEL = Path(__file__).parents[3] / "shared/data/flow"
SPEED = (2.3, 0.8)
NUMBERS = range(1, 4)


def flowing(u: float, v: float) -> Plane:
    return np.broadcast_to(np.array([u, v], np.float32), (HEIGHT, WIDTH, 2)).copy()


def test_a_flo_is_what_was_written(tmp_path: Path) -> None:
    flow = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
    write_flo(tmp_path / "a.flo", flow)
    assert (tmp_path / "a.flo").read_bytes()[:12] == b"PIEH\x07\0\0\0\x05\0\0\0"
    assert np.array_equal(read_flo(tmp_path / "a.flo"), flow)


@pytest.mark.parametrize(
    ("cut", "fault"), [(slice(0, -4), "is damaged: 7x5 need 292 bytes, and it has 288"), (slice(4, None), "is no .flo")]
)
def test_a_broken_flo_is_named(tmp_path: Path, cut: slice, fault: str) -> None:
    write_flo(tmp_path / "a.flo", np.zeros((5, 7, 2), np.float32))
    (tmp_path / "a.flo").write_bytes((tmp_path / "a.flo").read_bytes()[cut])
    with pytest.raises(MediaError, match=fault):
        read_flo(tmp_path / "a.flo")


def folder_of(kind: str, folder: Path) -> Path:
    """The motion of the pan in each of the ways it may be told: what is seen goes left and up."""
    folder.mkdir()
    for number in NUMBERS:
        if kind == "flo":
            write_flo(folder / f"frame_{number:04d}.flo", flowing(-SPEED[0], -SPEED[1]))
        elif kind == "truth":
            known = np.ones((HEIGHT, WIDTH), bool)
            np.savez(folder / f"shot.{number:04d}.truth.npz", backward=flowing(*SPEED), hidden_backward=~known, steady=known)
        else:
            ways = {"exr ahead": ["forward"], "exr back": ["backward"], "exr both": ["forward", "backward"]}[kind]
            signs = {way: -1 if way == "forward" else 1 for way in ways}
            values = {way: {"u": sign * SPEED[0], "v": -sign * SPEED[1]} for way, sign in signs.items()}  # v is upward there
            planes = {f"{way}.{n}": np.full((HEIGHT, WIDTH), x, np.float32) for way in ways for n, x in values[way].items()}
            (folder / f"mv.{number:04d}.exr").write_bytes(exr(Made(planes)))
    return folder


@pytest.mark.parametrize("kind", ["flo", "truth", "exr ahead", "exr back", "exr both"])
def test_every_way_of_telling_motion_leads_to_the_same_place(kind: str, tmp_path: Path) -> None:
    shot = pan(2, SPEED)
    flows = open_flows(folder_of(kind, tmp_path / "f"), NUMBERS)
    step = flows.step(1, 2, (shot[0], shot[1]))
    assert step is not None
    assert step.ahead is (kind in ("flo", "exr ahead"))
    assert step.share > 0.9
    assert warp_error(shot[1], shot[0], step) < 0.02 < 0.2 * warp_error(shot[1], shot[0], Step(flowing(0, 0), step.followed))
    here, there = step.ends(shot[0], shot[1])
    assert end_point_error(follow(here, there), step) < 0.3
    assert flows.step(1, 3, (shot[0], shot[1])) is None, "two frames further is not what the file tells"


def test_the_long_error_follows_known_steps_one_after_the_other(tmp_path: Path) -> None:
    shot = pan(LONG + 1, SPEED)
    for ahead in (False, True):
        sign = -1 if ahead else 1
        step = Step(flowing(sign * SPEED[0], sign * SPEED[1]), np.ones((HEIGHT, WIDTH), bool), ahead)
        step.followed[:, [0, 1, 2, -3, -2, -1]] = step.followed[[0, -1]] = False  # there it leaves the window
        watch = Steadiness(given=True)
        rows = [watch.take(one, one, step if number else None) for number, one in enumerate(shot)]
        assert rows[-1]["warp_long"] < 0.1, "one far step of the whole way would cost ten times as much"
        assert "end_point" in rows[1]
        assert rows[1]["warp_found"] == pytest.approx(rows[1]["warp_found_source"])


def test_a_step_that_nobody_knows_is_not_judged() -> None:
    shot = pan(3, SPEED)
    watch = Steadiness(given=True)
    rows = [watch.take(one, one) for one in noisy(shot)]
    assert summary(rows) == {}


def test_files_are_matched_by_number_or_by_order(tmp_path: Path) -> None:
    folder = folder_of("flo", tmp_path / "f")
    assert set(open_flows(folder, range(2, 9)).files) == {1, 2, 3}
    assert set(open_flows(folder, range(1001, 1004)).files) == {1001, 1002, 1003}
    assert set(open_flows(folder, range(1001, 1005)).files) == {1001, 1002, 1003}
    with pytest.raises(InputError, match="its files are 1-3, and the source's frames 1001-1009: number them alike"):
        open_flows(folder, range(1001, 1010))


def test_a_folder_without_motion_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \.flo"):
        open_flows(tmp_path, NUMBERS)
    with pytest.raises(InputError, match="is no folder"):
        open_flows(tmp_path / "none", NUMBERS)
    (tmp_path / "a.0001.exr").write_bytes(exr(Made({"Z": np.zeros((4, 4), np.float32)})))
    with pytest.raises(MediaError, match=r"has no motion.* it has Z: name a folder with the source's motion as --flow"):
        open_flows(tmp_path, NUMBERS)


def test_motion_is_measured_in_the_pixels_of_the_size(tmp_path: Path) -> None:
    known = np.ones((HEIGHT, WIDTH), bool)
    known[10, 10] = False
    flow, counts = fitted(flowing(8, 4), known, (WIDTH // 2, HEIGHT // 2), tmp_path)
    assert flow[3, 3] == pytest.approx([4, 2])
    assert counts is not None
    assert np.argwhere(~counts).tolist() == [[5, 5]], "a pixel counts if all that it covers does"
    with pytest.raises(MediaError, match="of another shape"):
        fitted(flowing(0, 0), None, (WIDTH, WIDTH), tmp_path)


@pytest.mark.skipif(not SINTEL.is_dir(), reason="needs the shared MPI-Sintel pairs beside this checkout")
@pytest.mark.parametrize(("clip", "off"), [("clean_alley_1", 0.3), ("final_cave_2", 1.0)])
def test_on_sintel_the_true_motion_is_better_than_that_found(clip: str, off: float) -> None:
    before, now = (smaller(as_shown(SINTEL / clip / f"frame_000{n}.png"), 512) for n in (2, 3))
    step = open_flows(SINTEL / clip / "gt", range(1, 5)).step(2, 3, (before, now))
    assert step is not None
    assert 0.75 < step.share < 0.92, "what is hidden or invalid is left out"
    found = follow(*step.ends(before, now))
    assert 0.1 < end_point_error(found, step) < off
    true, by_found, none = (
        warp_error(now, before, Step(flow, step.followed, True)) for flow in (step.flow, found.flow, 0 * found.flow)
    )
    assert true < by_found < 0.2 * none
