"""Too little memory is told in one line that says how to need less; any other error passes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.run.memory import enough_memory  # noqa: E402

SIDE = 10**7


def raised_by_cuda() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def raised_by_numpy() -> None:
    raise MemoryError


@pytest.mark.parametrize("greedy", [lambda: torch.empty(SIDE, SIDE), raised_by_cuda, raised_by_numpy])
def test_too_little_memory_is_one_line(greedy) -> None:
    with pytest.raises(InputError, match="smaller crop_px, batch or width") as caught, enough_memory():
        greedy()
    assert "\n" not in str(caught.value)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="mat1"), enough_memory():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
