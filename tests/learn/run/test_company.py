"""Two processes with a batch each learn what one learns with both; a lost helper is told in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import TrainingError  # noqa: E402  torch must be known to be there first
from impasto.job import Progress  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.run.company import Company, join  # noqa: E402
from impasto.learn.run.loop import Batch, Networks, Outcome, Pace, Training, Watch  # noqa: E402
from impasto.learn.run.record import CURVE, read_curve  # noqa: E402

STEPS = 12


def batch_at(number: int) -> Batch:
    return {"photo": torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(number))}


def both_at(step: int) -> Batch:
    return {"photo": torch.cat([batch_at(2 * step)["photo"], batch_at(2 * step + 1)["photo"]])}


def invert(nets: Networks, batch: Batch, progress: float) -> Outcome:
    painted = nets.generator(batch["photo"])
    miss = (painted - (1 - batch["photo"])).square().mean()
    critic = (nets.critic(painted.detach()) - 1).square().mean()
    return Outcome(miss, critic, {"miss": float(miss.detach()), "told_apart": 0.7}, painted)


def training(folder: Path, batches, company: Company) -> Training:
    torch.manual_seed(0)
    nets = Networks(torch.nn.Conv2d(3, 3, 1), torch.nn.Conv2d(3, 1, 3))
    pace = Pace(steps=STEPS, generator_rate=0.05, look_every=5)
    watch = Watch(held_out=lambda net: {"bias": float(net.bias.sum())})
    return Training(nets, batches, invert, pace, folder=folder, label="live", company=company, watch=watch)


def learn_along(folder: Path) -> None:
    """What each of the two processes does; torchrun's variables say which one it is."""
    company = join(1, "")
    run = training(folder, batch_at, company)
    list(run.run())
    torch.save(run.average.state_dict(), folder / f"rank-{company.rank}.pt")
    company.leave()


@pytest.mark.slow  # 9 s; that helpers start, and what a lost one does, is tested below
def test_two_processes_learn_what_one_learns_with_twice_the_batch(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\nfrom pathlib import Path\n"
    code += f"from tests.learn.run.test_company import learn_along\nlearn_along(Path({str(tmp_path)!r}))\n"
    about = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    both = [subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **about, "RANK": str(r)}) for r in (0, 1)]
    try:
        assert [process.wait(60) for process in both] == [0, 0]
    finally:
        for process in both:
            process.kill()
    alone = training(tmp_path / "alone", both_at, Company())
    list(alone.run())
    first, second = (torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1))
    for name, weight in alone.average.state_dict().items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], weight, rtol=1e-4, atol=1e-5)
    looks = [line["held/bias"] for line in read_curve(tmp_path / CURVE) if "held/bias" in line]
    assert len(looks) == STEPS // 5 + 1, "and one at the end"
    assert alone.images == 2 * STEPS


@pytest.mark.slow
def test_devices_starts_helpers_and_a_lost_one_is_told(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (160, 200, 3), np.uint8)).save(tmp_path / "painting.png")
    small = ["crop_px=128", "photo_side=144", "style_side=144", "critic_width=8"]
    given = {"photos": [tmp_path], "tier": "live", "teacher": [Path("none")], "devices": 2, "set": small}
    job = TrainJob.build(references=[tmp_path / "painting.png"], out=tmp_path / "a.style", steps=3, **given)
    assert job.finish().path == tmp_path / "a.style"
    longer = job.model_copy(update={"steps": 500, "out": tmp_path / "b.style"})
    with pytest.raises(TrainingError, match=r"lost each other .*the same command resumes") as caught:
        learn_without_helpers(longer)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "b.run/live").glob("step-*.checkpoint"))


def learn_without_helpers(job: TrainJob) -> None:
    """Run the job, killing its helpers as soon as it learns."""
    for step in job.run():
        if isinstance(step, Progress) and step.stage.startswith("learning"):
            for helper in helpers_of(os.getpid()):
                os.kill(helper, signal.SIGKILL)


def helpers_of(process: int) -> list[int]:
    told = subprocess.run(["pgrep", "-P", str(process), "-f", "learn.run.helper"], capture_output=True, text=True).stdout
    return [int(word) for word in told.split()]


def free_port() -> int:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_alone_nothing_is_changed() -> None:
    company = join(1, "")
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 3.0])
    company.share([weight])
    assert weight.grad.tolist() == [1, 3]
    assert company.mean(0.25, 2) == company.first_says(0.25, 2) == [0.25, 2]
    assert company.first
    company.leave()
