"""The pooled client against peers that behave and peers that do not."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from gateway.subgraphs import Bounds, ServerEvent, SubgraphError, Subgraphs, Target
from gateway.subgraphs.events import EventReader
from tests.gateway.edge.scripted import Peer, scripted

QUICK = Bounds(connect=1.0, total=0.3, reply_bytes=1000)


async def ask(client: Subgraphs, *, repeatable: bool = True) -> bytes:
    reply = await client.post("things", b"{}", {"x-viewer": "v"}, repeatable=repeatable)
    return reply.take()


async def answer_for_ever(peer: Peer) -> None:
    while True:
        _, body = await peer.request()
        await peer.reply(body)


async def test_one_connection_serves_requests_that_follow_each_other() -> None:
    async with scripted(answer_for_ever) as script:
        client = Subgraphs({"things": script.url})

        answers = [await ask(client) for _ in range(5)]

        assert answers == [b"{}"] * 5
        assert script.connections == 1
        await client.close()


async def test_requests_at_once_each_get_their_own_connection_up_to_the_bound() -> None:
    async with scripted(answer_for_ever) as script:
        client = Subgraphs({"things": script.url}, Bounds(connections=3))

        answers = await asyncio.gather(*(ask(client) for _ in range(20)))

        assert answers == [b"{}"] * 20
        assert script.connections <= 3
        await client.close()


async def test_the_request_carries_path_headers_and_length() -> None:
    seen: list[str] = []

    async def talk(peer: Peer) -> None:
        head, body = await peer.request()
        seen.append(head)
        await peer.reply(body)

    async with scripted(talk) as script:
        client = Subgraphs({"things": script.url})
        await ask(client)
        await client.close()

    assert seen[0].startswith("POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:")
    assert "\r\nx-viewer: v\r\n" in seen[0]
    assert "\r\ncontent-type: application/json\r\ncontent-length: 2\r\n" in seen[0]


async def test_a_chunked_reply_is_put_together() -> None:
    async def talk(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":')
            await peer.send(b"\r\n2\r\n1}\r\n0\r\n\r\n")

    async with scripted(talk) as script:
        client = Subgraphs({"things": script.url})

        assert [await ask(client), await ask(client)] == [b'{"a":1}'] * 2
        assert script.connections == 1
        await client.close()


async def test_a_reply_that_ends_with_its_connection_is_whole() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    async with scripted(talk) as script:
        client = Subgraphs({"things": script.url})

        assert [await ask(client), await ask(client)] == [b"all of it"] * 2
        assert script.connections == 2


async def test_connection_close_is_obeyed() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.reply(b"bye", headers="connection: close\r\n")
        await peer.gone()

    async with scripted(talk) as script:
        client = Subgraphs({"things": script.url})

        assert [await ask(client), await ask(client)] == [b"bye"] * 2
        assert script.connections == 2


async def test_an_interim_reply_is_skipped() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
        await peer.reply(b"real")

    async with scripted(talk) as script:
        assert await ask(Subgraphs({"things": script.url})) == b"real"


async def close_after_first(peer: Peer) -> None:
    """Answers once a connection, then closes upon the second request without a word."""
    _, body = await peer.request()
    await peer.reply(body)
    await peer.request()


async def test_a_query_is_repeated_once_when_the_kept_connection_was_closed() -> None:
    async with scripted(close_after_first) as script:
        client = Subgraphs({"things": script.url})

        assert [await ask(client), await ask(client)] == [b"{}"] * 2
        assert script.connections == 2
        await client.close()


async def test_a_mutation_is_never_sent_twice() -> None:
    async with scripted(close_after_first) as script:
        client = Subgraphs({"things": script.url})
        await ask(client)

        with pytest.raises(SubgraphError, match="closed while idle"):
            await ask(client, repeatable=False)

        assert script.connections == 1
        await client.close()


async def test_a_failure_on_a_new_connection_is_not_repeated() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()

    async with scripted(talk) as script:
        with pytest.raises(SubgraphError, match="in the middle of a reply"):
            await ask(Subgraphs({"things": script.url}))
        assert script.connections == 1


async def test_a_cut_reply_is_a_failure() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")

    async with scripted(talk) as script:
        with pytest.raises(SubgraphError, match="in the middle of a reply"):
            await ask(Subgraphs({"things": script.url}))


async def test_bytes_that_are_no_http_are_a_failure() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"SSH-2.0-hello\r\n")

    async with scripted(talk) as script:
        with pytest.raises(SubgraphError, match="not an HTTP reply"):
            await ask(Subgraphs({"things": script.url}))


async def test_a_silent_peer_times_out_and_its_connection_is_dropped() -> None:
    left = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.gone()
        left.set()

    async with scripted(talk) as script:
        with pytest.raises(SubgraphError, match="in time"):
            await ask(Subgraphs({"things": script.url}, QUICK))
        async with asyncio.timeout(2):
            await left.wait()


async def test_a_mutation_is_given_more_time_than_a_query() -> None:
    async def talk(peer: Peer) -> None:
        _, body = await peer.request()
        await asyncio.sleep(1.5 * QUICK.total)
        await peer.reply(body)

    async with scripted(talk) as script:
        client = Subgraphs({"things": script.url}, QUICK)

        assert await ask(client, repeatable=False) == b"{}"
        with pytest.raises(SubgraphError, match="in time"):
            await ask(client)


async def test_nobody_listening_is_a_failure() -> None:
    async with scripted(answer_for_ever) as script:
        url = script.url
    with pytest.raises(SubgraphError, match="no connection"):
        await ask(Subgraphs({"things": url}))


async def test_an_unknown_subgraph_is_a_failure() -> None:
    with pytest.raises(SubgraphError, match="has no address"):
        await ask(Subgraphs({}))


async def test_a_reply_beyond_the_bound_is_refused() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.reply(b"x" * 5000)

    async with scripted(talk) as script:
        with pytest.raises(SubgraphError, match="more than 1000 bytes"):
            await ask(Subgraphs({"things": script.url}, QUICK))


def test_a_header_cannot_break_out_of_its_line() -> None:
    with pytest.raises(ValueError, match="line break"):
        Target.parse("http://h/").post(b"", {"x-request-id": "a\r\nx-viewer: forged"})


@pytest.mark.parametrize("url", ["ftp://h/", "http://", "identity:4101"])
def test_an_address_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL"):
        Target.parse(url)


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def test_a_stream_is_read_event_by_event_to_its_end() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM + chunk(b': hello\n\nevent: next\ndata: {"n":1}\n\nev'))
        await peer.send(
            chunk(b'ent: next\ndata: {"n":2}\n\nevent: complete\ndata:\n\n') + b"0\r\n\r\n"
        )

    async with scripted(talk) as script:
        client = Subgraphs({"things": script.url})

        events = [event async for event in client.stream("things", b"{}", {})]

    assert events == [
        ServerEvent("next", '{"n":1}'),
        ServerEvent("next", '{"n":2}'),
        ServerEvent("complete", ""),
    ]


async def test_leaving_a_stream_closes_its_connection() -> None:
    left = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM + chunk(b"event: next\ndata: 1\n\n"))
        await peer.gone()
        left.set()

    async with scripted(talk) as script:
        async with aclosing(
            Subgraphs({"things": script.url}).stream("things", b"{}", {})
        ) as events:
            assert await anext(events) == ServerEvent("next", "1")
        async with asyncio.timeout(2):
            await left.wait()


async def test_a_stream_that_breaks_off_is_a_failure() -> None:
    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM + chunk(b"event: next\ndata: 1\n\n"))

    async with scripted(talk) as script:
        events = Subgraphs({"things": script.url}).stream("things", b"{}", {})
        assert await anext(events) == ServerEvent("next", "1")
        with pytest.raises(SubgraphError, match="in the middle"):
            await anext(events)


async def test_an_answer_that_is_no_stream_is_a_failure() -> None:
    async with scripted(answer_for_ever) as script:
        with pytest.raises(SubgraphError, match="no stream: status 200"):
            await anext(Subgraphs({"things": script.url}).stream("things", b"{}", {}))


async def test_a_slow_reader_of_a_stream_slows_the_sender_down() -> None:
    many = 40

    async def talk(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM)
        for number in range(many):
            await peer.send(chunk(b"data: " + b"%d" % number + b"x" * 60_000 + b"\n\n"))
        await peer.send(b"0\r\n\r\n")

    async with scripted(talk) as script:
        got = []
        async for event in Subgraphs({"things": script.url}).stream("things", b"{}", {}):
            got.append(int(event.data.rstrip("x")))
            await asyncio.sleep(0)

    assert got == list(range(many))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_wherever_the_pieces_end(size: int) -> None:
    text = b"event: next\r\ndata: a\r\ndata: b\r\n\r\n:ping\n\nid: 4\ndata:c\n\revent: end\r\r".replace(
        b"\n\revent", b"\n\nevent"
    )
    reader = EventReader()

    events = [e for i in range(0, len(text), size) for e in reader.feed(text[i : i + size])]
    events += reader.feed(b"\n")

    assert events == [
        ServerEvent("next", "a\nb"),
        ServerEvent("message", "c"),
        ServerEvent("end", ""),
    ]
