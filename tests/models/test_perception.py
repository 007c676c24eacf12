"""Perception: the layouts are told apart, compressed statistics equal the full ones, strange files get one line."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="perception is a torch module (extra 'learn')")

from safetensors.torch import save_file  # noqa: E402  torch must be known to be there first

from impasto.errors import InputError  # noqa: E402
from impasto.media import open_reader  # noqa: E402
from impasto.models.perception import OWN_FILE, TAPS, Features, Perception, distance_to_nearest, sliced_wasserstein  # noqa: E402

TEACHERS = Path(__file__).parents[3] / "shared/data/weights"


def conv(out: int, enter: int, size: int = 3) -> torch.Tensor:
    return torch.randn(out, enter, size, size) * (2 / (enter * size * size)) ** 0.5


def write_folded(path: Path) -> Path:
    torch.manual_seed(0)
    widths = {"0": (3, 3, 1), "2": (8, 3, 3), "5": (8, 8, 3), "9": (12, 8, 3), "12": (12, 12, 3), "16": (16, 12, 3)}
    weights = {f"{n}.weight": conv(*w) for n, w in widths.items()} | {f"{n}.bias": torch.zeros(w[0]) for n, w in widths.items()}
    save_file(weights, path)
    return path


def test_the_taps_of_a_folded_network(tmp_path: Path) -> None:
    perceive = Perception([write_folded(tmp_path / "t.safetensors")])
    taps = perceive(torch.rand(2, 3, 32, 40))
    assert {tap: tuple(f.values.shape) for tap, f in taps.items()} == {
        "relu1_1": (2, 8, 32, 40),
        "relu2_1": (2, 12, 16, 20),
        "relu3_1": (2, 16, 8, 10),
    }
    assert not any(p.requires_grad for p in perceive.parameters())


def test_the_first_file_that_has_a_tap_gives_it(tmp_path: Path) -> None:
    first, second = write_folded(tmp_path / "a.safetensors"), tmp_path / "b.pth"
    names = [0, 2, 5, 7, 10, 12, 14, 16, 19]
    torch.save(
        {
            f"features.{n}.{k}": conv(4, 3 if n == 0 else 4) if k == "weight" else torch.zeros(4)
            for n in names
            for k in ("weight", "bias")
        },
        second,
    )
    taps = Perception([first, second])(torch.rand(1, 3, 32, 32))
    assert taps["relu1_1"].values.shape[1] == 8
    assert taps["relu4_1"].values.shape[1] == 4


def test_widened_statistics_equal_those_of_the_widened_features() -> None:
    torch.manual_seed(0)
    few, weight, bias = torch.rand(2, 5, 6, 7), torch.randn(9, 5), torch.randn(9)
    wide = torch.nn.functional.conv2d(few, weight[:, :, None, None], bias)
    compressed, full = Features(few, (weight, bias)), Features(wide)
    assert torch.allclose(compressed.gram(), full.gram(), atol=1e-5)
    places = torch.tensor([0, 3, 17])
    assert torch.allclose(compressed.columns(places), full.columns(places), atol=1e-5)
    flat = wide.flatten(2)
    assert torch.allclose(full.gram(), flat @ flat.transpose(1, 2) / flat[0].numel(), atol=1e-5)


def test_nearest_and_sliced_distances_know_equal_from_far() -> None:
    rows = torch.nn.functional.normalize(torch.randn(1, 20, 6), dim=2)
    assert distance_to_nearest(rows, rows[0]) == pytest.approx(0, abs=1e-6)
    assert distance_to_nearest(rows, -rows[0][:1]) > 0.5
    directions = torch.eye(6)
    assert sliced_wasserstein(rows[0], rows[0].flip(0), directions) == 0
    assert sliced_wasserstein(rows[0], rows[0] + 2, directions) == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.safetensors", None, "no such teacher"),
        ("t.safetensors", b"text", "not a readable"),
        ("t.pth", b"text", "not a readable"),
    ],
)
def test_strange_files_get_one_line(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=told) as caught:
        Perception([path])
    assert "\n" not in str(caught.value)


def test_a_network_of_other_names_is_refused(tmp_path: Path) -> None:
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="not a VGG19"):
        Perception([tmp_path / "x.safetensors"])


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"features.0.weight": Evil()}))
    with pytest.raises(InputError):
        Perception([tmp_path / "evil.pth"])
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not TEACHERS.is_dir(), reason="the shared teachers are not beside this checkout")
def test_the_compact_teacher_sees_what_the_full_one_sees() -> None:
    full = Perception([TEACHERS / "vgg19_normalised_relu3_1.safetensors"])
    compact = Perception([TEACHERS / "vgg19_compact_relu5_1.safetensors"])
    with open_reader(TEACHERS.parent / "styles/refs_pd/hokusai_great_wave_512.png") as reader:
        picture = next(iter(reader)).rgb()[:192, :192]
    x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    for tap in ("relu1_1", "relu2_1", "relu3_1"):
        ours, theirs = compact(x, [tap])[tap].gram().flatten(), full(x, [tap])[tap].gram().flatten()
        assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.9, tap


def test_our_own_perception_has_all_taps_at_full_width_and_is_small() -> None:
    assert OWN_FILE.stat().st_size <= 2.5e6
    taps = Perception.own()(torch.rand(2, 3, 48, 64))
    assert list(taps) == list(TAPS)
    assert [f.gram().shape for f in taps.values()] == [(2, n, n) for n in (64, 128, 256, 512)]
    assert [tuple(f.values.shape[2:]) for f in taps.values()] == [(48, 64), (24, 32), (12, 16), (6, 8)]


def test_our_own_perception_knows_texture_from_tone() -> None:
    """The same colours in another order are farther away than the same texture elsewhere; no teacher is needed to see that."""
    generator = torch.Generator().manual_seed(0)
    stripes = (torch.arange(96) % 8 < 4).float().expand(3, 96, 96)
    moved, mixed = stripes.roll(3, 2), stripes.flatten(1)[:, torch.randperm(96 * 96, generator=generator)].view(3, 96, 96)
    grams = [f.gram() for f in Perception.own()(torch.stack([stripes, moved, mixed])).values()]
    for gram in grams:
        near, far = (gram[0] - gram[1]).square().sum(), (gram[0] - gram[2]).square().sum()
        assert far > 3 * near


@pytest.mark.skipif(not TEACHERS.is_dir(), reason="the shared teachers are not beside this checkout")
def test_our_own_perception_sees_what_the_teachers_see() -> None:
    names = ("vgg19_normalised_relu3_1", "vgg19_compact_relu5_1")
    teacher, own = Perception([TEACHERS / f"{name}.safetensors" for name in names]), Perception.own()
    with open_reader(TEACHERS.parent / "styles/refs_pd/hokusai_great_wave_512.png") as reader:
        picture = next(iter(reader)).rgb()[:192, :192]
    x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    ours, theirs = own(x), teacher(x)
    for tap, least in zip(TAPS, (0.98, 0.95, 0.9, 0.95), strict=True):
        places = torch.arange(ours[tap].values[0, 0].numel())
        assert (ours[tap].columns(places) * theirs[tap].columns(places)).sum(2).mean() > least, tap
        grams = (ours[tap].gram().flatten(), theirs[tap].gram().flatten())
        assert torch.nn.functional.cosine_similarity(*grams, dim=0) > 0.93, tap
