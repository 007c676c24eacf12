"""The service as its clients see it."""
from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from impasto.serve.guard import new_key
from impasto.serve.keep import DAY_S
from tests.fakes import noise
from tests.serve.studios import TOKEN, studio, upload

API = "/api/v1"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shots") / "photo.png"
    Image.fromarray(noise(24, 32)).save(path)
    return path


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with studio(tmp_path / "store") as client:
        yield client


def problem(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert {"type", "title", "detail", "instance"} <= set(told)
    return str(told["detail"])


def submit(client: TestClient, shot: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(f"{API}/jobs", json={"job": "render", "inputs": [shot], **fields})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def finished(client: TestClient, shot: str, **files: bytes) -> str:
    """A job that has come to its end and left these files."""
    service = client.app.state.service  # type: ignore[attr-defined]
    name = str(submit(client, shot)["id"])
    service.queue.claim("w")
    out = service.crew.folder(name) / "out"
    out.mkdir(parents=True)
    for file, data in files.items():
        (out / file.replace("__", ".")).write_bytes(data)
    service.queue.finish(name, "w", {"path": str(out), "summary": f"painted -> {out}/a.bin"})
    return name


@pytest.mark.parametrize("path", ["/shots", "/jobs", "/looks", "/events", "/about", "/openapi.json", "/previews", "/session"])
def test_nobody_comes_in_without_a_token(client: TestClient, path: str) -> None:
    answer = client.get(API + path, headers={"Authorization": ""})
    assert answer.status_code == 401
    assert "Bearer" in problem(answer)
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401


def test_everything_wrong_is_a_problem(client: TestClient) -> None:
    assert "evil" not in problem(client.get(f"{API}/jobs", headers={"Host": "evil.example"}))
    assert "origins" in problem(client.post(f"{API}/jobs", json={}, headers={"Origin": "http://evil.example"}))
    assert "choose one of" in problem(client.post(f"{API}/jobs", json={"job": "rm"}))
    assert "limit" in problem(client.get(f"{API}/jobs?limit=0"))
    assert "MiB" in problem(client.post(f"{API}/jobs", content=b"x" * (2**20 + 1)))
    assert "Content-Length" in problem(client.post(f"{API}/jobs", content=iter([b"{}"])))
    for path in ("/jobs/0000000000000000", "/shots/x", "/looks/no-such", "/looks/..%2f..%2fsecret", "/nothing"):
        assert client.get(API + path).status_code == 404, path
    assert problem(client.put(f"{API}/jobs"))
    assert client.post("/index.html").status_code == 405


def test_every_answer_carries_the_headers_of_safety(client: TestClient) -> None:
    for answer in (client.get("/healthz"), client.get(f"{API}/jobs"), client.get(f"{API}/jobs", headers={"Host": "evil"})):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_shot_comes_in_pieces_and_goes_on_after_a_break(client: TestClient, picture: Path) -> None:
    data = picture.read_bytes()
    shot = client.post(f"{API}/shots", json={"files": [{"name": "../my photo.png", "size": len(data)}]}).json()
    assert shot["files"][0]["name"] == "my_photo.png"
    place = f"{API}/shots/{shot['id']}/files/my_photo.png"
    assert client.patch(place, content=data[:100], headers={"Upload-Offset": "0"}).headers["Upload-Offset"] == "100"
    again = client.patch(place, content=data[:100], headers={"Upload-Offset": "0"})
    assert (again.status_code, again.headers["Upload-Offset"]) == (409, "100")
    assert "needs it" not in problem(client.get(f"{API}/frames?of=shot:{shot['id']}")), "it is not ready"
    assert client.patch(place, content=data[100:] + b"x", headers={"Upload-Offset": "100"}).status_code == 413
    assert client.head(place).headers["Upload-Offset"] == "100"
    last = client.patch(place, content=data[100:], headers={"Upload-Offset": "100"})
    assert (last.status_code, last.headers["X-Shot-State"]) == (204, "ready")
    told = client.get(f"{API}/shots/{shot['id']}").json()
    assert (told["info"]["width"], told["info"]["frames"], told["info"]["kind"]) == (32, 1, "picture")
    assert client.get(place).content == data
    assert str(picture.parent) not in json.dumps(told)


def test_a_file_that_is_no_picture_is_broken_and_says_so(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "evil.png").write_bytes(b"<script>alert(1)</script>")
    shot = upload(client, tmp_path / "evil.png")
    assert shot["state"] == "broken"
    assert shot["fault"]
    assert str(tmp_path) not in shot["fault"]
    assert client.post(f"{API}/jobs", json={"job": "render", "inputs": [shot["reference"]]}).status_code == 409
    for name in ("run.sh", "list.txt", "page.html", ".png", "x"):
        assert client.post(f"{API}/shots", json={"files": [{"name": name, "size": 1}]}).status_code == 415


def test_a_job_is_submitted_once_and_listed_in_pages(client: TestClient, picture: Path) -> None:
    shot = upload(client, picture)["reference"]
    body, key = {"job": "render", "inputs": [shot]}, {"Idempotency-Key": "k"}
    first, again = (client.post(f"{API}/jobs", json=body, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    assert client.post(f"{API}/jobs", json=body | {"seed": 1}, headers=key).status_code == 422
    names = [submit(client, shot, seed=number)["id"] for number in range(4)]
    page = client.get(f"{API}/jobs?limit=2")
    assert [job["id"] for job in page.json()["items"]] == names[:1:-1]
    assert page.links["next"]["url"].startswith(f"{API}/jobs?")
    rest = client.get(page.links["next"]["url"]).json()["items"] + client.get(f"{API}/jobs?after=3&limit=9").json()["items"]
    assert [job["id"] for job in rest] == [*names[1::-1], names[0], first.json()["id"]]
    assert client.get(f"{API}/jobs?state=done").json()["items"] == []
    assert len(client.get(f"{API}/jobs?mine=true").json()["items"]) == 5


def test_etags_spare_answers_and_guard_changes(client: TestClient, picture: Path) -> None:
    job = f"{API}/jobs/{submit(client, upload(client, picture)['reference'])['id']}"
    tag = client.get(job).headers["ETag"]
    assert client.get(job, headers={"If-None-Match": tag}).status_code == 304
    assert client.patch(job, json={"priority": 5}, headers={"If-Match": tag}).json()["priority"] == 5
    assert client.patch(job, json={"priority": 6}, headers={"If-Match": tag}).status_code == 412
    assert client.get(job, headers={"If-None-Match": tag}).status_code == 200
    assert client.post(f"{job}/pause").json()["state"] == "paused"
    assert client.delete(job).status_code == 409
    assert client.post(f"{job}/cancel").json()["state"] == "cancelled"
    assert client.delete(job).status_code == 204
    assert client.get(job).status_code == 404


def test_results_are_served_in_ranges_and_cannot_act_for_us(client: TestClient, picture: Path) -> None:
    shot = upload(client, picture)["reference"]
    name = finished(client, shot, a__bin=b"0123456789", report__html=b"<script>", __hidden=b"x")
    told = client.get(f"{API}/jobs/{name}")
    assert str(client.app.state.service.store.folder) not in told.text  # type: ignore[attr-defined]
    assert told.json()["result"]["summary"] == f"painted -> job:{name}/a.bin"
    results = f"{API}/jobs/{name}/results"
    assert [item["name"] for item in client.get(results).json()["items"]] == ["a.bin", "report.html"]
    part = client.get(f"{results}/a.bin", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert part.headers["content-disposition"].startswith("attachment")
    assert client.head(f"{results}/a.bin").headers["content-length"] == "10"
    page = client.get(f"{results}/report.html")
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in page.headers["content-security-policy"]
    for path in ("..%2flog.txt", "%2e%2e/log.txt", "..%2f..%2f..%2ftoken", ".hidden", "%2fetc%2fpasswd", "a%00.bin"):
        assert client.get(f"{results}/{path}").status_code == 404, path
    with zipfile.ZipFile(io.BytesIO(client.get(f"{API}/jobs/{name}/results.zip").content)) as archive:
        assert archive.namelist() == ["a.bin", "report.html"]
        assert archive.read("a.bin") == b"0123456789"


def test_roles_end_where_they_end(client: TestClient, picture: Path) -> None:
    service, keys = client.app.state.service, {}  # type: ignore[attr-defined]
    for name, role in (("vera", "viewer"), ("ana", "artist"), ("bob", "artist")):
        key, key_id, digest = new_key()
        service.store.database.execute("INSERT INTO users VALUES (?,?,?,?,0)", (name, role, key_id, digest))
        keys[name] = {"Authorization": f"Bearer {key}"}
    job = {"job": "render", "inputs": [upload(client, picture)["reference"]]}
    assert client.post(f"{API}/jobs", json=job, headers=keys["vera"]).status_code == 403
    assert client.get(f"{API}/jobs", headers=keys["vera"]).status_code == 200
    name = client.post(f"{API}/jobs", json=job, headers=keys["ana"]).json()["id"]
    assert "belongs to ana" in problem(client.post(f"{API}/jobs/{name}/cancel", headers=keys["bob"]))
    assert client.get(f"{API}/audit", headers=keys["ana"]).status_code == 403
    assert client.delete(f"{API}/looks/great-wave", headers=keys["ana"]).status_code == 403
    assert client.post(f"{API}/jobs/{name}/cancel").status_code == 200, "an admin may"
    told = client.get(f"{API}/audit").json()["items"]
    assert ("bob", "POST", f"{API}/jobs/{name}/cancel", 403) in {(t["who"], t["action"], t["target"], t["status"]) for t in told}
    assert not any(TOKEN in json.dumps(each) for each in told)


def test_a_page_logs_in_and_sends_its_word_along(client: TestClient) -> None:
    page = TestClient(client.app, "http://127.0.0.1:8765")
    assert page.post(f"{API}/session", json={"token": "wrong"}).status_code == 401
    answer = page.post(f"{API}/session", json={"token": TOKEN})
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    csrf = page.get(f"{API}/session").json()["csrf"]
    assert page.post(f"{API}/jobs", json={"job": "x"}).status_code == 403
    assert page.post(f"{API}/jobs", json={"job": "x"}, headers={"X-CSRF-Token": csrf}).status_code == 422
    evil = {"X-CSRF-Token": csrf, "Origin": "http://evil.example"}
    assert page.post(f"{API}/jobs", json={"job": "x"}, headers=evil).status_code == 403
    assert page.delete(f"{API}/session", headers={"X-CSRF-Token": csrf}).status_code == 204
    assert page.get(f"{API}/session").status_code == 401


def test_looks_are_listed_shown_and_installed(client: TestClient, tiny_style: Path) -> None:
    looks = client.get(f"{API}/looks").json()["items"]
    assert "great-wave" in {look["name"] for look in looks}
    assert not any("path" in look for look in looks)
    assert client.get(f"{API}/looks/great-wave/preview.png").content.startswith(b"\x89PNG")
    assert client.get(f"{API}/looks/great-wave").json()["card"]["licence"]
    shot = upload(client, tiny_style)["reference"]
    assert client.post(f"{API}/looks", json={"file": shot}).json() == {"name": "tiny"}
    assert "already" in problem(client.post(f"{API}/looks", json={"file": shot}))
    assert client.delete(f"{API}/looks/tiny").status_code == 204
    assert client.delete(f"{API}/looks/great-wave").status_code == 422


def test_operation(client: TestClient, picture: Path) -> None:
    submit(client, upload(client, picture)["reference"])
    assert client.get("/healthz", headers={"Authorization": ""}).json() == {"status": "ok"}
    assert client.get("/readyz", headers={"Authorization": ""}).json() == {"status": "ready"}
    told = client.get("/metrics").text
    assert 'impasto_jobs{state="queued"} 1.0' in told
    assert 'impasto_requests_total{method="POST",route="/jobs",status="201"} 1.0' in told
    assert client.get(f"{API}/about").json()["jobs"] == {"queued": 1}
    paths = client.get(f"{API}/openapi.json").json()["paths"]
    kinds = paths[f"{API}/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert "keep_colour" in kinds[0]["properties"]
    assert client.get("/docs").status_code == 404, "a page that loads scripts from elsewhere"


def test_the_store_is_kept_within_its_bounds(tmp_path: Path, picture: Path) -> None:
    with studio(tmp_path, quota_gib=0.001, keep_days=1.0) as client:
        big = client.post(f"{API}/shots", json={"files": [{"name": "a.mov", "size": 2**21}]})
        assert (big.status_code, "room" in problem(big)) == (507, True)
        service = client.app.state.service  # type: ignore[attr-defined]
        name = finished(client, upload(client, picture)["reference"], a__bin=b"x")
        orphan = service.store.folder / "jobs" / "0123456789abcdef"
        orphan.mkdir()
        os.utime(orphan, (0, 0))
        os.utime(service.crew.folder(name), (0, 0))
        service.keeper.clean()
        assert not orphan.exists()
        assert service.crew.folder(name).exists()
        service.keeper.clean(time.time() + 2 * DAY_S)
        assert not service.crew.folder(name).exists()
        assert client.get(f"{API}/jobs/{name}").status_code == 404


def test_shots_under_a_root_are_taken_where_they_lie(tmp_path: Path, picture: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out.png"
    (root / "plate").mkdir(parents=True)
    for file in (out, root / "a.png", root / "plate" / "s.0001.png"):
        file.write_bytes(picture.read_bytes())
    (root / "list.txt").write_text(str(out))
    (root / "link.png").symlink_to(out)
    (root / "away").mkdir()
    (root / "away" / "s.0001.png").symlink_to(out)
    with studio(tmp_path / "store", roots=(root,)) as client:

        def add(path: str) -> int:
            return client.post(f"{API}/shots", json={"path": path}).status_code

        assert [add(str(root / name)) for name in ("a.png", "plate", "plate/s.####.png")] == [201] * 3
        assert [add(str(root / name)) for name in ("../out.png", "link.png", "away", "away/s.####.png")] == [403] * 4
        assert [add(path) for path in ("/etc/passwd", "a.png")] == [403, 422]
        assert [add(str(root / name)) for name in ("list.txt", "none.png")] == [415, 404]
        listed = client.get(f"{API}/shots").json()["items"]
        assert str(root) not in json.dumps(listed)
        place = f"{API}/shots/{listed[2]['id']}/files"
        files = [client.get(f"{place}/{name}").status_code for name in ("a.png", "list.txt", "..%2fout.png")]
        assert files == [200, 404, 404]
    with studio(tmp_path / "other") as client:
        assert client.post(f"{API}/shots", json={"path": str(root / "a.png")}).status_code == 403
