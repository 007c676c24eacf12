"""The studio's page in a browser: what people do with it, and what it lives through."""
from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import impasto
from impasto.client import Client
from impasto.media import open_reader
from impasto.serve.easel import Easel
from impasto.serve.job import ServeJob
from impasto.serve.service import Service, Settings
from impasto.serve.store import Store
from impasto.serve.users import AddUserJob
from tests.fakes import noise, write_tiny_style
from tests.serve.studios import FAKE, TOKEN
from tests.serve.test_story import free_port

STUDIO = Path(impasto.__file__).parent / "serve" / "studio"
CHROMIUM = shutil.which("chromium")
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SHOWN_IN = os.environ.get("IMPASTO_SCREENSHOTS", "")  # a folder: pictures for the documents are made there
REAL: tuple[str, ...] = ()
PATIENCE_MS = 60_000

playwright = pytest.importorskip("playwright.sync_api", reason="the page is tried with playwright: pip install 'impasto[dev]'")
pytestmark = pytest.mark.timeout(300)
browsing = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: make browser")


class Studio:
    """A server in this process, at an address of its own, that may be stopped and started again."""

    def __init__(self, folder: Path, workers: int = 0, command: tuple[str, ...] = FAKE) -> None:
        self.folder, self.workers, self.command, self.port = folder, workers, command, free_port()
        self.start()

    def start(self) -> None:
        easel = Easel(self.folder / "empty", lambda: ThreadPoolExecutor(1))
        settings = Settings(TOKEN, port=self.port, workers=self.workers)
        self.service = Service(Store(self.folder), settings, easel, self.command)
        self.server = ServeJob(port=self.port)._server(self.service)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)

    def stop(self) -> None:
        self.service.events.close()
        self.server.should_exit = True
        self.thread.join()

    def client(self) -> Client:
        return Client(f"http://127.0.0.1:{self.port}", TOKEN)

    def enter(self, page: Any, token: str = TOKEN) -> None:
        page.goto(f"http://127.0.0.1:{self.port}/#token={token}")
        page.wait_for_selector("shot-bin")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=CAMERA, timeout=PATIENCE_MS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A window of somebody who was never here. Nothing on the page may fail, or be refused by its own policy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    opened, faults = context.new_page(), []
    opened.set_default_timeout(PATIENCE_MS)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: faults.append(line.text) if "Security Policy" in line.text else None)
    yield opened
    context.close()
    assert not faults


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Looks that paint in a blink; one of them stands in for the usual one."""
    folder = tmp_path_factory.mktemp("looks")
    for name in ("great-wave", "other", "tiny"):
        write_tiny_style(folder / f"{name}.style")
    return folder


@pytest.fixture
def few_looks(looks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.styles.library.SHIPPED", looks / "none")
    monkeypatch.setenv("IMPASTO_STYLES", str(looks))


@pytest.fixture
def studio(tmp_path: Path, few_looks: None) -> Iterator[Studio]:
    """A studio where jobs wait for ever."""
    started = Studio(tmp_path / "store")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shot") / "shot.mp4"
    impasto.sample(path, size="96x64", frames=4)
    return path


def bring(page: Any, shot: Path) -> None:
    """Give the page a shot, and wait for it on the stage."""
    page.set_input_files("shot-bin input[type=file]", shot)
    page.wait_for_selector("shot-bin li[data-state=ready][aria-selected=true]")
    settled(page)


def settled(page: Any) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector("picture-stage:not(.busy)")
    page.wait_for_timeout(200)


def stage(page: Any) -> NDArray[np.uint8]:
    """What the stage shows, pixel by pixel."""
    text = page.evaluate("document.querySelector('picture-stage canvas').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2]))).convert("RGB"))


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The share of pixels that are not the same; along a picture's border one shines through the other."""
    return float(np.mean(np.any(one != other, axis=2)))


def asked(studio: Studio) -> dict[str, Any]:
    """The fields of the newest job."""
    told: dict[str, Any] = studio.client()._json("GET", "/jobs?limit=1")["items"][0]
    return {"job": told["job"], **told["asked"]}


# ---- what needs no browser


