"""A headless Chromium, driven through its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.devices.programs import CHROMIUM
from tests.devices.pseudo import eventually

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1000,760",
]
CODES = {"left": ("ArrowLeft", "ArrowLeft"), "enter": ("Enter", "Enter"), "space": (" ", "Space")}


class Tab:
    """One page of the browser."""

    def __init__(self, browser: Browser, target: str) -> None:
        self._browser, self.target = browser, target
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def call(self, method: str, **parameters: Any) -> Any:
        return self._browser.call(method, self._session, **parameters)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        eventually(lambda: self.run("document.readyState") == "complete", f"{url} is there")

    def run(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def down(self, key: str, *, repeat: bool = False) -> None:
        self._key("keyDown", key, autoRepeat=repeat)

    def up(self, key: str) -> None:
        self._key("keyUp", key)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def front(self) -> None:
        self._browser.call("Target.activateTarget", targetId=self.target)

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self.target)
        eventually(lambda: self.target not in self._browser.targets(), "the tab is closed")

    def _key(self, kind: str, key: str, **more: Any) -> None:
        name, code = CODES.get(key, (key, f"Key{key.upper()}"))
        self.call("Input.dispatchKeyEvent", type=kind, key=name, code=code, **more)


class Browser:
    """Chromium, started with an empty profile, and more flags if needed."""

    def __init__(self, profile: Path, flags: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._loop = asyncio.new_event_loop()
        self._number = 0
        port = profile / "DevToolsActivePort"
        try:
            eventually(lambda: port.exists() and port.read_text().count("\n") >= 1, "Chromium", within_s=30)
            number, path = port.read_text().split()
            self._loop.run_until_complete(self._connect(f"ws://127.0.0.1:{number}{path}"))
        except BaseException:
            self.close()
            raise

    async def _connect(self, url: str) -> None:
        self._client = aiohttp.ClientSession()
        self._socket = await self._client.ws_connect(url, max_msg_size=0)

    def call(self, method: str, session: str = "", **parameters: Any) -> Any:
        """One command; gives its result."""
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, session, parameters), 20))

    async def _call(self, method: str, session: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        number = self._number
        more = {"sessionId": session} if session else {}
        await self._socket.send_json({"id": number, "method": method, "params": parameters, **more})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def tab(self) -> Tab:
        return Tab(self, self.call("Target.createTarget", url="about:blank")["targetId"])

    def targets(self) -> set[str]:
        return {target["targetId"] for target in self.call("Target.getTargets")["targetInfos"]}

    def stop(self, process: bool = True) -> None:
        """Freeze every process of the browser, as a laptop that is closed."""
        os.killpg(self._process.pid, signal.SIGSTOP if process else signal.SIGCONT)

    def close(self) -> None:
        if hasattr(self, "_client"):
            self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def chromium(profile: Path, flags: Sequence[str] = ()) -> Iterator[Browser]:
    browser = Browser(profile, flags)
    try:
        yield browser
    finally:
        browser.close()
