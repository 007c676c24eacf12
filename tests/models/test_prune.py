"""Pruning: what matters is kept, what is added stays aligned, and what is no smaller network of the kind is left alone."""

from __future__ import annotations

from types import ModuleType

import pytest

torch = pytest.importorskip("torch", reason="pruning works on torch modules (extra 'learn')")

from impasto.models.generators import brush, swift  # noqa: E402  torch must be known to be there first
from impasto.models.prune import inherit  # noqa: E402


def lively(painter: torch.nn.Module) -> torch.nn.Module:
    """A network all of whose weights do something, as after learning."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in painter.state_dict().values():
            value += 0.1 * torch.randn(value.shape, generator=generator)
    return painter.eval()


BOTH = [(swift, {"width": 12, "blocks": 3, "head": 8}), (brush, {"width": 6, "blocks": 3})]


@pytest.mark.parametrize(("room", "sizes"), BOTH)
def test_channels_that_do_nothing_are_the_ones_that_go(room: ModuleType, sizes: dict[str, int]) -> None:
    """A small network padded with channels that nobody listens to is pruned back to one that paints the same."""
    small = lively(room.Generator(room.Settings(**sizes)))
    wide = {name: size * (1 if name == "blocks" else 2) for name, size in sizes.items()}
    large = room.Generator(room.Settings(**wide))
    with torch.no_grad():
        for name, value in large.state_dict().items():
            theirs = small.state_dict()[name]
            value.zero_()[tuple(slice(side) for side in theirs.shape)] = theirs
    slim = room.Generator(room.Settings(**sizes)).eval()
    x = torch.rand(1, 3, 32, 32)
    assert not torch.allclose(slim(x), small(x), atol=1e-3)
    assert inherit(slim, large)
    assert torch.allclose(slim(x), small(x), atol=1e-5)


@pytest.mark.parametrize(("room", "sizes"), BOTH)
def test_the_same_sizes_give_the_same_network(room: ModuleType, sizes: dict[str, int]) -> None:
    teacher = lively(room.Generator(room.Settings(**sizes, code=3)))
    student = room.Generator(room.Settings(**sizes, code=3)).eval()
    assert inherit(student, teacher)
    x, code = torch.rand(2, 3, 32, 32), torch.randn(2, 3)
    assert torch.equal(student(x, code), teacher(x, code))


@pytest.mark.parametrize(("room", "sizes"), BOTH)
def test_half_the_channels_still_take_a_code_and_fewer_blocks(room: ModuleType, sizes: dict[str, int]) -> None:
    teacher = lively(room.Generator(room.Settings(**sizes, code=3)))
    student = room.Generator(room.Settings(**{name: max(1, size // 2) for name, size in sizes.items()}, code=3)).eval()
    assert inherit(student, teacher)
    x = torch.rand(1, 3, 32, 32)
    assert torch.equal(student.get_buffer("code"), teacher.get_buffer("code"))
    assert not torch.equal(student(x, torch.ones(1, 3)), student(x, -torch.ones(1, 3)))


def test_a_block_that_adds_nothing_is_the_one_that_goes() -> None:
    teacher = lively(swift.Generator(swift.Settings(width=8, blocks=3, head=4)))
    with torch.no_grad():
        for value in teacher.trunk[1].leave.parameters():
            value.zero_()
    student = swift.Generator(swift.Settings(width=8, blocks=2, head=4)).eval()
    assert inherit(student, teacher)
    x = torch.rand(1, 3, 32, 32)
    assert torch.allclose(student(x), teacher(x), atol=1e-5)


def test_a_wider_a_deeper_and_another_network_are_left_alone() -> None:
    teacher = swift.Generator(swift.Settings(width=8, blocks=2, head=4))
    others = [
        swift.Settings(width=12, blocks=2, head=4),
        swift.Settings(width=8, blocks=3, head=4),
        swift.Settings(width=8, blocks=2, head=4, guides=1),
    ]
    for student in [*(swift.Generator(each) for each in others), brush.Generator(brush.Settings(width=4, blocks=1))]:
        before = {name: value.clone() for name, value in student.state_dict().items()}
        assert not inherit(student, teacher)
        assert all(torch.equal(value, before[name]) for name, value in student.state_dict().items())
