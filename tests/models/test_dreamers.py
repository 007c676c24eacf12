"""What every dreamer promises: one vector, one picture, whoever is beside it; and that it can be pulled to the average."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="dreamers are torch modules (extra 'learn')")

from impasto import plugins  # noqa: E402  torch must be known to be there first
from impasto.models.dreamer import Dreamer, even_length  # noqa: E402

DREAMERS = plugins.names("dreamers")
LARGEST = 1_500_000


def made(name: str, **settings: int) -> Dreamer:
    torch.manual_seed(0)
    room = plugins.load("dreamers", name)
    dreamer: Dreamer = room.Generator(room.Settings(**{"size": 32, "noise": 16, "width": 4, "widest": 16, **settings})).eval()
    return dreamer


@pytest.mark.parametrize("name", DREAMERS)
def test_it_states_itself(name: str) -> None:
    room = plugins.load("dreamers", name)
    assert room.__doc__
    settings = room.Settings()
    assert settings == room.Settings.model_validate_json(settings.model_dump_json())
    dreamer = room.Generator(settings)
    assert (dreamer.noise, dreamer.size) == (settings.noise, settings.size)
    assert 0 < dreamer.learning_rate < 0.1
    assert sum(p.numel() for p in dreamer.parameters()) < LARGEST
    kinds = {type(module).__name__ for module in dreamer.modules()}
    assert not [kind for kind in kinds if "Norm" in kind or "Dropout" in kind], "a picture hangs on its vector alone"


@pytest.mark.parametrize("name", DREAMERS)
@pytest.mark.parametrize("size", [16, 64, 256])
def test_every_size(name: str, size: int) -> None:
    pictures = made(name, size=size)(torch.randn(2, 16))
    assert pictures.shape == (2, 3, size, size)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


@pytest.mark.parametrize("name", DREAMERS)
def test_the_same_vector_gives_the_same_picture_alone_and_among_others(name: str) -> None:
    dreamer = made(name).double()
    vectors = torch.randn(5, 16, dtype=torch.double)
    with torch.no_grad():
        together = dreamer(vectors)
        assert torch.allclose(together[3:4], dreamer(vectors[3:4]), atol=1e-9)
        assert torch.equal(together, dreamer(vectors))
        dreamer.train()
        assert torch.allclose(dreamer(vectors).clamp(0, 1), together, atol=1e-9), "learning sees what is used later"
    assert (together[0] - together[1]).abs().mean() > 1e-4, "another vector, another picture"


@pytest.mark.parametrize("name", DREAMERS)
def test_truncation_draws_pictures_together(name: str) -> None:
    dreamer, vectors = made(name), torch.randn(8, 16)
    spreads = []
    for truncation in (1.0, 0.5, 0.0):
        dreamer.truncation.fill_(truncation)
        with torch.no_grad():
            spreads.append(float(dreamer(vectors).std(0).mean()))
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] < 1e-5


@pytest.mark.parametrize("name", DREAMERS)
def test_every_weight_learns(name: str) -> None:
    dreamer, vectors = made(name).train(), torch.randn(4, 16)
    (dreamer(vectors).square().mean() + dreamer.off_centre(vectors)).backward()
    silent = [key for key, p in dreamer.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent


def test_even_length_is_a_mean_over_channels() -> None:
    x = torch.randn(2, 6, 3, 5)
    assert torch.allclose(even_length(x).square().mean(1), torch.ones(2, 3, 5), atol=1e-4)
    rows = torch.randn(4, 7)
    assert torch.allclose(even_length(rows).square().mean(1), torch.ones(4), atol=1e-4)
