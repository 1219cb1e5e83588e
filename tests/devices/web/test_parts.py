"""What needs no page: the certificate, the page's clock, and what it says as readings."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509

from curation.errors import CannotWrite
from recorders.devices.controller import Button
from recorders.devices.web import certificate as certificates
from recorders.devices.web.certificate import NAMES, certificate
from recorders.devices.web.clock import KEPT, PageClock
from recorders.devices.web.readings import reading


def names(path: Path) -> set[str]:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(told.get_values_for_type(x509.DNSName)) | {str(a) for a in told.get_values_for_type(x509.IPAddress)}


def test_a_certificate_is_made_once_and_only_the_user_may_read_it(tmp_path: Path) -> None:
    first = certificate(["192.168.7.9"], tmp_path / "new")
    assert certificate(["192.168.7.9"], tmp_path / "new") == first
    assert certificate([], tmp_path / "new") == first
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700
    assert names(first.path) == {*NAMES, "192.168.7.9"}
    assert [path.name for path in first.path.parent.iterdir()] == ["headset.pem"], "nothing is left aside"
    other = certificate([], tmp_path / "another")
    assert other.fingerprint != first.fingerprint, "no two installations share one"


def test_another_network_another_certificate_that_knows_both(tmp_path: Path) -> None:
    home = certificate(["192.168.7.9"], tmp_path)
    away = certificate(["10.0.0.3"], tmp_path)
    assert away.fingerprint != home.fingerprint
    assert names(away.path) == {*NAMES, "192.168.7.9", "10.0.0.3"}
    assert certificate(["192.168.7.9"], tmp_path) == away


def test_one_that_ends_soon_or_is_damaged_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "DAYS", 20)
    short = certificate([], tmp_path)
    monkeypatch.undo()
    fresh = certificate([], tmp_path)
    assert fresh.fingerprint != short.fingerprint
    left = x509.load_pem_x509_certificate(fresh.path.read_bytes()).not_valid_after_utc - dt.datetime.now(dt.UTC)
    assert left > dt.timedelta(days=certificates.LEFT_DAYS)
    fresh.path.write_bytes(fresh.path.read_bytes()[:-40])
    certificate([], tmp_path).context()


def test_a_key_that_others_may_have_read_or_of_another_certificate_is_not_used(tmp_path: Path) -> None:
    first = certificate([], tmp_path / "one")
    first.path.chmod(0o644)  # as copies and backups leave it
    second = certificate([], tmp_path / "one")
    assert second.fingerprint != first.fingerprint
    assert stat.S_IMODE(second.path.stat().st_mode) == 0o600
    key, shown = second.path.read_bytes(), certificate([], tmp_path / "other").path.read_bytes()
    mark = b"-----BEGIN CERTIFICATE"
    second.path.write_bytes(key.partition(mark)[0] + mark + shown.partition(mark)[2])
    certificate([], tmp_path / "one").context()


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match=r"headset\.pem"):
        certificate([], tmp_path / "file")


def test_the_pages_clock_is_known_to_half_the_quickest_way(rng: np.random.Generator) -> None:
    clock, offset = PageClock(), 1234.5
    assert clock.when(1.0, 2.0) is None
    ways: list[float] = []
    for asked in np.arange(0.0, 30.0, 0.25):
        there, back = rng.exponential(0.02, 2) + 0.001
        clock.answered(asked, asked + there + back, asked + there - offset)
        ways.append(there + back)
        wrong = abs((clock.when(asked - offset, 1e9) or 0.0) - asked)
        assert wrong <= min(ways[-KEPT:]) / 2 + 1e-9
    assert clock.when(1e6, 40.0) == 40.0, "nothing is heard of before it happens"
    clock.forget()
    assert clock.when(1.0, 2.0) is None


@pytest.mark.parametrize("step", [30.0, -30.0, 0.2, -0.2])
def test_a_clock_that_was_put_is_known_anew_with_its_first_answer(step: float) -> None:
    clock = PageClock()
    for asked in range(5):
        clock.answered(asked, asked + 0.02, asked + 0.01)
    clock.answered(10.0, 10.03, 10.01 + step)
    found = clock.when(11.0 + step, 1e9)
    assert found == pytest.approx(11.0, abs=0.015)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


TOLD = {
    "pose": [0.1, 1.2, -0.3, 0.0, 0.6, 0.0, 0.8],
    "inferred": False,
    "buttons": [0.25, 0.75, 0, 0, 1, 0],
    "axes": [None, None, 0.5, -1.0],
}


def test_a_reading_is_what_the_page_says() -> None:
    found = reading({"right": TOLD}, "right", 5.0)
    assert found.sound
    assert found.time == 5.0
    assert (found.position, found.rotation) == ((0.1, 1.2, -0.3), (0.0, 0.6, 0.0, 0.8))
    assert (found.trigger, found.squeeze) == (0.25, 0.75)
    assert found.stick == (0.5, 1.0), "forward is positive here and negative in a browser"
    assert found.buttons == {Button.LOWER}
    assert reading({"right": {**TOLD, "buttons": [0, 0, 0, 1, 0, 1]}}, "right", 5.0).buttons == {
        Button.STICK,
        Button.UPPER,
    }


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"left": TOLD},
        {"right": None},
        {"right": {**TOLD, "pose": None}},
        {"right": {**TOLD, "pose": [0.1, 1.2]}},
        {"right": {**TOLD, "pose": [0.1, 1.2, float("nan"), 0, 0.6, 0, 0.8]}},
        {"right": {**TOLD, "pose": [0.1, 1.2, -0.3, 0, 0, 0, 0]}},
        {"right": {**TOLD, "inferred": True}},
        {"right": {**TOLD, "inferred": None}},
        {"right": {**TOLD, "buttons": ["x"]}},
        {"right": {**TOLD, "buttons": 3}},
        {"right": {**TOLD, "axes": [0, 0, float("inf"), 0]}},
        {"right": {key: value for key, value in TOLD.items() if key != "axes"}},
    ],
    ids=str,
)
def test_what_is_no_tracked_hand_is_not_used(told: dict[str, object]) -> None:
    assert not reading(told, "right", 5.0).sound