def test_every_word_is_there_in_every_language() -> None:
    text = (STUDIO / "words.js").read_text("utf-8")
    lists = [part.partition("\n};")[0] for part in text.split(" = {\n")[1:3]]
    bare = [re.sub(r'"[^"]*"|`[^`]*`', "", part) for part in lists]
    english, chinese = (set(re.findall(r"(\w+): ?", part)) for part in bare)
    assert english == chinese
    used = {name for path in STUDIO.rglob("*.js") for name in re.findall(r'\bt\("(\w+)"', path.read_text("utf-8"))}
    assert used
    assert used <= english


def test_the_page_needs_nothing_from_elsewhere() -> None:
    for path in STUDIO.rglob("*.*"):
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path
        assert not re.search(r"\.innerHTML|\beval\(|new Function|document\.write", text), path
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", (STUDIO / "index.html").read_text("utf-8"))


# ---- the story


@pytest.mark.slow
@browsing
def test_upload_choose_a_look_wipe_render_download(page: Any, tmp_path: Path, few_looks: None, shot: Path) -> None:
    studio, broken = Studio(tmp_path / "store", workers=1, command=REAL), []

    def break_once(route: Any) -> None:
        if route.request.method == "PATCH" and not broken:
            broken.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    try:
        studio.enter(page)
        assert "#" not in page.url  # the token is in no history
        page.route("**/files/*", break_once)
        bring(page, shot)
        assert broken
        page.click(".tile:has(input[value=tiny])")
        seen = {}
        for key, view in (("1", "painted"), ("2", "source"), ("3", "wipe")):
            page.keyboard.press(key)
            settled(page)
            seen[view] = stage(page)
        middle = seen["wipe"].shape[1] // 2
        left, right = np.s_[:, : middle - 4], np.s_[:, middle + 4 :]
        for side, own, other in ((left, "source", "painted"), (right, "painted", "source")):
            assert differing(seen["wipe"][side], seen[own][side]) < 0.01 < differing(seen["wipe"][side], seen[other][side])
        page.focus(".handle")
        page.keyboard.press("ArrowRight")
        assert page.get_attribute(".handle", "aria-valuenow") == "52"
        page.select_option(".render select", "ffv1")
        page.click(".render button")
        page.wait_for_selector("job-queue li[data-state=done]")
        with page.expect_download() as download:
            page.click("job-queue button:has-text('Download')")
        download.value.save_as(tmp_path / "ours.mkv")
        page.click("job-queue button:has-text('View')")
        settled(page)
        frame = page.get_attribute(".film", "aria-valuenow")
        page.click("button[aria-label=Play]")  # source and result together
        page.wait_for_selector(f".film:not([aria-valuenow='{frame}'])")
    finally:
        studio.stop()
    impasto.render(shot, tmp_path / "wanted.mkv", style="tiny", tier="live", codec="ffv1")
    with open_reader(tmp_path / "ours.mkv") as ours, open_reader(tmp_path / "wanted.mkv") as theirs:
        pairs = [(one.pixels.astype(int), other.pixels.astype(int)) for one, other in zip(ours, theirs, strict=True)]
    assert len(pairs) == 4
    assert max(np.abs(one - other).max() for one, other in pairs) <= 1  # engines are chosen by their speed


@pytest.mark.slow
@browsing
def test_it_survives_a_restart_and_a_reload(page: Any, tmp_path: Path, few_looks: None, shot: Path) -> None:
    studio = Studio(tmp_path / "store", workers=1)
    try:
        studio.enter(page)
        bring(page, shot)
        page.click(".tile:has(input[value=tiny])")
        page.fill("frame-strip input", "3")
        page.keyboard.press("Enter")
        client = studio.client()
        client.submit("render", inputs=[client._json("GET", "/shots")["items"][0]["reference"]], frames="slow")
        page.wait_for_selector("job-queue li[data-state=running]")
        studio.stop()
        page.wait_for_selector(".away:visible")
        studio.start()
        page.wait_for_selector("job-queue li[data-state=done]")  # its second try
        page.wait_for_selector(".away", state="hidden")
        page.reload()
        page.wait_for_selector("job-queue li[data-state=done]")
        assert page.input_value("frame-strip input") == "3"
        assert page.is_checked("input[value=tiny]")
    finally:
        studio.stop()


