"""`impasto export --to web`: weights come back from the page as they were, and a browser paints with it what impasto paints."""
from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.engine import load_engine
from impasto.errors import EngineError, InputError
from impasto.export import trial, web
from impasto.export.job import ExportJob
from impasto.frame import Pixels
from impasto.styles.library import find
from impasto.styles.package import StyleFile, Tier, write_style
from tests.fakes import _card, a_preview, lively, noise

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAPER_AND_INK = ((0.95, 0.93, 0.88), (0.1, 0.12, 0.2))
SOFTWARE_GPU = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "judged_pictures", lambda: (noise(64, 96), noise(37, 50)))


def export(style: Path | str, out: Path, **options: object) -> dict[str, Any]:
    return ExportJob.build(style=str(style), out=out, to="web", **options).finish().figures


def write_swift_style(path: Path, **settings: Any) -> Path:
    """A look of a small network of the live tier; no width of it is a multiple of four."""
    pytest.importorskip("torch", reason="a network is made with torch (extra 'learn')")
    from impasto.engine.export import export_graph
    from impasto.models.generators import swift

    made = swift.Settings(width=10, blocks=2, head=3, **settings)
    network = lively(swift.Generator(made))
    graph = export_graph(network)
    tier = Tier(
        generator="swift", settings=made.model_dump(mode="json"), stride=network.stride, receptive_field=network.receptive_field,
        parameters=1, graph_sha256=sha256(graph).hexdigest(), guides={"normal": made.guides} if made.guides else {},
    )  # fmt: skip
    return write_style(path, _card(path.stem, {"live": tier}), {"live": graph}, a_preview())


def test_a_look_of_the_house_is_a_page_of_a_megabyte(tmp_path: Path) -> None:
    figures = export("turner", tmp_path / "page")
    page = {path.name: path for path in (tmp_path / "page").iterdir()}
    assert figures["tier"] == "live"
    assert all(size["steps"] < 1 for size in figures["sizes"].values())
    assert page["look.js"].stat().st_size < 1_000_000
    index = page["index.html"].read_text()
    wanted = {word.split('"')[0] for word in index.split('src="')[1:]} | {"look.css"}
    assert wanted < set(page)
    assert "//" not in index.replace("http-equiv", "")  # nothing comes from elsewhere
    assert "0.99 MB" in page["README.md"].read_text()


def test_what_a_browser_cannot_paint_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"enlarge, network live: a page paints with swift networks .* this is enlarge"):
        export("enlarge", tmp_path / "page")
    with pytest.raises(InputError, match=r"turner, network full: .* this is brush"):
        export("turner", tmp_path / "page", tier="full")
    with pytest.raises(InputError, match="no precision 'int8': choose one of fp32"):
        export("turner", tmp_path / "page", precision="int8")
    with pytest.raises(InputError, match=r"it paints by guides \(normal\), and a browser has none"):
        export(write_swift_style(tmp_path / "guided.style", guides=3), tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_weights_that_went_wrong_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style, packed = write_swift_style(tmp_path / "small.style"), web._packed
    monkeypatch.setattr(web, "_packed", lambda weights, name: packed(weights, name)[::-1])
    with pytest.raises(EngineError, match="so it is not kept"):
        export(style, tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="a browser is driven with playwright: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_GPU, timeout=300_000)
        yield opened
        opened.close()


def shown(browser: Any, page: Path, picture: Pixels, on: str) -> tuple[Pixels, str]:
    """What the page, opened as a file, makes of a picture that is there when it opens; and what it says of that."""
    kept = BytesIO()
    Image.fromarray(picture).save(kept, "PNG")
    address = f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode()}"
    (page / "sample.js").write_text(f"const SAMPLE = {json.dumps(address)};")
    tab = browser.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda fault: faults.append(str(fault)))
    tab.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    tab.goto(f"file://{page}/index.html?on={on}&language=en", timeout=300_000)
    tab.wait_for_function("document.body.dataset.state === 'painted'", timeout=600_000)
    height, width, _ = picture.shape
    values = tab.evaluate(f"Array.from(after.getImageData(0, 0, {width}, {height}).data)")
    said = tab.inner_text("#figures") + tab.inner_text("#note")
    tab.close()
    assert not faults
    return np.array(values, np.uint8).reshape(height, width, 4)[:, :, :3], said


@pytest.mark.slow  # a browser starts, and computes as a graphics card would
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("on", "says"), [("cpu", "WebAssembly"), ("gpu", "WebGPU")])
@pytest.mark.parametrize("settings", [{}, {"inner": 2, "inks": PAPER_AND_INK}], ids=["plain", "inner and inks"])
def test_a_browser_paints_what_impasto_paints(browser: Any, tmp_path: Path, on: str, says: str, settings: dict[str, Any]) -> None:
    style = write_swift_style(tmp_path / "small.style", **settings)
    export(style, tmp_path / "page")
    opened, picture = StyleFile.open(style), noise(43, 61)
    ours = load_engine("onnx").open(opened.graph("live"), opened.card.tiers["live"], "fp32")
    theirs, said = shown(browser, tmp_path / "page", picture, on)
    if on == "gpu" and "no WebGPU" in said:
        pytest.skip("this chromium has no WebGPU without a graphics card")
    assert said.startswith(says)
    painted = ours.paint(picture[None])[0]
    assert np.ptp(painted) > 50  # there is something to get wrong
    assert parity_of(painted, theirs) <= 2


def parity_of(one: Pixels, other: Pixels) -> int:
    """The greatest difference in 1/255."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_look_of_the_house_in_a_browser(browser: Any, tmp_path: Path) -> None:
    export("turner", tmp_path / "page")
    opened, picture = StyleFile.open(find("turner")), noise(72, 128)
    ours = load_engine("onnx").open(opened.graph("live"), opened.card.tiers["live"], "fp32").paint(picture[None])[0]
    assert parity_of(ours, shown(browser, tmp_path / "page", picture, "cpu")[0]) <= 2
