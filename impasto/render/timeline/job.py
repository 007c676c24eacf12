"""TimelineJob: an edit in, the same edit with painted media out. Each stretch of media is one RenderJob.

What was painted is noted in a file beside the results, so that the same edit, or a re-cut one, paints only what is not there yet.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from impasto.errors import MediaError
from impasto.job import Done, Job, Progress, option
from impasto.media.encoding import Codec, Missing, Quality
from impasto.media.landing import check_output
from impasto.render.checks import Faults
from impasto.render.job import DEFAULT_STYLE, RenderJob

if TYPE_CHECKING:
    from impasto.render.timeline.conform import Plan
    from impasto.render.timeline.stretches import Stretch

NOTES = ".impasto-timeline.json"  # beside the results


class TimelineJob(Job):
    """Paint the clips of an edit (.otio, .edl) and write the edit anew with the painted clips."""

    command: ClassVar[str] = "timeline"
    help: ClassVar[str] = "Paint the clips of an edit (.otio, .edl) and write the edit anew with the painted clips."

    timeline: Path = option(help="the edit: .otio, .edl, or what an installed OpenTimelineIO adapter reads", argument=True)
    out: Path = option(help="folder for the painted clips and the new timeline; made if it is not there", flag="-o/--out")
    style: list[str] = option([DEFAULT_STYLE], "look of clips that name none: a name, a style file, STYLE@MATTE", min_length=1)
    tier: Literal["auto", "live", "full", "mini"] = option(
        "auto", "network of the clips that name none: live is fast, full is finer; auto takes the finest of each look"
    )
    strength: str = option("1", "how much paint, for the clips that do not say; over a source's frames as '1001:0, 1024:1'")
    set: list[str] = option([], "another option of render as name=value, e.g. keep_colour=0.5 (repeatable)")
    handles: int = option(8, "frames painted before and after what is shown, where the media has them", ge=0, le=10000)
    media: list[Path] = option([], "folder that is searched, by name, for media that is not where the edit says (repeatable)")
    skip_offline: bool = option(False, "leave clips as they are whose media cannot be found")
    medium: Literal["auto", "movie", "sequence"] = option("auto", "what is written; auto: as the source is", flag="--as")
    missing: Missing = option("error", "gaps of a sequence: error names them, hold repeats the frame before, skip passes over")
    fps: float | None = option(None, "frames per second that an EDL counts in (24 if not given)", gt=0, le=1000)
    codec: Codec = option("auto", "of movies: auto is h264, for more than 8 bits h265, for alpha prores4444")
    quality: Quality = option("high", "of movies, JPEG or WebP: high shows no difference, draft is quick")
    engine: Literal["auto", "openvino", "onnx", "pytorch"] = option("auto", "what runs the network; auto measures once")
    precision: Literal["auto", "fp32", "bf16", "int8"] = option("auto", "number format; auto is the fastest that keeps the depth")
    overwrite: bool = option(False, "replace outputs that exist; what is as it should be is kept")
    fresh: bool = option(False, "paint everything, whatever is there")

    @field_validator("strength", mode="before")
    @classmethod
    def _strength_is_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value

    def run(self) -> Iterator[Progress | Done]:
        """Read the edit, find everything it needs, paint what is not there yet, write the new edit."""
        from impasto.render.timeline.conform import Conform
        from impasto.render.timeline.edit import Edit

        began = perf_counter()
        yield Progress("opening")
        edit = Edit.read(self.timeline, self.fps)
        with Faults.gathering() as faults:
            plan = Conform(self, faults).plan(edit)
        frames = sum(len(each.numbers) for each in plan.stretches)
        there = sum(each.kept for each in plan.stretches)
        kept = f", {there} of them there already" if there else ""
        yield Progress("planned", note=f"{len(edit.cuts)} clips show {len(plan.stretches)} stretches, {frames} frames{kept}")
        for note in plan.notes:
            yield Progress("noticed", note=note)
        with _folder(self.out):
            yield from self._paint(plan)
            if not plan.unchanged:
                edit.write(plan.result, self.overwrite)
        yield self._done(plan, perf_counter() - began)

    def _paint(self, plan: Plan) -> Iterator[Progress]:
        todo = [each for each in plan.stretches if not each.kept]
        total, before = sum(len(each.numbers) for each in todo), 0
        for number, each in enumerate(todo, 1):
            told = f"{number} of {len(todo)}: {each.source.path.name} {each.frames} in {each.look.told}"
            yield Progress("clip", note=told)
            ours = plan.notebook.knows(each, plan.facts[each.name])
            plan.notebook.note(each, plan.facts[each.name], done=False)
            job = self._render_job(each, overwrite=self.overwrite or ours, fresh=self.fresh or (self.overwrite and not ours))
            for step in job.run():
                if isinstance(step, Progress):
                    yield _of_all(step, before, total)
            plan.notebook.note(each, plan.facts[each.name], done=True)
            before += len(each.numbers)

    def _render_job(self, stretch: Stretch, overwrite: bool, fresh: bool) -> RenderJob:
        same = ("codec", "quality", "missing", "engine", "precision")
        values: dict[str, Any] = {name: getattr(self, name) for name in same} | stretch.look.options
        if stretch.source.kind != "picture":
            values["frames"] = stretch.frames
        if stretch.source.kind == "sequence":
            values["fps"] = stretch.uses[0].need.rate
        inputs, out = [stretch.source.path], stretch.target
        return RenderJob.build(inputs=inputs, out=out, overwrite=overwrite, fresh=fresh, **values)

    def _done(self, plan: Plan, seconds: float) -> Done:
        kept = sum(each.kept for each in plan.stretches)
        painted = sum(len(each.numbers) for each in plan.stretches if not each.kept)
        figures = {
            "clips": sum(len(each.uses) for each in plan.stretches),
            "stretches": len(plan.stretches),
            "kept_stretches": kept,
            "frames": painted,
            "left_as_they_are": plan.offline,
            "seconds": round(seconds, 3),
            "files": [str(each.target) for each in plan.stretches],
        }
        there = f", {kept} of {len(plan.stretches)} stretches were there" if kept else ""
        offline = f", {len(plan.offline)} clips stay as they are" if plan.offline else ""
        told = f"painted {painted} frames for {figures['clips']} clips in {seconds:.1f} s{there}{offline} -> {plan.result}"
        return Done(plan.result, told, figures)


def _of_all(step: Progress, before: int, total: int) -> Progress:
    """A clip's progress as a part of the whole edit's."""
    if not step.total:
        return step
    done = min(before + step.done, total)
    left = (total - done) / step.rate if step.rate else None
    return replace(step, done=done, total=total, unit="frame", seconds_left=left)


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """The folder for results is made; if nothing came into it, it goes again."""
    makes = not folder.is_dir()
    if makes:
        if folder.exists():
            raise MediaError("is a file: name a folder for the results", folder)
        check_output(folder)
        folder.mkdir()
    try:
        yield
    except BaseException:
        if makes and {each.name for each in folder.iterdir()} <= {NOTES}:
            (folder / NOTES).unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()
        raise
