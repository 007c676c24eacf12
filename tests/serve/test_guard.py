"""Who may come in, and who may not."""
from __future__ import annotations

from pathlib import Path

import pytest

from impasto.errors import InputError
from impasto.serve.guard import Guard, Rate, Who, hosts_of, read_token
from impasto.serve.problems import Problem
from impasto.serve.store import Store
from impasto.serve.users import AddUserJob, ListUsersJob, RemoveUserJob

TOKEN = "t" * 40
HERE = {"host": "127.0.0.1:8765"}


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(Store(tmp_path), TOKEN, hosts_of("127.0.0.1", ["studio.lan"]), "impasto_8765", False)


def refused(guard: Guard, method: str, headers: dict[str, str]) -> int:
    with pytest.raises(Problem) as problem:
        guard.admit(method, HERE | headers, "10.0.0.1")
    return problem.value.status


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "studio.lan"])
def test_our_own_names_are_answered(guard: Guard, host: str) -> None:
    guard.check_host({"host": host})


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.7:80", "", "localhost@evil.example", "[::1"])
def test_other_names_are_not(guard: Guard, host: str) -> None:
    with pytest.raises(Problem, match="not the server's"):
        guard.check_host({"host": host})


def test_on_a_network_addresses_are_answered_but_not_every_name(tmp_path: Path) -> None:
    guard = Guard(Store(tmp_path), TOKEN, hosts_of("0.0.0.0", []), "c", False)  # noqa: S104
    guard.check_host({"host": "10.0.0.7:8765"})
    with pytest.raises(Problem):
        guard.check_host({"host": "evil.example"})


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:8765.evil.example"])
def test_other_origins_are_refused(guard: Guard, origin: str) -> None:
    with pytest.raises(Problem, match="origins"):
        guard.check_origin(HERE | {"origin": origin})


def test_our_own_origin_is_not(guard: Guard) -> None:
    guard.check_origin(HERE | {"origin": "http://127.0.0.1:8765"})
    guard.check_origin(HERE | {"sec-fetch-site": "same-origin"})
    with pytest.raises(Problem, match="sites"):
        guard.check_origin(HERE | {"sec-fetch-site": "cross-site"})


def test_a_token_is_needed_and_a_wrong_one_is_slowed_down(guard: Guard) -> None:
    assert refused(guard, "GET", {}) == 401
    assert guard.admit("POST", {"authorization": f"Bearer {TOKEN}"}, "x") == Who("owner", "admin")
    codes = [refused(guard, "GET", {"authorization": "Bearer wrong"}) for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert guard.admit("GET", {"authorization": f"bearer {TOKEN}"}, "10.0.0.1").name == "owner", "the right one is always let in"


def test_keys_have_roles(tmp_path: Path, guard: Guard) -> None:
    keys = {role: AddUserJob(name=role, role=role, store=tmp_path).finish().figures["key"] for role in ("viewer", "artist")}
    assert all(key not in (tmp_path / "studio.db-wal").read_bytes().decode("latin-1") for key in keys.values())
    artist, viewer = ({"authorization": f"Bearer {keys[role]}"} for role in ("artist", "viewer"))
    assert guard.admit("POST", artist, "x").may("artist")
    assert not guard.admit("POST", artist, "x").may("admin")
    assert guard.admit("GET", viewer, "x").name == "viewer"
    assert refused(guard, "POST", viewer) == 403
    assert refused(guard, "GET", {"authorization": artist["authorization"][:-1] + "?"}) == 401
    AddUserJob(name="artist", store=tmp_path).finish()
    assert refused(guard, "GET", artist) == 401, "a new key takes the place of the old one"
    assert [row["name"] for row in ListUsersJob(store=tmp_path).finish().figures["users"]] == ["artist", "viewer"]
    RemoveUserJob(name="viewer", store=tmp_path).finish()
    assert refused(guard, "GET", viewer) == 401
    for name in ("viewer", "owner"):
        with pytest.raises(InputError):
            (RemoveUserJob if name == "viewer" else AddUserJob)(name=name, store=tmp_path).finish()


def test_a_session_needs_its_word_to_change_something(guard: Guard) -> None:
    who, secret = guard.open_session(TOKEN, "x")
    cookie = {"cookie": f"other=1; impasto_8765={secret}"}
    assert guard.admit("GET", cookie, "x") == who
    assert refused(guard, "POST", cookie) == 403
    assert refused(guard, "POST", cookie | {"x-csrf-token": "é"}) == 403
    assert guard.admit("POST", cookie | {"x-csrf-token": guard.csrf(who.session)}, "x") == who
    guard.close_session(who)
    assert refused(guard, "GET", cookie) == 401


def test_a_ticket_opens_one_session(guard: Guard) -> None:
    ticket = guard.ticket()
    assert guard.open_session(ticket, "x")[0].role == "admin"
    with pytest.raises(Problem, match="wrong"):
        guard.open_session(ticket, "x")


def test_rates() -> None:
    now = [0.0]
    rate = Rate(burst=2, per_s=0.5, clock=lambda: now[0], names=2)
    assert [rate.take("a") for _ in range(3)] == [0, 0, 2]
    assert rate.take("b") == 0
    now[0] = 2
    assert rate.take("a") == 0
    rate.take("c")
    assert len(rate._left) == 2, "what is remembered has an end"


def test_a_token_file_is_the_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    token = read_token(file, made=True)
    assert read_token(file, made=True) == token
    assert file.stat().st_mode & 0o077 == 0
    file.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        read_token(file)
    short = tmp_path / "short"
    short.write_text("abc")
    for path in (short, tmp_path / "missing"):
        with pytest.raises(InputError, match=r"make one with python3"):
            read_token(path)
