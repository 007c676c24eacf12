"""`impasto export`: every target's files are there, do what they say, and are refused where they would not."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

from impasto.engine.openvino import _has_bf16
from impasto.errors import EngineError, InputError, MediaError
from impasto.export import targets, trial
from impasto.export.job import ExportJob
from tests.fakes import RED, noise, write_coded_style, write_tiny_style


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "judged_pictures", lambda: (noise(64, 96), noise(37, 50)))


def export(style: Path, out: Path, to: str, **options: object) -> dict[str, object]:
    return ExportJob.build(style=str(style), out=out, to=to, **options).finish().figures


def test_onnx_names_its_opset_and_needs_no_code(tmp_path: Path) -> None:
    style = write_coded_style(tmp_path / "many.style", red=RED, other=[0.0, 0.0, 0.0])
    figures = export(Path(f"{style}#red"), tmp_path / "out", "onnx")
    assert figures["files"] == ["README.md", "many-red-full.onnx"]
    model = onnx.load(tmp_path / "out" / "many-red-full.onnx")
    assert [each.version for each in model.opset_import] == [targets.OPSET]
    assert "code" not in {held.name for held in model.graph.initializer}
    assert not any(node.op_type in ("Constant", "Cast") for node in model.graph.node)
    readme = (tmp_path / "out" / "README.md").read_text()
    assert f"opset {targets.OPSET}" in readme
    assert "| 96x64 |" in readme
    assert "multiples of 4" in readme


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_openvino_reads_its_files(tmp_path: Path, precision: str) -> None:
    if precision == "bf16" and not _has_bf16():
        pytest.skip("this processor does not compute in bf16")
    figures = export(write_tiny_style(tmp_path / "tiny.style"), tmp_path / "out", "openvino", tier="live", precision=precision)
    assert figures["files"] == ["README.md", "tiny-live.bin", "tiny-live.xml"]


def test_a_tensorrt_script_builds_for_the_stride(tmp_path: Path) -> None:
    export(write_tiny_style(tmp_path / "tiny.style"), tmp_path / "out", "tensorrt-script", tier="live")
    script = tmp_path / "out" / "build-tiny-live.sh"
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "trtexec").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tools / "trtexec").chmod(0o755)
    env = {"PATH": f"{tools}:/usr/bin:/bin"}
    told = subprocess.run([script, "--verbose"], env=env, capture_output=True, text=True, check=True)
    assert told.stdout.split() == [
        "--onnx=tiny-live.onnx", "--saveEngine=tiny-live.engine", "--minShapes=image:1x3x64x64",
        "--optShapes=image:1x3x1080x1920", "--maxShapes=image:1x3x2160x3840", "--noTF32", "--verbose",
    ]  # fmt: skip


def test_torchscript_takes_what_a_compositor_hands_over(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="TorchScript needs torch (extra 'learn')")
    from impasto.export.torchscript import AnySize

    class Inverse(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            assert image.shape[2] % 4 == 0
            assert image.shape[3] % 4 == 0
            return 1 - image

    whole = AnySize(Inverse(), 3, 4, 1)
    image = torch.rand(1, 4, 30, 41) * 3 - 1
    assert torch.equal(whole(image), 1 - image[:, :3].clamp(0, 1))
    whole.strength = 0.0
    assert torch.equal(whole(image), image[:, :3].clamp(0, 1))


def test_torchscript_is_written_for_nuke(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="TorchScript needs torch (extra 'learn')")
    from impasto.styles.library import find

    export(find("enlarge"), tmp_path / "out", "torchscript")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.jit.load(str(tmp_path / "out" / "enlarge-live.pt"))
    assert loaded(torch.rand(1, 4, 21, 34)).shape == (1, 3, 42, 68)
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "Channels In: `rgba.red, rgba.green, rgba.blue`" in readme
    assert "Output Scale: 2" in readme


def test_what_paints_otherwise_is_refused_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style = write_tiny_style(tmp_path / "tiny.style")
    portable = targets._onnx_painter
    monkeypatch.setattr(targets, "_onnx_painter", lambda path: lambda image: portable(path)(image) + np.float32(3 / 255))
    with pytest.raises(EngineError, match=r"3\.00/255 from fp32 \(2/255 are allowed\)"):
        export(style, tmp_path / "out", "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.style"]


def test_faults_are_told_before_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style = write_tiny_style(tmp_path / "tiny.style")
    with pytest.raises(InputError, match="--to onnx has no precision 'bf16': choose one of fp32, int8"):
        export(style, tmp_path / "out", "onnx", precision="bf16")
    with pytest.raises(InputError, match="add --precision int8"):
        export(style, tmp_path / "out", "onnx", shot=tmp_path / "shot.mov")
    with pytest.raises(InputError, match="in int8: it has no convolutions that 8 bits would suit"):
        export(style, tmp_path / "out", "onnx", precision="int8")
    with pytest.raises(InputError, match="name another"):
        export(style, style, "onnx")
    monkeypatch.setattr(targets, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'impasto\[learn\]'"):
        export(style, tmp_path / "out", "torchscript")
    assert not (tmp_path / "out").exists()
    export(style, tmp_path / "out", "onnx")
    with pytest.raises(MediaError, match="exists"):
        export(style, tmp_path / "out", "onnx")
    assert json.dumps(export(style, tmp_path / "out", "onnx", overwrite=True))
