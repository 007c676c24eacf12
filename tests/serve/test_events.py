"""Events: heard in order, and again after a break."""
from __future__ import annotations

import asyncio

from impasto.serve.events import MOST_UNREAD, Event, Events


def heard(events: Events, after: str, count: int, then: int = 0) -> list[Event]:
    async def listen() -> list[Event]:
        found = []
        listening = events.listen(after)
        async for event in listening:
            found.append(event)
            if len(found) == count - then:
                for number in range(then):
                    events.publish("job", {"n": number})
            if len(found) == count:
                break
        await listening.aclose()  # type: ignore[attr-defined]
        return found

    return asyncio.run(asyncio.wait_for(listen(), 5))


def test_a_new_listener_is_told_to_read_everything() -> None:
    first, second = heard(Events(), "", 2, then=1)
    assert (first.kind, second.kind, second.data) == ("reset", "job", {"n": 0})


def test_who_was_cut_off_goes_on_where_it_stopped() -> None:
    events = Events()
    for number in range(4):
        events.publish("job", {"n": number})
    assert [event.data for event in heard(events, f"{events.life}-2", 2)] == [{"n": 2}, {"n": 3}]
    for stranger in ("other-1", f"{events.life}-99", f"{events.life}-x", "-"):
        assert heard(events, stranger, 1)[0].kind == "reset"


def test_who_does_not_read_is_cut_off_and_the_rest_ends_with_the_server() -> None:
    events = Events()

    async def listen() -> int:
        listening, count = events.listen(), 0
        await anext(listening)
        assert events.listeners == 1
        for _ in range(MOST_UNREAD + 10):
            events.publish("job", {})
        async for _ in listening:
            count += 1
        return count

    assert asyncio.run(listen()) < MOST_UNREAD
    assert events.listeners == 0

    async def last() -> list[str]:
        listening = events.listen()
        await anext(listening)
        events.close()
        return [event.kind async for event in listening]

    assert asyncio.run(last()) == []