@browsing
def test_an_upload_that_was_left_goes_on_when_the_file_is_dropped_again(page: Any, studio: Studio, shot: Path) -> None:
    data, client = shot.read_bytes(), studio.client()
    begun = client._json("POST", "/shots", {"files": [{"name": shot.name, "size": len(data)}]})["id"]
    client._open("PATCH", f"/shots/{begun}/files/{shot.name}", data[:1000], {"Upload-Offset": "0"}).close()
    studio.enter(page)
    page.wait_for_selector("shot-bin li:has-text('drop the file again')")
    bring(page, shot)
    (told,) = client._json("GET", "/shots")["items"]
    assert (told["id"], told["state"]) == (begun, "ready")


@browsing
def test_sliders_a_second_look_and_a_painted_matte_go_into_the_render(page: Any, studio: Studio, shot: Path) -> None:
    studio.enter(page)
    bring(page, shot)
    page.click(".tile:has(input[value=tiny])")
    page.fill("knob-board .slider:has-text('Strength') input", "0.5")
    page.select_option("knob-board label:has-text('Mix with') select", "other")
    page.click(".render button")
    page.wait_for_selector("job-queue li")
    told = asked(studio)
    assert (told["style"], told["strength"]) == (["tiny:0.5", "other:0.5"], "0.5")
    page.click("#tab-mattes")
    settled(page)
    box = page.locator(".screen").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    page.mouse.up()
    page.click("text=Use matte")
    page.wait_for_selector("look-wall:visible")
    page.click(".render button")
    page.wait_for_selector("job-queue li:nth-child(2)")
    below, above = asked(studio)["style"]
    assert below == "other"
    assert above.startswith("tiny@shot:")
    matte = np.asarray(Image.open(studio.service.shots.path_of(above.partition("@")[2])).convert("L"))
    assert matte.shape == (64, 96)
    assert matte[32, 26] == 255
    assert matte[32, 70] == 0


@browsing
def test_a_painting_teaches_a_look_and_one_sees_how_it_goes(page: Any, studio: Studio, tmp_path: Path) -> None:
    Image.fromarray(noise(48, 64)).save(tmp_path / "Sea at Night.png")
    studio.enter(page)
    page.click("#tab-learn")
    page.set_input_files("learn-desk input[type=file]", tmp_path / "Sea at Night.png")
    page.wait_for_selector("learn-desk .thumbs li")
    page.fill("learn-desk label:has-text('Minutes') input", "0.5")
    page.click("learn-desk button:has-text('Learn')")
    page.wait_for_selector("job-queue li")
    told = asked(studio)
    assert (told["job"], told["out"], told["minutes"]) == ("learn", "sea-at-night.style", 0.5)
    (job,) = studio.client()._json("GET", "/jobs")["items"]
    run = studio.service.crew.folder(job["id"]) / "out" / "sea-at-night.run" / "live"
    run.mkdir(parents=True)
    Image.fromarray(noise(20, 30)).save(run / "sheet-000010.png")
    (run / "curve.jsonl").write_text("".join(json.dumps({"step": i, "held/style": 1 / (i + 1)}) + "\n" for i in range(5)))
    page.wait_for_selector("learn-desk .curves figure:has-text('held/style')")
    page.wait_for_selector("learn-desk img.sheet[src]")
    assert "0.2000" in page.inner_text("learn-desk .curves")


@browsing
def test_a_painted_frame_that_is_dropped_back_teaches_the_shot(page: Any, studio: Studio, shot: Path, tmp_path: Path) -> None:
    studio.enter(page)
    bring(page, shot)
    page.click("#tab-keys")
    with page.expect_download() as download:
        page.click("key-frames > button")
    name = download.value.suggested_filename
    assert name == "shot.0002.png"
    download.value.save_as(tmp_path / name)
    assert np.asarray(Image.open(tmp_path / name)).shape == (64, 96, 3)
    (tmp_path / "shot.0009.png").write_bytes((tmp_path / name).read_bytes())
    page.set_input_files("key-frames input[type=file]", tmp_path / "shot.0009.png")
    page.wait_for_selector("#word:has-text('from 1 to 4')")
    page.set_input_files("key-frames input[type=file]", tmp_path / name)
    page.wait_for_selector("key-frames .thumbs li:has-text('2')")
    page.click("key-frames button.main")
    page.wait_for_selector("job-queue li")
    told = asked(studio)
    assert studio.service.shots.path_of(told["references"][0]).name == "key.0002.png"
    assert studio.service.shots.path_of(told["shot"]).name == "shot.mp4"


