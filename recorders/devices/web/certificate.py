"""The certificate of the page for headsets: made on first use, known to nobody else, one per installation.

Browsers give headsets only to pages that came encrypted. Nobody signs a certificate for a machine at home, so the
browser asks once; the fingerprint, which is printed too, tells whether it is this one.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from curation.errors import CannotWrite

DAYS = 365
"""How long one is valid."""
LEFT_DAYS = 30
"""With fewer days than these left another one is made."""
NAMES = ("localhost", "127.0.0.1", "::1")
"""By which every machine knows itself."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Certificate:
    """One that a server may use.

    Attributes:
        path: of certificate and key, which nobody but the user may read.
        fingerprint: SHA-256 in hexadecimal pairs, as browsers show it.
    """

    path: Path
    fingerprint: str

    def context(self) -> ssl.SSLContext:
        """For a server."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.load_cert_chain(self.path)
        return made


def home() -> Path:
    """Where it is kept: XDG_CONFIG_HOME, or ~/.config, on every system."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "teleop-studio"


def certificate(names: Sequence[str], folder: Path | None = None) -> Certificate:
    """The one of this installation; it is made if there is none, if it ends soon, does not hold these names or
    others may have read its key.

    Args:
        names: hosts and addresses by which the page is reached, beside `NAMES`.
        folder: that it lies in; `home` by default.

    Raises:
        CannotWrite: the disk refuses.
    """
    path = (folder or home()) / "headset.pem"
    wanted = {*NAMES, *names}
    found = _read(path)
    if found is None or not wanted <= _names(found) or _ends_soon(found):
        # Those it had stay: a machine that goes between two networks keeps what the headset was told about it.
        found = _make(path, sorted(wanted | (_names(found) if found else set())))
    digest = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate(path, digest)


def _read(path: Path) -> x509.Certificate | None:
    """What is there; None if that is nothing, nothing that a server can use, or others may have read the key."""
    try:
        # Windows has no such modes; there the user's folder is what others may not read.
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            return None
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, None)
        found = x509.load_pem_x509_certificate(data)
        return found if found.public_key() == key.public_key() else None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _names(found: x509.Certificate) -> set[str]:
    try:
        told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    hosts = set(told.get_values_for_type(x509.DNSName))
    return hosts | {str(address) for address in told.get_values_for_type(x509.IPAddress)}


def _ends_soon(found: x509.Certificate) -> bool:
    now = dt.datetime.now(dt.UTC)
    left = found.not_valid_after_utc - now
    return left < dt.timedelta(days=LEFT_DAYS) or found.not_valid_before_utc > now


def _make(path: Path, names: Sequence[str]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Teleop Studio on this machine")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A headset's clock may be behind.
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(path, secret + made.public_bytes(serialization.Encoding.PEM))
    return made


def _write(path: Path, data: bytes) -> None:
    """Write what only the user may read; aside and renamed, because another sitting may read it now.

    Raises:
        CannotWrite: the disk refuses.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.unlink(missing_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        aside.replace(path)
    except OSError as error:
        raise CannotWrite(path, error) from error


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
