"""What every listed recipe, generator and engine promises. A new file in its room is tested here without a word added."""
from __future__ import annotations

import importlib.util
import inspect
from functools import cache
from typing import Any

import numpy as np
import pytest

from impasto import plugins
from impasto.engine import load_engine
from impasto.errors import InputError
from impasto.styles.package import Tier
from tests.fakes import lively, noise, tiny_graph, tiny_tier

HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="torch is not installed (extra 'learn')")
GENERATORS, ENGINES, RECIPES = (plugins.names(room) for room in ("generators", "engines", "recipes"))


def test_torchvision_is_absent() -> None:
    assert importlib.util.find_spec("torchvision") is None, "a torchvision that does not match torch breaks other imports"


@pytest.mark.parametrize("room", plugins.ROOMS)
def test_only_listed_names_load(room: str) -> None:
    assert plugins.names(room)
    for name in ("nothing", "os.path", "../errors", "__init__"):
        with pytest.raises(InputError, match="choose one of"):
            plugins.load(room, name)


def made(name: str) -> Any:
    import torch

    room = plugins.load("generators", name)
    torch.manual_seed(0)
    return lively(room.Generator(room.Settings(blocks=2)))


def painted(generator: Any, picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import torch

    with torch.inference_mode():
        out = generator(torch.from_numpy(picture.transpose(2, 0, 1)[None] / 255).double())
    return out[0].numpy().transpose(1, 2, 0)


@needs_torch
@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_states_itself(name: str) -> None:
    generator = made(name)
    assert generator.stride >= 1
    assert generator.receptive_field > generator.stride
    settings = plugins.load("generators", name).Settings
    assert settings() == settings.model_validate_json(settings().model_dump_json())
    kinds = {type(module).__name__ for module in generator.modules()}
    assert not [kind for kind in kinds if "Norm" in kind], "statistics of a frame or a batch flicker and break tiles"


@needs_torch
@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(("down", "across"), [(1, 1), (3, 5), (7, 1), (9, 13)])
def test_a_generator_takes_every_multiple_of_its_stride(name: str, down: int, across: int) -> None:
    generator = made(name).double()
    picture = noise(down * generator.stride, across * generator.stride)
    out = painted(generator, picture)
    assert out.shape == (generator.scale * picture.shape[0], generator.scale * picture.shape[1], 3)
    assert out.min() >= 0
    assert out.max() <= 1


@needs_torch
@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_sees_no_further_than_it_states(name: str) -> None:
    """The middle of a crop equals that place in the whole: no statistics of the frame, and an honest receptive field."""
    generator = made(name).double()
    stride = generator.stride
    halo = -(-generator.receptive_field // 2 // stride) * stride
    piece = 4 * stride
    side, start = piece + 4 * halo, halo
    picture = noise(side, side)
    other = noise(side, side, seed=1)
    inside = slice(start, start + piece + 2 * halo)
    other[inside, inside] = picture[inside, inside]  # the same there, another world around it
    scale = generator.scale
    middle = slice(scale * (start + halo), scale * (start + halo + piece))
    of_crop = slice(scale * halo, scale * (halo + piece))
    whole, changed = painted(generator, picture), painted(generator, other)
    crop = painted(generator, picture[inside, inside])
    np.testing.assert_allclose(whole[middle, middle], changed[middle, middle], rtol=0, atol=1e-9)
    np.testing.assert_allclose(whole[middle, middle], crop[of_crop, of_crop], rtol=0, atol=1e-9)
    assert np.abs(whole - changed).max() > 1e-3, "what changed around it shows elsewhere"


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_says_what_it_can(name: str) -> None:
    module: Any = plugins.load("engines", name)
    assert set(module.PRECISIONS) <= {"fp32", "bf16", "int8"}
    assert "fp32" in module.PRECISIONS
    reason = module.available()
    if reason is None:
        assert module.auto_precision(True) == "fp32"
        assert module.auto_precision(False) in module.PRECISIONS
    else:
        assert "pip install" in reason


def swift_look() -> tuple[bytes, Tier]:
    """The graph and description of a real generator, which every engine knows."""
    from impasto.engine.export import export_graph

    generator = made("swift")
    sizes = {"stride": generator.stride, "receptive_field": generator.receptive_field, "parameters": 0}
    return export_graph(generator), Tier(generator="swift", settings=generator.settings.model_dump(), **sizes)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_keeps_the_contract(name: str) -> None:
    reason = plugins.load("engines", name).available()  # type: ignore[attr-defined]  # checked by the test above
    if reason:
        pytest.skip(reason)
    graph, tier = swift_look() if HAS_TORCH else (tiny_graph(), tiny_tier(tiny_graph()))
    engine = load_engine(name).open(graph, tier, "fp32")
    assert (engine.name, engine.precision) == (name, "fp32")
    assert engine.device
    pictures = np.stack([noise(21, 34), noise(21, 34, seed=1)])
    out = engine.paint(pictures)
    assert out.dtype == np.uint8
    assert out.shape == pictures.shape
    assert np.abs(out[1].astype(int) - engine.paint(pictures[1:])[0]).max() <= 1, "a picture does not depend on its neighbours"
    deep = engine.paint((pictures / 255).astype(np.float32))
    assert deep.dtype == np.float32
    assert np.abs(deep * 255 - out).max() <= 1


KINDS: dict[str, tuple[str, dict[str, int], dict[str, int]]] = {  # generator, settings, guides
    "scaled": ("enlarge", {"scale": 2, "width": 8, "blocks": 1, "head": 8}, {}),
    "guided": ("swift", {"width": 8, "blocks": 1, "head": 8, "guides": 3}, {"depth": 1, "motion": 2}),
    "coded": ("swift", {"width": 8, "blocks": 1, "head": 8, "code": 3}, {}),
}


@cache
def look_of_a_kind(kind: str) -> tuple[bytes, Tier]:
    """A small look that enlarges, sees guides, or takes a code, which every engine knows."""
    from impasto.engine.export import export_graph
    from impasto.engine.graph import with_code

    name, settings, guides = KINDS[kind]
    room = plugins.load("generators", name)
    generator = lively(room.Generator(room.Settings(**settings)))
    generator.guides = guides
    graph = export_graph(generator)
    graph = with_code(graph, [0.7, -1.1, 0.4]) if "code" in settings else graph
    sizes = {"stride": generator.stride, "receptive_field": generator.receptive_field, "parameters": 0}
    told = {"settings": generator.settings.model_dump(), "scale": generator.scale, "guides": guides}
    return graph, Tier(generator=name, **told, **sizes)


@needs_torch
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ENGINES)
def test_engines_agree_on_looks_of_every_kind(name: str, kind: str) -> None:
    reason = plugins.load("engines", name).available()  # type: ignore[attr-defined]  # checked by a test above
    if reason:
        pytest.skip(reason)
    graph, tier = look_of_a_kind(kind)
    engine, truth = (load_engine(each).open(graph, tier, "fp32") for each in (name, "onnx"))
    planes = [noise(21, 34, seed) for seed in range(2)]
    picture = np.concatenate(planes, 2)[None, :, :, : 3 + sum(tier.guides.values())]
    out = engine.paint(picture)
    assert (out.shape, out.dtype) == ((1, 21 * tier.scale, 34 * tier.scale, 3), np.uint8)
    assert np.abs(out.astype(int) - truth.paint(picture)).max() <= 1
    deep = engine.paint((picture / 255).astype(np.float32))
    assert deep.dtype == np.float32
    assert np.abs(deep * 255 - out).max() <= 1


@needs_torch
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_whole(name: str) -> None:
    recipe: Any = plugins.load("recipes", name)
    assert recipe.__doc__
    assert recipe.Settings().model_dump(), "every setting has a default"
    wanted = {"check": 1, "networks": 3, "batches": 2, "step": 2}
    for function, count in wanted.items():
        assert len(inspect.signature(getattr(recipe, function)).parameters) == count, f"{name}.{function}"
    assert "class Training" not in inspect.getsource(recipe), "there is one loop, and no recipe owns another"
