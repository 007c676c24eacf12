"""What to tell where a training needs more memory than there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from impasto.errors import InputError

# torch's processor side has no error of its own for this, only a RuntimeError with one of these in it
TORCH_SAYS = ("alloc_cpu", "alloc_failed", "out of memory", "not enough memory", "t allocate memory", "Storage size calculation")


@contextmanager
def enough_memory() -> Iterator[None]:
    """Errors of torch and numpy that mean too little memory become one that says how to need less."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(words in str(error) for words in TORCH_SAYS):
            raise
        raise InputError(
            "this training needs more memory than there is: take a smaller crop_px, batch or width (--set batch=2), --tier live, "
            "or fewer photographs"
        ) from None
