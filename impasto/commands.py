"""Every command: where its Job lives, and its line of help. For the command line, and for whoever reads a saved job.

The modules stand as text, so that listing the commands loads none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.job import Job

COMMANDS = {
    "render": ("impasto.render.job:RenderJob", "Paint pictures, sequences and videos in a style."),
    "timeline": (
        "impasto.render.timeline.job:TimelineJob",
        "Paint the clips of an edit (.otio, .edl) and write the edit anew with the painted clips.",
    ),
    "live": (
        "impasto.live.job:LiveJob",
        "Paint a camera, a stream or a file while it runs. Keys: 1 to 9 a look, n and p the next and the previous one, "
        "+ and - strength, [ and ] share of the second look, m matte, space paint off and on, q end.",
    ),
    "learn": ("impasto.learn.job:TrainJob", "Learn a look from references and write a style file."),
    "generate": (
        "impasto.make.generate:GenerateJob",
        "Make new pictures out of noise in a look that was learnt for it (recipe noise).",
    ),
    "styles list": ("impasto.styles.jobs:ListJob", "List the looks at hand."),
    "styles show": ("impasto.styles.jobs:ShowJob", "Show what a look's card says."),
    "styles install": ("impasto.styles.jobs:InstallJob", "Add a style file to the library."),
    "styles remove": ("impasto.styles.jobs:RemoveJob", "Remove a look from the library."),
    "styles blend": ("impasto.render.blend:BlendJob", "Mix looks that grew from one start into a new style file."),
    "styles sheet": ("impasto.render.sheet:SheetJob", "Paint one frame in every look and write a labelled sheet."),
    "sample": ("impasto.media.sample:SampleJob", "Write sample frames of a procedural scene."),
    "evaluate": (
        "impasto.evaluate.job:EvaluateJob",
        "Measure a painting against its source: what it keeps, how near the look is, how steady it is.",
    ),
    "serve": ("impasto.serve.job:ServeJob", "Run the studio: a service with a page, on this machine or for a network."),
    "users add": ("impasto.serve.users:AddUserJob", "Give someone a key to the studio; a new one if they have one."),
    "users list": ("impasto.serve.users:ListUsersJob", "List who has a key to the studio."),
    "users remove": ("impasto.serve.users:RemoveUserJob", "Take someone's key to the studio away."),
    "run": ("impasto.saved.run:RunJob", "Carry out the jobs of a file: those that --save wrote, a plan, or your own."),
    "batch": (
        "impasto.saved.batch:BatchJob",
        "Render every shot of a table, each in its own look, with one page that shows them all.",
    ),
    "export": (
        "impasto.export.job:ExportJob",
        "Write a look's network as ONNX, OpenVINO, TorchScript, a TensorRT script or a web page, checked first.",
    ),
    "doctor": ("impasto.doctor:DoctorJob", "Say which engines, formats and devices work here, and how to get the others."),
    "bench": (
        "impasto.bench.job:BenchJob",
        "Measure how fast this machine paints and learns: networks alone, from file to file, and beside others.",
    ),
}
GROUPS = {
    "styles": "List, show, install, remove and blend looks, or see a picture in all of them.",
    "users": "Give keys to the studio, list them, take them away.",
}


def job_class_of(words: str) -> type[Job]:
    """Import the Job of a command."""
    module, name = COMMANDS[words][0].split(":")
    found: type[Job] = getattr(import_module(module), name)
    return found
