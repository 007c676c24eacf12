"""kill -9 anywhere: the resumed run leaves the curve and the weights of an undisturbed one, to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.learn.run.loop import Batch, Networks, Outcome, Pace, Training, Watch  # noqa: E402  torch must be known to be there
from impasto.learn.run.record import CURVE, read_curve  # noqa: E402
from impasto.losses import hinge_critic, hinge_generator, told_apart  # noqa: E402
from impasto.models.discriminators import PatchCritic  # noqa: E402

STEPS = 60


def contest(nets: Networks, batch: Batch, progress: float) -> Outcome:
    """A contest with spectral norm, chance and progress in it: everything that a resumed run could get wrong."""
    painted = nets.generator(batch["photo"] + 0.01 * torch.randn_like(batch["photo"]))
    nets.critic.requires_grad_(False)
    generator = hinge_generator(nets.critic(painted)) * (1 + progress)
    nets.critic.requires_grad_(True)
    real, fake = nets.critic(batch["style"]), nets.critic(painted.detach())
    critic = hinge_critic(real, fake)
    parts = {"generator": float(generator.detach()), "critic": float(critic.detach()), "told_apart": told_apart(real, fake)}
    return Outcome(generator, critic, parts, painted)


def batch_at(step: int) -> Batch:
    time.sleep(0.005)  # so that there is a moment to be killed in
    draw = torch.Generator().manual_seed(step)
    return {name: torch.rand(2, 3, 32, 32, generator=draw) for name in ("photo", "style")}


def training(folder: Path, checkpoint_seconds: float) -> Training:
    torch.manual_seed(3)
    nets = Networks(torch.nn.Conv2d(3, 3, 3, padding=1), PatchCritic(4, scales=1))
    watch = Watch(held_out=lambda net: {"weight": float(net.weight.square().sum())})
    pace = Pace(steps=STEPS, look_every=7, checkpoint_seconds=checkpoint_seconds)
    return Training(nets, batch_at, contest, pace, folder=folder, label="live", seed=11, watch=watch)


def curve(folder: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in line.items() if name != "seconds"} for line in read_curve(folder / CURVE)]


def killed_at(folder: Path, lines: int) -> None:
    """Train in a process of its own until the curve has so many lines, then kill it the hard way."""
    code = f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\nfrom pathlib import Path\n"
    code += f"from tests.learn.run.test_resume import training\nfor _ in training(Path({str(folder)!r}), 0.02).run(): pass\n"
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if (folder / CURVE).is_file() and len((folder / CURVE).read_bytes().splitlines()) >= lines:
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_the_middle_of_a_step_waits_for_its_end(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With half a step in the checkpoint, or none of it, the resumed curve would leave out a step or lead elsewhere."""

    def stop(_: int, __: Any) -> None:
        raise KeyboardInterrupt

    asked = iter([5, 9])
    at = next(asked)
    take_update = Training._update

    def update(self: Training, outcome: Outcome) -> bool:
        nonlocal at
        if self.step == at:
            at = next(asked, 0)
            os.kill(os.getpid(), number)
        return take_update(self, outcome)

    whole, stopped = training(tmp_path / "whole", 1e9), tmp_path / "stopped"
    list(whole.run())
    monkeypatch.setattr(Training, "_update", update)
    before = signal.signal(number, stop)
    try:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                list(training(stopped, 1e9).run())
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
    assert [line["step"] for line in curve(stopped) if "critic" in line] == list(range(1, 10))
    resumed = training(stopped, 1e9)
    list(resumed.run())
    assert curve(stopped) == curve(tmp_path / "whole")
    assert all(torch.equal(a, b) for a, b in zip(whole.average.parameters(), resumed.average.parameters(), strict=True))


@pytest.mark.slow  # 12 s; stops in the middle of a step are tested above
def test_a_run_killed_twice_leaves_the_curve_of_an_undisturbed_one(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = training(tmp_path / "whole", 1e9)
        list(whole.run())
        killed = tmp_path / "killed"
        killed.mkdir()
        killed_at(killed, 12)
        killed_at(killed, 40)
        assert list(killed.glob("step-*.checkpoint"))
        assert len(curve(killed)) < len(curve(tmp_path / "whole"))
        resumed = training(killed, 1e9)
        list(resumed.run())
    finally:
        torch.set_num_threads(threads)
    assert len([line for line in curve(killed) if "told_apart" in line]) == STEPS
    assert curve(killed) == curve(tmp_path / "whole")
    for name, weight in whole.average.state_dict().items():
        assert torch.equal(weight, resumed.average.state_dict()[name])
    for name, weight in whole.networks.critic.state_dict().items():
        assert torch.equal(weight, resumed.networks.critic.state_dict()[name])
