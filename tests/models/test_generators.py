"""Every generator keeps what it states: stride, receptive field, no view of the whole frame, a calm start."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules (extra 'learn')")

from impasto import plugins  # noqa: E402  torch must be known to be there first
from impasto.models.blocks import DoubleSize, Painter  # noqa: E402
from impasto.models.generators.tint import luma  # noqa: E402

LIMITS = {"swift": 400_000, "brush": 1_200_000, "tint": 2_200_000}


def lively(name: str) -> Painter:
    """A generator with weights that matter everywhere: a fresh trunk is nearly the identity and would hide faults."""
    torch.manual_seed(1)
    room = plugins.load("generators", name)
    net: Painter = room.Generator(room.Settings()).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() == 4:
                parameter.normal_(std=(2 / parameter[0].numel()) ** 0.5)
    return net


def seen_by(name: str, picture: torch.Tensor) -> torch.Tensor:
    """What a fresh network is to return nearly: one gives colours to a grey picture, so it can only keep the light."""
    return luma(picture) if name == "tint" else picture


@pytest.mark.parametrize("name", plugins.names("generators"))
def test_a_pixel_reaches_no_farther_than_the_stated_field(name: str) -> None:
    net = lively(name).double()
    size = 2 * (net.receptive_field // 2 // net.stride + 3) * net.stride  # so that a longer reach would show
    at = size // 2
    x = torch.rand(1, 3, size, size, dtype=torch.double)
    y = x.clone()
    y[..., at, at] = 1 - y[..., at, at]
    with torch.no_grad():
        changed = ((net(x) - net(y)).abs().sum((0, 1)) > 0).nonzero()
    reach = (changed // net.scale - at).abs().max().item()
    assert 4 < reach <= net.receptive_field // 2


@pytest.mark.parametrize("inner", [2, 4])
def test_what_thinks_about_a_smaller_picture_reaches_no_farther_than_it_says_either(inner: int) -> None:
    room = plugins.load("generators", "swift")
    torch.manual_seed(1)
    net = room.Generator(room.Settings(width=6, blocks=1, head=4, inner=inner)).eval().double()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter.data, std=0.3)
    half = net.receptive_field // 2
    size = 2 * (half // net.stride + 3) * net.stride
    x = torch.rand(1, 3, size, size, dtype=torch.double)
    for at in range(size // 2, size // 2 + net.stride):  # wherever it lies in what is averaged
        y = x.clone()
        y[..., at, at] = 1 - y[..., at, at]
        with torch.no_grad():
            changed = ((net(x) - net(y)).abs().sum((0, 1)) > 0).nonzero()
        assert 0 < (changed - at).abs().max().item() <= half
    assert net.stride == 4 * inner


@pytest.mark.parametrize("name", plugins.names("generators"))
def test_shape_size_and_range(name: str) -> None:
    net = lively(name)
    assert sum(p.numel() for p in net.parameters()) <= LIMITS.get(name, 2_000_000)
    with torch.no_grad():
        for down, across in ((1, 1), (2, 9), (13, 12)):
            height, width = (max(4, net.stride * side) for side in (down, across))
            painted = net(torch.rand(2, 3, height, width))
            assert painted.shape == (2, 3, height * net.scale, width * net.scale)
            assert painted.min() >= 0
            assert painted.max() <= 1


@pytest.mark.parametrize("name", plugins.names("generators"))
def test_a_fresh_generator_nearly_returns_its_input(name: str) -> None:
    room = plugins.load("generators", name)
    torch.manual_seed(0)
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        net = room.Generator(room.Settings())
        painted = torch.nn.functional.avg_pool2d(net(x), net.scale)
        assert (seen_by(name, painted) - seen_by(name, x)).abs().mean() < 0.1


@pytest.mark.parametrize("name", plugins.names("generators"))
def test_a_shift_by_the_stride_shifts_the_painting(name: str) -> None:
    net = lively(name).double()
    steps = -(-net.receptive_field // 2 // net.stride)  # from the border to where it is no longer seen
    size = (2 * steps + 6) * net.stride
    x = torch.rand(1, 3, size, size, dtype=torch.double)
    shift, edge = net.stride * net.scale, steps * net.stride * net.scale
    with torch.no_grad():
        whole, moved = net(x), net(x[..., net.stride :, net.stride :])
    inside = moved[..., edge:-edge, edge:-edge]
    beside = whole[..., edge + shift : -edge, edge + shift : -edge]
    assert inside.numel()
    assert torch.allclose(inside, beside, atol=1e-9)


def test_constant_features_leave_no_checkerboard_whatever_was_learnt() -> None:
    torch.manual_seed(0)
    double = DoubleSize(8, 3)
    with torch.no_grad():
        double.conv.weight.normal_()
        out = double(torch.rand(1, 8, 1, 1).expand(1, 8, 12, 12))
    assert (out - out.mean((2, 3), keepdim=True)).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["swift", "brush"])
def test_a_code_and_guides_start_without_effect_and_then_have_one(name: str) -> None:
    plain, room = lively(name), plugins.load("generators", name)
    coded = room.Generator(room.Settings(code=5, guides=2)).eval()
    missing, unexpected = coded.load_state_dict(plain.state_dict(), strict=False)
    assert {key.split(".")[0] for key in missing} <= {"code", "film", "guide_stem", "guide_in"}
    assert not unexpected
    x, codes = torch.rand(2, 5, 16, 24), torch.randn(2, 5)
    with torch.no_grad():
        assert torch.equal(coded(x, codes), plain(x[:, :3]))
        coded.film.weight.normal_(std=0.2)
        assert torch.equal(coded(x), plain(x[:, :3])), "a code of zeros has no effect"
        painted = coded(x, codes)
        coded.code.copy_(codes[0])
        torch.testing.assert_close(coded(x)[0], painted[0], rtol=0, atol=1e-3)
        assert (coded(x)[1] - painted[1]).abs().max() > 0.01
        (coded.guide_stem if name == "swift" else coded.guide_in).weight.normal_()
        assert (coded(x)[0] - painted[0]).abs().max() > 0.01


@pytest.mark.parametrize("name", ["swift", "brush"])
def test_a_look_of_paper_and_ink_has_no_other_colours(name: str) -> None:
    room = plugins.load("generators", name)
    paper, ink = (0.9, 0.8, 0.7), (0.1, 0.0, 0.2)
    torch.manual_seed(3)
    net = room.Generator(room.Settings(inks=(paper, ink))).eval()
    with torch.no_grad():
        painted = net(torch.rand(1, 3, 32, 32))
    along = (torch.tensor(ink) - torch.tensor(paper))[:, None]
    beside = painted[0].flatten(1) - torch.tensor(paper)[:, None]
    beside = beside - along * (along.T @ beside) / (along.T @ along)
    assert beside.abs().max() < 1e-5
    assert painted.std() > 0.01  # and is not one colour alone
