"""Pictures at once: frames as they are, through looks, and live."""
from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.websockets import WebSocketDisconnect

import impasto
from impasto.serve import easel
from impasto.serve.easel import Easel
from impasto.serve.problems import Problem
from tests.fakes import noise
from tests.serve.studios import HOST, studio, upload

API = "/api/v1"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with studio(tmp_path / "store") as client:
        yield client


def sequence(client: TestClient, folder: Path, frames: int = 3) -> str:
    files = []
    for number in range(1, frames + 1):
        Image.fromarray(noise(24, 40, number)).save(folder / f"s.{number:04}.png")
        files.append(folder / f"s.{number:04}.png")
    told = [{"name": file.name, "size": file.stat().st_size} for file in files]
    shot = client.post(f"{API}/shots", json={"files": told}).json()
    for file in files:
        place = f"{API}/shots/{shot['id']}/files/{file.name}"
        client.patch(place, content=file.read_bytes(), headers={"Upload-Offset": "0"})
    return str(shot["reference"])


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_frames_come_as_they_are_or_smaller(client: TestClient, tmp_path: Path) -> None:
    shot = sequence(client, tmp_path)
    answer = client.get(f"{API}/frames", params={"of": shot, "number": 3, "format": "png"})
    assert np.array_equal(opened(answer.content), noise(24, 40, 3))
    small = client.get(f"{API}/frames", params={"of": shot, "width": 16})
    assert opened(small.content).shape == (10, 16, 3)
    assert client.get(f"{API}/frames", params={"of": shot, "number": 99}).status_code == 422


def test_who_plays_gets_frames_ahead_and_hears_of_a_damaged_one_when_it_comes(client: TestClient, tmp_path: Path) -> None:
    shot = sequence(client, tmp_path, 5)
    damaged = next((tmp_path / "store").rglob("s.0005.png"))
    damaged.write_bytes(damaged.read_bytes()[:60])
    for asked, there in ((1, {1}), (2, {1, 2, 3, 4}), (4, {1, 2, 3, 4})):
        answer = client.get(f"{API}/frames", params={"of": shot, "number": asked, "format": "png"})
        assert np.array_equal(opened(answer.content), noise(24, 40, asked))
        assert {number for path, _, number in easel._frames if path == damaged.parent} == there
    assert client.get(f"{API}/frames", params={"of": shot, "number": 5}).status_code == 422


def test_a_preview_is_what_a_render_paints(client: TestClient, tmp_path: Path, tiny_style: Path) -> None:
    shot, look = sequence(client, tmp_path), upload(client, tiny_style)["reference"]
    asked = {"of": shot, "frame": "2", "style": look, "strength": "0.5", "tier": "full", "format": "png"}
    answer = client.get(f"{API}/previews", params=asked)
    assert answer.status_code == 200, answer.text
    out = tmp_path / "out.png"
    impasto.render(tmp_path / "s.0002.png", out, style=str(tiny_style), strength=0.5, tier="full", engine="openvino")
    assert np.abs(opened(answer.content).astype(int) - np.asarray(Image.open(out)).astype(int)).max() <= 1
    assert client.get(f"{API}/previews", params=asked, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    for wrong in ({"strength": "7"}, {"style": "/etc/passwd"}, {"style": "no-such-look"}, {"wedge": "x"}, {"of": "/etc/passwd"}):
        assert client.get(f"{API}/previews", params=asked | wrong).status_code == 422, wrong


def test_the_fast_network_shows_a_preview_where_there_is_one(tiny_style: Path) -> None:
    assert easel._with_tier({"style": [str(tiny_style)]})["tier"] == "live"
    assert easel._with_tier({"style": [str(tiny_style)], "tier": "full"})["tier"] == "full"


def test_a_look_that_was_replaced_is_opened_anew(tmp_path: Path, tiny_style: Path) -> None:
    look, photo = tmp_path / "a.style", tmp_path / "a.png"
    look.write_bytes(tiny_style.read_bytes())
    Image.fromarray(noise(16, 16)).save(photo)
    knobs = {"style": [str(look)]}
    easel.preview(photo, None, 0, "png", knobs)
    before = easel._brushes[str(look), "live", 0]
    easel.preview(photo, None, 0, "png", knobs)
    assert easel._brushes[str(look), "live", 0] is before, "it is warm"
    os.utime(look, (1, 1))
    easel.preview(photo, None, 0, "png", knobs)
    assert easel._brushes[str(look), "live", 0] is not before


def test_a_look_that_was_removed_is_in_nobodys_way(
    tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_STYLES", str(tmp_path))
    photo = tmp_path / "a.png"
    Image.fromarray(noise(16, 16)).save(photo)
    (tmp_path / "gone.style").write_bytes(tiny_style.read_bytes())
    easel.preview(photo, None, 0, "png", {"style": ["gone"]})
    (tmp_path / "gone.style").unlink()
    assert easel.preview(photo, None, 0, "png", {"style": [str(tiny_style)]})


def test_live_paints_the_newest_picture(client: TestClient, tiny_style: Path) -> None:
    look = upload(client, tiny_style)["reference"]
    jpeg = io.BytesIO()
    Image.fromarray(noise(24, 40)).save(jpeg, "JPEG")
    with client.websocket_connect(f"ws://{HOST}{API}/live") as socket:
        socket.send_text(json.dumps({"style": [look], "fps": 5}))
        assert socket.receive_json()["fps"] == 5
        socket.send_bytes(jpeg.getvalue())
        assert opened(socket.receive_bytes()).shape == (24, 40, 3)
        assert socket.receive_json()["scale"] <= 1
        for wrong in ('{"style": ["/etc/passwd"]}', '{"wedge": 1}', "no json"):
            socket.send_text(wrong)
            assert socket.receive_json()["fault"]
        socket.send_bytes(b"no jpeg")
        assert "JPEG" in socket.receive_json()["fault"]
    for headers in ({"Authorization": "Bearer wrong"}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"ws://{HOST}{API}/live", headers=headers):
            pass


def test_what_brings_a_decoder_down_takes_no_server_with_it(tmp_path: Path) -> None:
    own = Easel(tmp_path / "empty")
    try:
        assert own._ask(os.listdir) == [], "nothing lies where it works"
        with pytest.raises(Problem, match="cannot be shown"):
            own._ask(os._exit, 9)
        assert own._pool is None, "the next one who asks starts another"
    finally:
        own.close()
