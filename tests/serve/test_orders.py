"""From what a client asks to a Job: the same fields, and no path that the store does not know."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from impasto.commands import COMMANDS, job_class_of
from impasto.errors import ImpastoError, InputError
from impasto.serve import orders
from impasto.serve.problems import Problem

SHOT, JOB = "shot:00000000000000aa", "job:00000000000000bb"
STORE = {SHOT: "/store/shots/00000000000000aa/a.mov", f"{JOB}/look.style": "/store/jobs/00000000000000bb/out/look.style"}


def path_of(reference: str) -> Path:
    if reference not in STORE:
        raise Problem(404, reference)
    return Path(STORE[reference])


def read(**body: Any) -> orders.Order:
    return orders.read_order(body, path_of)


def test_references_become_paths_and_results_go_into_the_jobs_folder() -> None:
    order = read(job="render", inputs=[SHOT], style=[f"{JOB}/look.style@{SHOT}"], strength=0.5)
    assert order.uses == (JOB, SHOT)
    job = orders.build(order.command, order.asked, path_of, Path("/out"))
    told = job.model_dump()
    assert told["inputs"] == [Path(STORE[SHOT])]
    assert told["style"] == [f"{STORE[f'{JOB}/look.style']}@{STORE[SHOT]}"]
    assert (told["out"], told["overwrite"]) == (Path("/out"), True)
    named = orders.build("render", {"inputs": [SHOT], "out": "a.####.png"}, path_of, Path("/out"))
    assert named.model_dump()["out"] == Path("/out/a.####.png")


def test_a_saved_job_is_what_is_sent() -> None:
    """What `impasto render --dry-run` prints has the fields that the service takes."""
    for command in orders.ORDERS:
        assert command in COMMANDS
        kind = next(each for each in orders.schema()["oneOf"] if each["properties"]["job"]["const"] == command)
        assert set(kind["properties"]) == {*job_class_of(command).model_fields, "job"} - {"overwrite"}


PATHS = ["/etc/passwd", "../x.png", "a/../../b", "C:\\x", "~/x.png", "a\0b", "http://10.0.0.1/x.png", ".."]


@pytest.mark.parametrize("text", PATHS)
def test_no_field_of_any_job_takes_a_path(text: str) -> None:
    tried = 0
    for command in orders.ORDERS:
        for name, field in job_class_of(command).model_fields.items():
            if orders._kind(name, field.annotation) == "plain":
                continue
            tried += 1
            for value in ([text], text, [f"x={text}"], f"great-wave@{text}"):
                with pytest.raises(InputError, match=r"files are named as|results lie in"):
                    orders.build(command, {name: value}, path_of, Path("/out"))
    assert tried > 30, "fields that may hold a path are known as such"


def test_texts_that_are_never_opened_may_hold_anything() -> None:
    plain = {
        (command, name)
        for command in orders.ORDERS
        for name, field in job_class_of(command).model_fields.items()
        if field.annotation is str and orders._kind(name, field.annotation) == "plain"
    }
    assert {name for _, name in plain} == {"title", "author", "licence", "look_licence", "colour_in", "colour_out"}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"job": "doctor"}, "choose one of render"),
        ({}, "choose one of render"),
        ({"job": "render"}, "inputs is missing"),
        ({"job": "render", "inputs": [SHOT], "strength": 7}, "strength is"),
        ({"job": "render", "inputs": [SHOT], "bogus": 1}, "unknown field 'bogus'"),
        ({"job": "render", "inputs": [SHOT], "sound": "tcp:10.0.0.1"}, "sound is"),
        ({"job": "render", "inputs": ["shot:00000000000000ff"]}, "shot:00000000000000ff"),
    ],
)
def test_what_cannot_be_is_refused_at_once(body: dict[str, Any], part: str) -> None:
    with pytest.raises((ImpastoError, Problem), match=part):
        read(**body)
