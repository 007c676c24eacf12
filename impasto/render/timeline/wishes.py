"""What the clips of an edit ask for: looks and settings, judged before a frame is painted."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from impasto.errors import InputError
from impasto.media.guides import parse_guides
from impasto.render.alongside import content
from impasto.render.guides import Guides
from impasto.render.job import RenderJob
from impasto.render.knobs import Curve
from impasto.render.looks import told_apart
from impasto.render.timeline.edl import SEVERAL
from impasto.render.timeline.stretches import Look

if TYPE_CHECKING:
    from impasto.render.brush import Brush
    from impasto.render.checks import Faults
    from impasto.render.timeline.edit import Cut
    from impasto.render.timeline.job import TimelineJob
    from impasto.render.timeline.sources import Source
    from impasto.render.touch import Layer

# What a clip may ask for: the options of `impasto render` that say how it is painted.
LOOK = (
    *("style", "tier", "strength", "keep_colour", "scale", "palette", "denoise", "enhance", "grain", "seed", "letterbox"),
    *("variation", "layer", "to_layer", "colour_in", "colour_out", "projection", "stereo", "guide", "super_resolve"),
)


@dataclass(frozen=True)
class Opened:
    """The styles of a look, of which no engine runs yet."""

    layers: list[Layer]
    larger: Brush | None
    job: RenderJob

    @property
    def scale(self) -> int:
        """How many times larger the painted media is than its source."""
        return self.larger.scale if self.larger else 1


class Wishes:
    """The looks that clips ask for, or the job's where they say nothing; RenderJob judges the values."""

    def __init__(self, job: TimelineJob, faults: Faults) -> None:
        self._opened: dict[Look, Opened] = {}
        self._common: dict[str, Any] | None = None
        with faults.noted():  # what is wrong with the job's own words is told once, and not again for every clip
            common = {"style": job.style, "tier": job.tier, "strength": job.strength} | _parted(job.set)
            _judged(common)
            self._common = common

    def of(self, cut: Cut) -> Look | None:
        """The look a clip asks for; None where the job's own words are wrong, which is noted."""
        if self._common is None:
            return None
        job = _judged(self._common | cut.settings)
        layers, larger = job.opened()
        strength, tiers = Curve.parse(job.strength).constant, {layer.brush.tier for layer in layers}
        options = job.model_dump(mode="json", include=set(LOOK), exclude_defaults=True)
        options["style"] = job.style
        options["tier"] = tiers.pop() if len(tiers) == 1 else job.tier
        options["strength"] = job.strength if strength is None else f"{strength:g}"
        look = Look(json.dumps(options, sort_keys=True))
        self._opened.setdefault(look, Opened(layers, larger, job))
        return look

    def check(self, look: Look, source: Source, frames: range) -> None:
        """Refuse a look that misses guides, or whose guides lack frames of a source."""
        opened = self._opened[look]
        strength = Curve.parse(opened.job.strength)
        painted = [number for number in frames if strength.at(number) != 0]
        if source.info is None or not painted:
            return
        guides = Guides(parse_guides(opened.job.guide), source.info, source.numbers)
        try:
            guides.check([layer.brush for layer in opened.layers])
            guides.check_frames(painted)
        finally:
            guides.close()

    def facts(self, look: Look) -> dict[str, Any]:
        """What painted frames depend on beyond what the options say: the contents of the files they name."""
        opened = self._opened[look]
        facts: dict[str, Any] = {"style_hashes": told_apart([layer.brush.look for layer in opened.layers])}
        if opened.larger:
            facts["super_resolve_hash"] = opened.larger.style.hash
        if guides := parse_guides(opened.job.guide):
            facts["guide_contents"] = [content(guide.path) for guide in guides]
        return facts

    def scale(self, look: Look) -> int:
        """How many times larger a look's painted media is than its source."""
        return self._opened[look].scale


def _judged(values: dict[str, Any]) -> RenderJob:
    unknown = [name for name in values if name not in LOOK]
    if unknown:
        raise InputError(f"no look has a setting '{unknown[0]}': known are {', '.join(LOOK)}")
    return RenderJob.build(inputs=["-"], out="-", **values)


def _parted(texts: list[str]) -> dict[str, Any]:
    """What --set says, as name and value; of what a look may have several, all that are given."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise InputError(f"--set {name}: write name=value")
        found[name] = [*found.get(name, []), value] if name in SEVERAL else value
    return found
