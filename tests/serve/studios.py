"""A studio to test with: its store in a folder, no worker unless asked for, pictures made in this process."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from impasto.serve.app import create_app
from impasto.serve.easel import Easel
from impasto.serve.service import Service, Settings
from impasto.serve.store import Store

TOKEN = "a-token-of-more-than-thirty-two-letters"  # noqa: S105  of a test
HOST = "127.0.0.1:8765"
FAKE = (sys.executable, "-S", str(Path(__file__).with_name("fake_worker.py")))


def service_in(folder: Path, **settings: Any) -> Service:
    """A service that is not started; its workers are fakes."""
    wanted = Settings(**{"token": TOKEN, "workers": 0, **settings})
    return Service(Store(folder), wanted, Easel(folder, lambda: ThreadPoolExecutor(1)), FAKE)


@contextmanager
def studio(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """The app of a service that runs, asked by its owner."""
    service = service_in(folder, **settings)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(service), f"http://{HOST}", headers=headers, raise_server_exceptions=False) as client:
        yield client


def upload(client: TestClient, path: Path, name: str = "") -> dict[str, Any]:
    """Send a file, and what the service says of it."""
    data = path.read_bytes()
    name = name or path.name
    shot = client.post("/api/v1/shots", json={"files": [{"name": name, "size": len(data)}]}).json()
    file = shot["files"][0]["name"]
    client.patch(f"/api/v1/shots/{shot['id']}/files/{file}", content=data, headers={"Upload-Offset": "0"})
    told: dict[str, Any] = client.get(f"/api/v1/shots/{shot['id']}").json()
    return told
