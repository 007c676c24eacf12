"""The files that put the studio where it runs: they parse, start what there is, and give nothing away."""
from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from pathlib import Path

import pytest

from impasto import cli

PLACE = Path(__file__).parents[2] / "integrations" / "serve"
INSTRUCTIONS = {
    "FROM", "ARG", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
}  # fmt: skip


def test_the_unit_starts_the_server_and_stops_it_cleanly(capsys: pytest.CaptureFixture[str]) -> None:
    sections: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in (PLACE / "impasto.service").read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif line and not line.startswith("#"):
            name, sign, value = line.partition("=")
            assert section
            assert sign
            assert re.fullmatch(r"[A-Z]\w+", name), line
            sections[section][name].append(value)
    assert list(sections) == ["Unit", "Service", "Install"]
    service = sections["Service"]
    command = shlex.split(service["ExecStart"][0])
    assert cli.main([*command[1:], "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["job"], told["browser"], told["log"]) == ("serve", False, "json")
    assert told["tls_cert"], "it answers to a network"
    assert service["User"] != ["root"]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["KillMode"] == ["mixed"], "the server alone is asked to stop, and asks its workers"
    assert told["store"].startswith("/var/lib/" + service["StateDirectory"][0])


def test_the_image_runs_as_nobody_much(capsys: pytest.CaptureFixture[str]) -> None:
    text = re.sub(r"\\\n", " ", (PLACE / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    steps = [(line.split()[0], line.partition(" ")[2]) for line in lines]
    assert {name for name, _ in steps} <= INSTRUCTIONS
    last = dict(steps)
    assert last["USER"] not in ("root", "0")
    copied = next(value for name, value in steps if name == "COPY" and "pyproject.toml" in value).split()[:-1]
    assert all((PLACE.parents[1] / name).exists() for name in copied)
    words = json.loads(last["CMD"])
    assert json.loads(last["ENTRYPOINT"]) == ["impasto"]
    assert cli.main([*words, "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert str(told["port"]) == last["EXPOSE"]
    assert f"127.0.0.1:{told['port']}/readyz" in last["HEALTHCHECK"]
    assert told["store"].startswith(last["VOLUME"])
