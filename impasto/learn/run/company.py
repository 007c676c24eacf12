"""Several processes that learn as one: each takes a batch of its own, their gradients are averaged.

`learn --devices 2` starts the other processes itself; under torchrun they are there already. NCCL between GPUs, gloo between
processors. Whatever depends on a clock or is decided once (the limits, the end, whether a step was healthy) is said by the first.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess  # our own interpreter, our own module
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from impasto.errors import InputError, TrainingError
from impasto.learn.run.devices import device_for

PATIENCE = timedelta(minutes=10)  # the first process also looks, writes and packs while the others wait
LOCAL = "127.0.0.1"


@dataclass
class Company:
    """The processes that learn together, seen from one of them. Alone, every method gives back what it was given."""

    rank: int = 0
    size: int = 1
    helpers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    threads: int = 0  # how many this process had before it shared the cores

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def share(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes: one message for all of them."""
        if self.size == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        if not grads:
            return
        together = torch.cat([grad.flatten() for grad in grads])
        with _told():
            dist.all_reduce(together)
        together /= self.size
        start = 0
        for grad in grads:
            grad.copy_(together[start : start + grad.numel()].view_as(grad))
            start += grad.numel()

    def mean(self, *values: float) -> list[float]:
        """The mean of each value over the processes; of truths, 1 where all agree."""
        if self.size == 1:
            return list(values)
        held = _carried(values)
        with _told():
            dist.all_reduce(held)
        return [float(value) / self.size for value in held]

    def first_says(self, *values: float) -> list[float]:
        """The values as the first process has them."""
        if self.size == 1:
            return list(values)
        held = _carried(values)
        with _told():
            dist.broadcast(held, 0)
        return [float(value) for value in held]

    def leave(self) -> None:
        """Part: the helpers end, the cores are this process's again."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()
        for helper in self.helpers:
            try:
                helper.wait(2)
            except subprocess.TimeoutExpired:
                helper.kill()
                helper.wait()
        if self.threads:
            torch.set_num_threads(self.threads)
        self.size, self.helpers, self.threads = 1, [], 0


def join(devices: int, job: str) -> Company:
    """The company this process belongs to: torchrun's, one of `devices` processes that are started now on the job, or none."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return _enter(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), "env://", [])
    if devices == 1:
        return Company()
    if torch.cuda.is_available() and devices > torch.cuda.device_count():
        raise InputError(f"--devices {devices}: this machine has {torch.cuda.device_count()}")
    with socket.socket() as free:
        free.bind((LOCAL, 0))
        port = free.getsockname()[1]
    return _enter(0, devices, f"tcp://{LOCAL}:{port}", [_start(rank, devices, port, job) for rank in range(1, devices)])


def _start(rank: int, size: int, port: int, job: str) -> subprocess.Popen[bytes]:
    threads = str(max(1, (os.cpu_count() or 1) // size))
    about = {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": LOCAL, "MASTER_PORT": str(port)}
    with tempfile.NamedTemporaryFile("w", suffix=".job.json", delete=False, encoding="utf-8") as file:
        file.write(job)
    command = [sys.executable, "-m", "impasto.learn.run.helper", file.name]
    return subprocess.Popen(  # noqa: S603  # nothing here comes from outside
        command, env={**os.environ, **about, "OMP_NUM_THREADS": threads}, stdout=subprocess.DEVNULL, start_new_session=True
    )


def _enter(rank: int, size: int, address: str, helpers: list[subprocess.Popen[bytes]]) -> Company:
    device = device_for(rank)
    threads = torch.get_num_threads()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    else:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // size))
    with _told():
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, init_method=address, rank=rank, world_size=size, timeout=PATIENCE)
    return Company(rank, size, helpers, threads)


def _carried(values: Sequence[float]) -> Tensor:
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
    return torch.tensor(values, dtype=torch.float64, device=device)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:
        first = re.sub(r"\[\S*\] ", "", str(error).splitlines()[0]).split(". ")[0]  # without the library's own file and line
        raise TrainingError(
            f"the processes that learn together lost each other ({first}); the same command resumes from the last checkpoint"
        ) from None
