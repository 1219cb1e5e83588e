"""A headset's page as a source of readings: by a plain client that knows the protocol."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from recorders.devices.controller import FRESH_AFTER_S, Pulse
from recorders.devices.page import BUSY, STALE_S
from recorders.devices.web import server
from recorders.devices.web.headset import NoNetwork, WebHeadset, own_address
from recorders.devices.web.server import CannotServe
from recorders.operators.controller.clutch import Clutch, Hold
from tests.devices.web.heard import Heard
from tests.devices.web.test_parts import TOLD

ANYONE = ssl.create_default_context()
ANYONE.check_hostname, ANYONE.verify_mode = False, ssl.CERT_NONE


class Client:
    """Speaks to the socket as the page does; its clock is an hour behind."""

    def __init__(self, address: str, **headers: str) -> None:
        self.code: int | None = None
        self._loop = asyncio.new_event_loop()
        try:
            self._loop.run_until_complete(self._connect(address.replace("https", "wss") + "hands", headers))
        except BaseException:
            self._loop.close()
            raise

    async def _connect(self, address: str, headers: dict[str, str]) -> None:
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(address, ssl=ANYONE, headers=headers)
        except BaseException:
            await self._session.close()
            raise

    @staticmethod
    def now() -> float:
        return 1e3 * (time.perf_counter() - 3600)

    def say(self, **message: Any) -> None:
        self._loop.run_until_complete(self._socket.send_json(message))

    def say_text(self, text: str) -> None:
        self._loop.run_until_complete(self._socket.send_str(text))

    def hand(self, late_ms: float = 0.0, **more: Any) -> None:
        self.say(at=self.now() - late_ms, hands={"right": {**TOLD, **more}})

    def listen(self, seconds: float = 0.1) -> list[dict[str, Any]]:
        """Answer questions for a while; gives what else was said."""
        return self._loop.run_until_complete(self._listen(time.monotonic() + seconds))

    async def _listen(self, until: float) -> list[dict[str, Any]]:
        other: list[dict[str, Any]] = []
        while (left := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._socket.receive(), left)
            except TimeoutError:
                break
            if message.type is aiohttp.WSMsgType.CLOSE or self._socket.closed:
                self.code = self._socket.close_code
                break
            said = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {"picture": message.data}
            if "ask" in said:
                await self._socket.send_json({"answer": said["ask"], "at": self.now()})
            else:
                other.append(said)
        return other

    def cut(self) -> None:
        self._loop.run_until_complete(self._socket.close())

    def close(self) -> None:
        self._loop.run_until_complete(self._session.close())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


@pytest.fixture
def connect(heard: Heard) -> Iterator[Callable[[], Client]]:
    made: list[Client] = []

    def run() -> Client:
        made.append(Client(heard.source.address))
        made[-1].listen(0.6)
        return made[-1]

    yield run
    for client in made:
        client.close()


# Who is let in.


def asked(address: str, **headers: str) -> int:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, context=ANYONE, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_without_the_secret_nobody_gets_anything(heard: Heard) -> None:
    address = heard.source.address
    root = address[: address.rstrip("/").rindex("/") + 1]
    assert asked(address) == 200
    for wrong in (root, root + "hands", root + "a" * 10 + "/", root + "a" * 10 + "/hands", address + "more"):
        assert asked(wrong) == 403
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        Client(root + "a" * 10 + "/")
    assert asked(address, Host="evil.example") == 403
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        Client(address, Origin="https://evil.example")
    heard.says("did not know the secret")
    assert not heard.samples


def sent(address: str, request: bytes) -> bytes:
    """The beginning of the answer to whatever this is."""
    port = int(address.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, ANYONE.wrap_socket(plain) as link:
        link.sendall(request)
        return link.recv(100)


def test_what_is_no_request_is_told_without_the_secret_and_writes_nothing_on_the_terminal(
    heard: Heard, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = heard.source.address.split("/")[3].encode()
    for request in (
        b"GET /\xff/ HTTP/1.1\r\n\r\n",
        b"GET /" + secret * 1000 + b"/ HTTP/1.1\r\n\r\n",
        b"\x00\x01\r\n\r\n",
    ):
        assert b" 400 " in sent(heard.source.address, request)
    assert b" 403 " in sent(heard.source.address, b"GET /" + secret + b"/ HTTP/1.1\r\nHost: [x\r\n\r\n")
    heard.until(lambda: any("LineTooLong" in text for text in heard.said), "what is wrong")
    said = [*heard.said, capfd.readouterr().err]
    assert not any(secret.decode() in text for text in said)
    assert said[-1] == ""


def test_strangers_who_only_connect_leave_room_and_nothing_behind(
    heard: Heard, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_LINKS", 3)
    port = int(heard.source.address.split(":")[2].split("/")[0])
    with ExitStack() as stack:
        for _ in range(4):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            link = stack.enter_context(ANYONE.wrap_socket(plain))
        assert link.recv(1) == b"", "the fourth is one too many"
        stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))  # and says nothing
        time.sleep(0.2)
        heard.source.close()
        gc.collect()
    assert capfd.readouterr().err == ""


def test_it_is_encrypted_with_the_certificate_whose_fingerprint_is_told(heard: Heard) -> None:
    port = int(heard.source.address.split(":")[2].split("/")[0])
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port), timeout=10))
    assert heard.source.fingerprint == sha256(shown).digest().hex(":").upper()
    with pytest.raises(OSError):
        urllib.request.urlopen(heard.source.address.replace("https", "http"), timeout=10)


def test_other_machines_reach_it_only_if_that_was_asked_for(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        own = own_address()
    except NoNetwork:
        pytest.skip("this machine is in no network")
    port = int(heard.source.address.split(":")[2].split("/")[0])
    with pytest.raises(OSError), socket.create_connection((own, port), timeout=5):
        pass
    open_ = WebHeadset("right", lan=True, port=0)
    open_.open()
    try:
        assert f"https://{own}:" in open_.address
        assert asked(open_.address) == 200
        assert asked(open_.address.rstrip("/")[:-1] + "/") == 403
    finally:
        open_.close()


def test_a_port_that_is_taken_is_named(heard: Heard) -> None:
    port = int(heard.source.address.split(":")[2].split("/")[0])
    with pytest.raises(CannotServe, match=f"port {port}: .*--page-port"):
        WebHeadset("right", port=port).open()


def test_a_second_page_is_refused_and_the_first_one_goes_on(heard: Heard, connect: Callable[[], Client]) -> None:
    first = connect()
    first.hand()
    heard.until(lambda: heard.sound, "a reading")
    second = connect()
    assert second.code == BUSY
    heard.says("A second page")
    count = len(heard.samples)
    first.hand()
    heard.until(lambda: len(heard.samples) > count, "the first goes on")
    assert heard.sound


def test_a_page_that_is_silent_lets_go_is_told_and_may_be_replaced(heard: Heard, connect: Callable[[], Client]) -> None:
    first = connect()
    first.hand()
    heard.until(lambda: heard.sound, "a reading")
    heard.says("says nothing: the arm stands", within_s=3 * STALE_S)
    first.listen(0.1)
    heard.says("speaks again")
    heard.says("says nothing: the arm stands", within_s=3 * STALE_S)
    second = connect()
    heard.says("page is gone")
    assert not heard.sound
    second.hand()
    heard.until(lambda: heard.sound, "the second drives")


# What it says.


def test_readings_have_the_time_they_were_made_at(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    client.hand(late_ms=80.0)
    heard.until(lambda: heard.sound, "a reading")
    assert heard.samples[-1].position == (0.1, 1.2, -0.3)
    age = time.perf_counter() - heard.samples[-1].time
    assert 0.08 - 0.05 < age < 1.0
    client.hand(late_ms=-5000.0)
    heard.until(lambda: len([sample for sample in heard.samples if sample.sound]) == 2, "another")
    assert heard.samples[-1].time <= time.perf_counter(), "none is from the future"


def test_late_readings_drive_nothing_and_that_is_told(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    heard.take()
    for _ in range(3):
        client.hand(late_ms=1000.0)
    heard.says("late: the arm stands")
    assert not any(sample.sound for sample in heard.samples)
    client.hand()
    heard.says("in time again")
    assert heard.sound


def test_a_recentred_page_is_lost_later_than_all_its_readings(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    client.hand(late_ms=-50.0)
    client.say(reset=True)
    heard.says("recentred")
    reading, lost = heard.samples[-2:]
    assert reading.sound
    assert not lost.sound
    assert lost.time > reading.time


def test_on_a_recentred_page_only_a_new_squeeze_drives(heard: Heard, connect: Callable[[], Client]) -> None:
    client, clutch = connect(), Clutch()

    def shows(squeeze: float) -> Hold:
        heard.samples.clear()
        client.hand(buttons=[0.25, squeeze])
        heard.until(lambda: bool(heard.samples), "a reading")
        for sample in heard.samples:
            clutch.see(sample)
        return clutch.hold

    heard.take()
    assert [shows(squeeze) for squeeze in (0.0, 1.0)] == [Hold.FREE, Hold.DRIVING]
    client.say(reset=True)
    heard.says("recentred")
    assert shows(1.0) is Hold.LOST
    client.listen(FRESH_AFTER_S + 0.1)
    assert [shows(squeeze) for squeeze in (1.0, 0.0, 1.0)] == [Hold.FREE, Hold.FREE, Hold.DRIVING]


def test_a_jam_is_not_driven_through_afterwards(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    for _ in range(10):
        client.hand()
        time.sleep(0.05)
    heard.take()
    sound = [sample for sample in heard.samples if sample.sound]
    assert 1 <= len(sound) <= 4, "of half a second the last 150 ms"


def test_a_cut_connection_lets_go_at_once_and_is_told(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    client.hand()
    heard.until(lambda: heard.sound, "a reading")
    client.cut()
    heard.says("page is gone: the arm stands", within_s=5)
    assert not heard.sound


def test_what_is_no_message_is_no_reading(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    heard.take()
    before = len(heard.samples)
    for text in (
        "",
        "{",
        "[" * 8000,
        "[]",
        "3",
        '{"hands": 3}',
        '{"at": "x", "hands": {}}',
        '{"at": 1e999, "hands": {}}',
        "{}",
    ):
        client.say_text(text)
    client.say(answer=None, at="x")
    client.say(state="\n\x1b[31mred", profile="\x1b[31m")
    client.hand()
    heard.until(lambda: heard.sound, "a reading")
    assert not any(sample.sound for sample in heard.samples[before:-1])
    assert not any("\x1b" in text for text in [*heard.said, heard.source.name])


def test_a_page_hears_pulses_words_bells_and_sees_pictures(heard: Heard, connect: Callable[[], Client]) -> None:
    client = connect()
    heard.source.pulse(Pulse(0.5, 0.03))
    heard.source.tell("RECORDING", ["saved episode 3"])
    heard.source.ring(good=True)
    heard.source.show({"overhead_cam": np.zeros((8, 8, 3), np.uint8), "wrist_cam": np.zeros((8, 8, 3), np.uint8)})
    said = client.listen(0.5)
    assert {"pulse": ["right", 0.5, 30.0]} in said
    assert {"look": {"now": "RECORDING", "lines": ["saved episode 3"]}} in said
    assert {"ring": "good"} in said
    pictures = [message["picture"] for message in said if "picture" in message]
    assert [data[1 : 1 + data[0]] for data in pictures] == [b"overhead_cam"], "the next one waits for a word"
    client.say(shown="overhead_cam")
    assert [message["picture"][1:10] for message in client.listen(0.5) if "picture" in message] == [b"wrist_cam"]
