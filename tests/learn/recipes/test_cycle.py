"""The cycle recipe: there and back again, beside a pool of earlier paintings that a checkpoint holds."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.learn.job import TrainJob  # noqa: E402  torch must be known to be there first
from impasto.learn.recipes import cycle  # noqa: E402
from impasto.learn.unpaired import Art  # noqa: E402
from tests.learn.made_art import hatched, learn, save, soft, tiny  # noqa: E402

SETTINGS = cycle.Settings(
    batch=1, crop_px=128, style_side=160, photo_side=128, critic_width=8, pool=3,
    adversary=8, there_and_back=1, identity=0, steady=0, outside=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Art:
    place = tmp_path_factory.mktemp("cycle")
    photos, art = save(place / "photos", [soft(50 + i) for i in range(4)]), save(place / "art", [hatched(i) for i in range(5)])
    job = TrainJob.build(references=[art], photos=[photos], out=Path("x.style"), recipe="cycle")
    return cycle.gather(job, SETTINGS, None, torch.device("cpu"))


@pytest.mark.slow
def test_it_learns_the_look(material: Art) -> None:
    """Night sheets make paintings darker, and nearer to a sheet that was never learnt from."""
    generator, figures = tiny(), cycle.held_out(SETTINGS, material)
    before = figures(generator.eval())
    parts = learn(cycle, SETTINGS, material, generator.train(), 14)
    assert figures(generator)["style"] < 0.9 * before["style"]
    assert set(parts[0]) >= {"adversary", "there_and_back", "identity", "steady", "critic", "critic_of_photos", "told_apart"}
    assert "5 works" not in cycle.check(material), "one is kept aside"


def test_the_way_back_is_a_network_of_its_own(material: Art) -> None:
    generator = tiny()
    networks = cycle.networks(SETTINGS, material, generator)
    own, back = list(generator.parameters()), list(networks.helpers.parameters())
    assert all(torch.equal(a, b) and a is not b for a, b in zip(own, back, strict=True))
    outcome = cycle.step(SETTINGS, material)(networks, cycle.batches(SETTINGS, material)(0), 0.5)
    outcome.generator.backward()
    assert all(any(p.grad is not None and p.grad.abs().max() > 0 for p in net) for net in (own, back))


def test_the_pool_gives_earlier_paintings_and_is_resumable() -> None:
    pool = cycle.Pool(4, 2)
    sheets = [torch.full((1, 3, 2, 2), i / 255) for i in range(60)]
    first = [pool(sheet) for sheet in sheets[:20]]
    assert all(torch.equal(a, b) for a, b in zip(first[:4], sheets[:4], strict=True)), "while it fills, all are fresh"
    resumed = cycle.Pool(4, 2)
    resumed.load_state_dict(pool.state_dict())
    given = []
    for one in (pool, resumed):
        torch.manual_seed(3)
        given.append(torch.cat([one(sheet) for sheet in sheets[20:]]))
    assert torch.equal(*given)
    earlier = sum(not torch.allclose(ours, sheet[0]) for ours, sheet in zip(given[0], sheets[20:], strict=True))
    assert 8 < earlier < 32, "about half"


def test_a_sick_painting_does_not_poison_the_pool() -> None:
    pool = cycle.Pool(2, 2)
    pool(torch.full((1, 3, 2, 2), float("nan")))
    assert torch.isfinite(pool(torch.zeros(1, 3, 2, 2))).all()
    assert pool.get_buffer("pictures").dtype == torch.uint8
