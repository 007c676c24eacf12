"""Where the networks compute and in what precision."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, TypeVar, overload

import torch
from torch import Tensor, nn

from impasto.errors import InputError

Module = TypeVar("Module", bound=nn.Module)
Precision = Literal["auto", "fp32", "bf16"]


@overload
def on_device(thing: Tensor, device: torch.device) -> Tensor: ...
@overload
def on_device(thing: Module, device: torch.device) -> Module: ...
def on_device(thing: Tensor | nn.Module, device: torch.device) -> Tensor | nn.Module:
    """The tensor or network where it is wanted; pictures and kernels channels-last, which convolutions like best."""
    if isinstance(thing, nn.Module):
        thing = thing.to(device)
        for parameter in thing.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return thing
    thing = thing.to(device)
    return thing.contiguous(memory_format=torch.channels_last) if thing.dim() == 4 and thing.shape[1] == 3 else thing


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def is_quick(precision: Precision, device: torch.device) -> bool:
    """Whether to compute in bfloat16: as told, and with `auto` where it pays."""
    return has_bf16(device) if precision == "auto" else precision == "bf16"


def device_for(rank: int) -> torch.device:
    """The device of one process among several: its own GPU where there are any, else the processor."""
    return torch.device("cuda", rank % torch.cuda.device_count()) if torch.cuda.is_available() else torch.device("cpu")


def named_device(name: str) -> torch.device:
    """The device of this name, seen to answer."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        raise InputError(f"--critic-device {name}: {str(error).splitlines()[0]}; try cpu, cuda or cuda:1") from None
    return device


def place_critic(critic: Module, device: torch.device, home: torch.device) -> Module:
    """The critic on a device of its own: pictures go there and verdicts come home, gradients the other way, unseen by recipes."""
    critic = on_device(critic, device)
    for name in ("forward", "features"):
        if hasattr(critic, name):
            setattr(critic, name, _elsewhere(getattr(critic, name), device, home))
    return critic


def _elsewhere(method: Callable[..., Any], device: torch.device, home: torch.device) -> Callable[..., Any]:
    def there_and_back(*args: Any, **named: Any) -> Any:
        sent = [moved(arg, device) for arg in args]
        return moved(method(*sent, **{name: moved(arg, device) for name, arg in named.items()}), home)

    return there_and_back


def moved(thing: Any, device: torch.device) -> Any:
    """Tensors on the device, alone or in lists, tuples and dicts; anything else as it is."""
    if isinstance(thing, Tensor):
        return thing.to(device)
    if isinstance(thing, list | tuple):
        return type(thing)(moved(part, device) for part in thing)
    if isinstance(thing, dict):
        return {name: moved(part, device) for name, part in thing.items()}
    return thing


def quicken(net: nn.Module, device: torch.device, backend: str = "inductor") -> bool:
    """Compile a network in place on a GPU, so that its weights keep their names; True if done."""
    if backend == "inductor" and (device.type != "cuda" or find_spec("triton") is None):
        return False
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True  # batches keep their size
        torch.set_float32_matmul_precision("high")
    net.compile(backend=backend)
    return True
