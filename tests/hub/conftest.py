"""One test Hub a session and mode, and the commands that talk to it, in processes of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from curation.hub.calls import Hub, Kind
from tests.end_to_end.commands import Commands
from tests.hub.server import HubServer

TOKEN, READER, STRANGER = "hf_alicewritestoken", "hf_alicereadstoken", "hf_bobwritestoken"


@dataclass
class Ours:
    """A Hub with alice, who may write or only read, and bob.

    Attributes:
        server: empty, with no faults planted.
        waits: seconds that the last repository would have waited.
    """

    server: HubServer
    waits: list[float]

    def repo(self, name: str = "alice/set", token: str | None = TOKEN, kind: Kind = "dataset") -> Hub:
        """A repository whose waits take no time."""
        return Hub(name, kind, token=token, endpoint=self.server.endpoint, wait=self.waits.append)

    def commands(self, home: Path, token: str = TOKEN) -> Commands:
        """Commands that know this Hub and nothing of this machine's accounts."""
        more = {
            "HF_ENDPOINT": self.server.endpoint, "HF_TOKEN": token, "HF_HUB_OFFLINE": "0", "NO_PROXY": "*",
            "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **({} if self.server.xet else {"HF_HUB_DISABLE_XET": "1"}),
        }  # fmt: skip
        return Commands(home, more)


def _serve(root: Path, *, xet: bool) -> Iterator[HubServer]:
    with HubServer(root, xet=xet) as server:
        server.add_user("alice", TOKEN)
        server.add_user("alice", READER, "read")
        server.add_user("bob", STRANGER)
        yield server


@pytest.fixture(scope="session")
def lfs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    yield from _serve(tmp_path_factory.mktemp("hub"), xet=False)


@pytest.fixture(scope="session")
def xet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    yield from _serve(tmp_path_factory.mktemp("xet"), xet=True)


@pytest.fixture
def hub(lfs_server: HubServer, monkeypatch: pytest.MonkeyPatch) -> Ours:
    """Over LFS, in this process: huggingface_hub reads HF_HUB_DISABLE_XET and the offline mode when it is imported."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "*")
    return empty(lfs_server)


@pytest.fixture
def xet(xet_server: HubServer) -> Ours:
    """Over Xet, for commands in processes of their own."""
    return empty(xet_server)


def empty(server: HubServer) -> Ours:
    """Without repositories, objects, faults and requests."""
    server.faults.clear()
    server.log.clear()
    server.repos.clear()
    for path in server.root.iterdir():
        if path.name != "xet":
            shutil.rmtree(path)
    return Ours(server, [])