@browsing
def test_the_camera_is_painted_live(page: Any, studio: Studio) -> None:
    studio.enter(page)
    page.click("#tab-live")
    page.click("live-camera button")
    page.wait_for_selector("live-camera p:has-text('fps')")
    page.click("#tab-looks")
    page.click(".tile:has(input[value=other])")  # the wall changes what runs
    page.wait_for_selector("canvas.live:visible")
    page.click("#tab-live")
    page.click("live-camera button")
    page.wait_for_selector("canvas.live", state="hidden")


@browsing
def test_a_report_is_shown_where_it_can_reach_nothing(page: Any, tmp_path: Path, few_looks: None, shot: Path) -> None:
    studio = Studio(tmp_path / "store", workers=1)
    try:
        client = studio.client()
        source = client.upload(shot)
        job = client.submit("evaluate", source=source, output=source, frames="done")
        client.wait(job, timeout_s=30)
        script = "try { told.textContent = parent.document.title } catch { told.textContent = 'alone' }"
        evil = f"<p id=told></p><script>{script}</script>"
        (studio.service.results(job) / "report.html").write_text(evil)
        studio.enter(page)
        page.click("job-queue button:has-text('Report')")
        page.frame_locator("iframe").locator("#told:has-text('alone')").wait_for()
        page.keyboard.press("Escape")
    finally:
        studio.stop()


@browsing
def test_who_has_no_session_is_asked_and_a_viewer_changes_nothing(page: Any, studio: Studio) -> None:
    key = AddUserJob(store=studio.folder, name="guest", role="viewer").finish().figures["key"]
    page.goto(f"http://127.0.0.1:{studio.port}/")
    page.fill("log-in input", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("#word:has-text('the token is wrong')")
    page.fill("log-in input", key)
    page.keyboard.press("Enter")
    page.wait_for_selector(".tile")
    assert page.inner_text("header .what") == "guest"
    assert not page.query_selector(".render button, input[type=file]")


@browsing
def test_light_and_chinese(page: Any, studio: Studio) -> None:
    studio.enter(page)
    page.click("header button")
    page.select_option("studio-settings label:has-text('Theme') select", "light")
    dark_is_gone = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark_is_gone == "rgb(214, 214, 214)"
    page.select_option("studio-settings label:has-text('Language') select", "zh")
    page.wait_for_selector("#tab-looks:has-text('画风')")
    assert page.get_attribute("html", "lang") == "zh"


# ---- pictures for the documents: IMPASTO_SCREENSHOTS=docs/images pytest tests/serve/test_page.py -m slow


@pytest.mark.slow
@browsing
@pytest.mark.skipif(not SHOWN_IN, reason="pictures are made where IMPASTO_SCREENSHOTS names a folder")
@pytest.mark.timeout(900)
def test_make_pictures(page: Any, tmp_path: Path) -> None:
    page.set_default_timeout(10 * PATIENCE_MS)
    film = tmp_path / "harbour.mp4"
    impasto.sample(film, size="640x360", frames=24)
    studio = Studio(tmp_path / "store", workers=1, command=REAL)
    try:
        studio.enter(page)
        bring(page, film)
        page.wait_for_selector(".tile:last-child img[src^=blob]")
        page.click(".tile:has(input[value=turner])")
        page.click(".render button")
        page.wait_for_selector("job-queue li[data-state=done]")
        page.click(".tile:has(input[value=great-wave])")
        page.click(".render button")
        page.wait_for_selector("job-queue li[data-state=running] small:has-text('left')")
        settled(page)
        shoot(page, "studio")
        page.click("header button")
        page.select_option("studio-settings label:has-text('Theme') select", "light")
        page.keyboard.press("Escape")
        page.keyboard.press("4")
        settled(page)
        shoot(page, "studio-light")
    finally:
        studio.stop()


def shoot(page: Any, name: str) -> None:
    """A picture of the page, small enough for the documents."""
    for quality in (88, 80, 70, 60):
        data = page.screenshot(type="jpeg", quality=quality)
        if len(data) <= 200_000:
            break
    (Path(SHOWN_IN) / f"{name}.jpg").write_bytes(data)
