"""The shared link to one Redis: getting in, order, bounds."""

import asyncio
import contextlib
import datetime
import os
import signal
import ssl
from collections.abc import AsyncIterator

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from trivium_common.redis.link import ErrorReply, Unanswered
from trivium_common.redis.links import Links, open_links
from trivium_common.redis.wire import pack


@contextlib.asynccontextmanager
async def running(url: str, **options) -> AsyncIterator[Links]:
    links = open_links(url, **options)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(links.run())
        await links.wait_ready(10)
        yield links
        run.cancel()


async def ask(links: Links, *parts: bytes):
    future = asyncio.get_running_loop().create_future()
    assert links.send_nowait(b"", pack(parts), future.set_result)
    return await future


async def test_acl_user_and_database_of_the_url_are_used(start_valkey):
    server = start_valkey(config={"user": "ada on >secret ~* +@all"})
    async with running(f"redis://ada:secret@127.0.0.1:{server.port}/7", timeout_s=10) as links:
        assert await ask(links, b"ACL", b"WHOAMI") == b"ada"
        assert b" db=7 " in await ask(links, b"CLIENT", b"INFO")


async def test_least_privileges_that_limits_need_are_enough(start_valkey):
    rights = "resetkeys ~trivium:* -@all +evalsha +eval +script|load +get +set +time +llen +lindex +lrange"
    server = start_valkey(config={"user": f"edge on >secret {rights} +ltrim +rpush +pexpire +del"})
    async with running(f"redis://edge:secret@127.0.0.1:{server.port}", timeout_s=10) as links:
        assert links.snapshot()["is_up"]
        assert await ask(links, b"EVAL", b"return redis.call('GET', KEYS[1])", b"1", b"trivium:x") is None
        refused = await ask(links, b"GET", b"secrets")
        assert refused.code == "NOPERM"


async def test_wrong_password_leaves_the_link_down_and_says_why(start_valkey):
    server = start_valkey()
    with redis.Redis(port=server.port) as client:
        client.config_set("requirepass", "right")
    async with running(f"redis://:wrong@127.0.0.1:{server.port}") as links:
        snapshot = links.snapshot()
        assert not snapshot["is_up"]
        assert "WRONGPASS" in str(snapshot) or "invalid username-password" in str(snapshot)
        assert "wrong@" not in str(snapshot)
        assert not links.send_nowait(b"", pack([b"PING"]), print)


async def test_unix_socket_leads_to_a_server(start_valkey, tmp_path):
    start_valkey(unix_socket_path=tmp_path / "valkey.sock")
    async with running(f"unix://{tmp_path}/valkey.sock?db=3", timeout_s=10) as links:
        assert await ask(links, b"PING") == b"PONG"


async def test_tls_is_spoken_and_an_unknown_authority_is_refused(start_valkey, tmp_path):
    server = start_valkey()
    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with contextlib.AsyncExitStack() as stack:
        relay = await asyncio.start_server(relay_to(server.port), "127.0.0.1", 0, ssl=context)
        stack.push_async_callback(close, relay)
        port = relay.sockets[0].getsockname()[1]
        url = f"rediss://localhost:{port}"
        links = await stack.enter_async_context(running(f"{url}?ssl_ca_certs={certificate}", timeout_s=10))
        assert await ask(links, b"PING") == b"PONG"
        stranger = await stack.enter_async_context(running(url))
        assert "CERTIFICATE_VERIFY_FAILED" in str(stranger.snapshot())


async def close(relay: asyncio.Server) -> None:
    relay.close()


def relay_to(port: int):
    """What a TLS front before a plain server does."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, upstream_writer))
            group.create_task(pump(upstream_reader, writer))

    return serve


def make_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


async def test_calls_of_one_tick_are_answered_in_order_and_share_few_writes(start_valkey):
    server = start_valkey()
    async with running(server.connection_url, timeout_s=10) as links:
        before = await reads_of(links)
        futures = []
        for n in range(1000):
            future = asyncio.get_running_loop().create_future()
            links.send_nowait(b"", pack([b"ECHO", b"%d" % n]), future.set_result)
            futures.append(future)
        assert [await future for future in futures] == [b"%d" % n for n in range(1000)]
        assert await reads_of(links) - before < 20


async def reads_of(links: Links) -> int:
    stats = await ask(links, b"INFO", b"stats")
    return int(stats.partition(b"total_reads_processed:")[2].split()[0])


async def test_more_calls_than_may_wait_are_turned_down_at_once(start_valkey):
    server = start_valkey()
    async with running(server.connection_url, timeout_s=0.2, max_pending=10) as links:
        os.kill(server._process.pid, signal.SIGSTOP)
        replies = []
        sent = [links.send_nowait(b"", pack([b"PING"]), replies.append) for _ in range(15)]
        assert sent == [True] * 10 + [False] * 5
        async with asyncio.timeout(10):
            while len(replies) < 10:  # noqa: ASYNC110 - settled by a timer
                await asyncio.sleep(0.01)
        assert all(isinstance(reply, Unanswered) for reply in replies)


async def test_error_replies_arrive_as_values_with_their_code(start_valkey):
    async with running(start_valkey().connection_url, timeout_s=10) as links:
        reply = await ask(links, b"EVALSHA", b"0" * 40, b"0")
        assert isinstance(reply, ErrorReply)
        assert reply.code == "NOSCRIPT"


async def test_server_that_closes_idle_connections_is_connected_again_unseen(start_valkey):
    server = start_valkey()
    async with running(server.connection_url, timeout_s=10) as links:
        await ask(links, b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes")
        for _ in range(3):
            mine = await ask(links, b"CLIENT", b"ID")
            async with asyncio.timeout(10):
                while isinstance(reply := await kill_and_ask(links, mine), Unanswered):
                    pass
            assert reply == b"PONG"


async def kill_and_ask(links: Links, client_id: int):
    future = asyncio.get_running_loop().create_future()
    links.send_nowait(b"", pack([b"CLIENT", b"KILL", b"ID", b"%d" % client_id]), future.set_result)
    await future
    again = asyncio.get_running_loop().create_future()
    if not links.send_nowait(b"", pack([b"PING"]), again.set_result):
        await asyncio.sleep(0.01)
        return Unanswered("the link is down for a moment")
    return await again


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$-9\r\n", b"\x00\x01\x02"])
async def test_a_server_that_does_not_speak_redis_is_left_alone(garbage):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(garbage)
        writer.close()

    relay = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = relay.sockets[0].getsockname()[1]
    async with running(f"redis://127.0.0.1:{port}") as links:
        assert not links.snapshot()["is_up"]
    relay.close()
