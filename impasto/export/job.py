"""ExportJob: a look as a file that other programs run, checked against impasto's own painting before it gets its name."""
from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.export.network import Network
    from impasto.frame import Pixels


class ExportJob(Job):
    """Write a look's network for other programs, or as a page."""

    command: ClassVar[str] = "export"
    help: ClassVar[str] = "Write a look's network as ONNX, OpenVINO, TorchScript, a TensorRT script or a web page, checked first."

    style: str = option(help="name of a look, or a style file; of a style of many, STYLE#LOOK", argument=True)
    to: Literal["onnx", "openvino", "torchscript", "tensorrt-script", "web"] = option(
        help="for whom: onnx (Unity, Unreal, ONNX Runtime), openvino, torchscript (Nuke), tensorrt-script (NVIDIA), web (a page)"
    )
    out: Path = option(help="the folder that it goes into; made if it is not there", flag="-o/--out")
    tier: Literal["auto", "live", "full", "mini"] = option("auto", "which of its networks; auto: the finest, for web live")
    precision: Literal["fp32", "bf16", "int8"] = option("fp32", "number format, where the target knows it")
    shot: Path | None = option(None, "a shot whose frames int8 is calibrated on beside impasto's own pictures")
    variation: int = option(0, "another variation of a look that varies: any number; 0 is the look itself", ge=0)
    overwrite: bool = option(False, "replace files that exist")

    def run(self) -> Iterator[Progress | Done]:
        """Make the files in a hidden folder, try them in two sizes, and only then give them their names."""
        yield Progress("opening")
        from impasto.export.targets import TARGETS
        from impasto.export.trial import check
        from impasto.media.landing import check_output

        target = TARGETS[self.to]
        if self.precision not in target.precisions:
            raise InputError(f"--to {self.to} has no precision '{self.precision}': choose one of {', '.join(target.precisions)}")
        if self.shot is not None and self.precision != "int8":
            raise InputError("--shot is what int8 is calibrated on: add --precision int8, or leave --shot out")
        network = self._network(target.tier)
        if self.out.exists() and not self.out.is_dir():
            raise InputError(f"{self.out}: an export is several files in a folder, and this is a file; name another")
        if self.precision == "int8":
            yield Progress("quantising", note="calibrated, and judged against fp32")
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{self.out.name}.", dir=self.out.parent) as hidden:
            folder = Path(hidden)
            written = target.write(network, folder)
            yield Progress("checking", note="against impasto's own painting, in two sizes")
            found = check(network, written.paint, self.to)
            (folder / "README.md").write_text(written.readme + found.told, "utf-8")
            names = sorted(path.name for path in folder.iterdir())
            self.out.mkdir(exist_ok=True)
            for name in names:
                check_output(self.out / name, self.overwrite)
            for name in names:
                shutil.move(folder / name, self.out / name)
        figures = {"files": names, "precision": self.precision, "sizes": found.figures, **network.figures}
        yield Done(self.out, f"{', '.join(names)} in {self.out}: {found.summary}", figures)

    def _network(self, usual: str) -> Network:
        from impasto.export.network import Network
        from impasto.render.looks import find_look

        tier = (usual or self.tier) if self.tier == "auto" else self.tier
        look = find_look(self.style, tier, self.variation)
        return Network(look, look.style.card.finest if tier == "auto" else tier, self.precision, self._frames())

    def _frames(self) -> list[Pixels]:
        """Samples of the shot, as a screen shows them."""
        if self.shot is None:
            return []
        import numpy as np

        from impasto.media import open_reader
        from impasto.render.post import samples
        from impasto.render.stored import from_engine, to_engine

        with open_reader(self.shot) as reader:
            return [from_engine(to_engine(frame.rgb()), np.dtype(np.uint8)) for frame in samples(reader)]
