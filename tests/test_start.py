"""Starting is quick: naming the commands loads no engine, no media library, no torch."""
from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "openvino", "onnxruntime", "onnx", "cv2", "OpenImageIO", "PIL", "numpy", "pydantic")
CALL = "import sys; from impasto.cli import main; code = main({args}); print('\\n' + ' '.join(sys.modules)); sys.exit(code)"


def loaded_after(script: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(args: list[str]) -> None:
    loaded = loaded_after(CALL.format(args=args))
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)


COMMANDS = ["render", "live", "learn", "sample", "doctor", "bench", "styles", "styles list", "styles sheet"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_own_help_loads_no_engine_and_no_media(command: str) -> None:
    loaded = loaded_after(CALL.format(args=[*command.split(), "--help"]))
    assert "pydantic" in loaded
    assert loaded.isdisjoint(set(HEAVY) - {"pydantic"})


def test_import_impasto_loads_nothing_but_itself() -> None:
    loaded = loaded_after("import sys; import impasto; print('\\n' + ' '.join(sys.modules))")
    assert loaded.isdisjoint({*HEAVY, "typer", "rich"})


def test_rendering_needs_no_torch() -> None:
    script = (
        "import sys, importlib; [importlib.import_module(f'impasto.{name}') for name in "
        "('render.pipeline', 'render.sheet', 'engine', 'engine.choose', 'styles.library', 'media', 'doctor')];"
        "print('\\n' + ' '.join(sys.modules))"
    )
    assert "torch" not in loaded_after(script)
