"""Where it computes: precision, a critic elsewhere, compiled networks, batches made ahead."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.material.data import Material, Pictures  # noqa: E402
from impasto.learn.run.devices import has_bf16, is_quick, moved, named_device, place_critic, quicken  # noqa: E402
from impasto.learn.run.feed import Feed  # noqa: E402
from impasto.learn.run.loop import Pace, Training  # noqa: E402
from impasto.models.discriminators import PatchCritic  # noqa: E402
from tests.learn.run.test_loop import batch_at, invert, networks, training, weights  # noqa: E402

CPU = torch.device("cpu")


def test_material_computes_as_it_was_told() -> None:
    material = Material(Pictures([]), Pictures([]), None, 0, CPU)
    assert material.quick == has_bf16(CPU)
    layer, x = torch.nn.Conv2d(1, 1, 1), torch.ones(1, 1, 4, 4)
    for precision, kind in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        material.precision = precision
        with material.autocast():
            assert layer(x).dtype == kind
    assert is_quick("bf16", CPU)


def test_a_critic_elsewhere_gives_the_same_verdicts_and_gradients() -> None:
    torch.manual_seed(0)
    critic = PatchCritic(4, scales=2).eval()
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    before = critic(x)
    (slope,) = torch.autograd.grad(sum(v.sum() for v in before), x)
    seen = []
    critic.register_forward_pre_hook(lambda net, args: seen.append(args[0].device))
    place_critic(critic, torch.device("cpu:0"), CPU)
    after = critic(x)
    (again,) = torch.autograd.grad(sum(v.sum() for v in after), x)
    torch.testing.assert_close(after, before)  # kernels lie channels-last now, so the sums differ in the last bit
    torch.testing.assert_close(again, slope)
    assert len(seen) == 1


def test_a_critic_elsewhere_really_gets_there_and_back() -> None:
    critic = place_critic(torch.nn.Conv2d(3, 1, 3), torch.device("meta"), torch.device("meta"))
    assert critic(torch.rand(1, 3, 8, 8)).device.type == "meta"
    assert critic.weight.device.type == "meta"
    assert moved({"a": [torch.ones(1)], "b": 3}, torch.device("meta"))["a"][0].device.type == "meta"


def test_training_with_the_critic_elsewhere_equals_training_at_home(tmp_path: Path) -> None:
    home = training(tmp_path / "home", 15)
    list(home.run())
    nets = networks()
    place_critic(nets.critic, torch.device("cpu:0"), CPU)
    pace = Pace(steps=15, generator_rate=0.05, checkpoint_seconds=1e9)
    away = Training(nets, batch_at, invert, pace, folder=tmp_path / "away", label="live")
    list(away.run())
    assert all(torch.equal(a, b) for a, b in zip(weights(home), weights(away), strict=True))


@pytest.mark.parametrize("name", ["mars", "cuda:99"])
def test_a_device_that_is_not_there_is_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"--critic-device {name}") as caught:
        named_device(name)
    assert "\n" not in str(caught.value)


def test_compiled_networks_keep_their_names_and_answers() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1))
    x = torch.rand(1, 3, 4, 4)
    before, names = net(x), list(net.state_dict())
    assert not quicken(net, CPU)  # no GPU: not worth it
    assert quicken(net, CPU, backend="eager")
    assert torch.allclose(net(x), before)
    assert list(net.state_dict()) == names


def test_batches_made_ahead_are_the_same_and_really_made_ahead() -> None:
    makers = set()

    def make(number: int) -> dict[str, torch.Tensor]:
        makers.add(threading.current_thread().name)
        return {"x": torch.from_numpy(np.random.default_rng(number).random(3))}

    feed = Feed(make, workers=2)
    got = [feed.take(number, 3)["x"] for number in (0, 3, 6, 9, 50, 53)]  # 50: as after a return to a checkpoint
    assert all(torch.equal(x, make(number)["x"]) for x, number in zip(got, (0, 3, 6, 9, 50, 53), strict=True))
    assert any(name.startswith("batch") for name in makers)
    assert set(feed.waiting) == {56, 59, 62, 65}
    feed.close()


def test_a_fault_in_a_batch_reaches_the_one_who_asked() -> None:
    feed = Feed(lambda number: 1 / 0, workers=1)
    with pytest.raises(ZeroDivisionError):
        feed.take(0)
    feed.close()


def test_training_with_threads_equals_training_without(tmp_path: Path) -> None:
    plain = training(tmp_path / "plain", 20)
    list(plain.run())
    pace = Pace(steps=20, generator_rate=0.05, checkpoint_seconds=1e9)
    fed = Training(networks(), batch_at, invert, pace, folder=tmp_path / "fed", label="live", workers=2)
    list(fed.run())
    assert all(torch.equal(a, b) for a, b in zip(weights(plain), weights(fed), strict=True))
