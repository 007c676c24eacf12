"""A name is a file: list and load what lies in a room (recipes, generators, engines).

A name loads only if it is listed: a file of the room, or an entry point of the group `impasto.<room>`. Dotted paths never load.
"""
from __future__ import annotations

from importlib import import_module, metadata, resources
from types import ModuleType

from impasto.errors import InputError

ROOMS = {
    "recipes": "impasto.learn.recipes",
    "generators": "impasto.models.generators",
    "dreamers": "impasto.models.dreamers",
    "engines": "impasto.engine",
}
NOT_PLUGINS = {"engines": {"export", "choose", "graph", "trial", "encode", "fold", "dream", "devices"}}


def names(room: str) -> list[str]:
    """What a room holds, sorted."""
    files = resources.files(ROOMS[room]).iterdir()
    own = {f.name.removesuffix(".py") for f in files if f.name.endswith(".py") and not f.name.startswith("_")}
    return sorted((own - NOT_PLUGINS.get(room, set())) | set(_entry_points(room)))


def load(room: str, name: str) -> ModuleType:
    """The module called `name` in a room."""
    if name not in names(room):
        raise InputError(f"no {room.removesuffix('s')} is called '{name}': choose one of {', '.join(names(room))}")
    outside = _entry_points(room)
    if name in outside:
        module = outside[name].load()
        assert isinstance(module, ModuleType), f"entry point {name} of impasto.{room} must be a module"
        return module
    return import_module(f"{ROOMS[room]}.{name}")


def _entry_points(room: str) -> dict[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=f"impasto.{room}")}
