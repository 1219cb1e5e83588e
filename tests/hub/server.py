"""A small Hugging Face Hub: a real HTTP server with real git objects, LFS, and Xet through the client's own code.

Storage under its root: repos/<type>s/<owner>/<name>.git, lfs/<aa>/<bb>/<sha256>, and xet/, a store that the client's
hf_xet writes by itself through a `local://` address. Faults are planted by method and path.
"""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.repository import Repo


class HubError(Exception):
    def __init__(self, status, message="", code=None, headers=None, body=None):
        self.status, self.message, self.code, self.headers, self.body = status, message, code, headers or {}, body


@dataclass
class Fault:  # fault injection: first match wins, decremented until 0
    method: str
    path: str  # regex, searched in the raw path
    status: int = 500
    times: int = 1
    headers: dict = field(default_factory=dict)
    body: str = ""
    mode: str = (
        "status"  # status | drop (no answer) | drop_after (do it, then no answer) | cut (half the answer) | read_cut
    )
    skip: int = 0  # let this many matches through first
    delay: float = 0.0


class HubServer:
    """`with HubServer(root) as hub: os.environ["HF_ENDPOINT"] = hub.endpoint`."""

    def __init__(self, root: str | Path, port: int = 0, xet: bool = False, part_size: int | None = None):
        self.root, self.xet, self.part_size = Path(root), xet, part_size
        self.users: dict[str, tuple[str, str]] = {}  # token -> (user, "write" | "read")
        self.orgs: dict[str, set[str]] = {}
        self.faults: list[Fault] = []
        self.log: list[tuple[str, str, int]] = []
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lock, self._xet_lock = threading.RLock(), threading.Lock()
        for p in self.root.glob("repos/*s/*/*.git"):
            self.repos[(p.parts[-3][:-1], f"{p.parts[-2]}/{p.stem}")] = Repo(p)
        handler = type("H", (Handler,), {"hub": self})
        self.httpd = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.httpd.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.httpd.server_port}"
        self.cdn = f"http://localhost:{self.httpd.server_port}"  # another host name: clients must drop auth

    def __enter__(self):
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.httpd.shutdown(), self.httpd.server_close()

    def add_user(self, name, token, role="write"):
        self.users[token] = (name, role)
        return token

    def paths(self):
        return [f"{m} {re.sub(r'[0-9a-f]{40,64}', '<sha>', p)} {s}" for m, p, s in self.log]

    # storage
    def lfs_path(self, sha: str) -> Path:
        return self.root / "lfs" / sha[:2] / sha[2:4] / sha

    def xet_hash(self, sha256: str) -> str | None:
        """sha256 to xet file hash, from the shards that hf_xet wrote: records of 48 bytes after a header of as many."""

        def hx(b):
            return "".join(f"{w:016x}" for w in struct.unpack("<4Q", b))

        for p in (self.root / "xet/xet/xorbs/shards").glob("*.mdb"):
            d, i = p.read_bytes(), 48
            while i + 48 <= len(d) and d[i : i + 32] != b"\xff" * 32:
                flags, n = struct.unpack("<II", d[i + 32 : i + 40])
                end = i + 48 * (1 + n * (2 if flags >> 31 else 1))
                if flags >> 30 & 1:
                    if sha256 in (hx(d[end : end + 32]), d[end : end + 32].hex()):
                        return hx(d[i : i + 32])
                    end += 48
                i = end
        return None

    def has_lfs(self, sha: str) -> bool:
        return self.lfs_path(sha).exists() or (self.xet and self.xet_hash(sha) is not None)

    def lfs_file(self, sha: str, size: int) -> Path:
        """Bytes of an object for plain HTTP clients; a Xet one is rebuilt once by a child hf_xet."""
        p = self.lfs_path(sha)
        with self._xet_lock:  # the CAS directory is one redb file: one process at a time
            if p.exists():
                return p
            p.parent.mkdir(parents=True, exist_ok=True)
            code = (
                "import hf_xet, sys\n"
                "g = hf_xet.XetSession().new_file_download_group("
                "endpoint=sys.argv[1], token='t', token_expiry_unix_secs=9999999999)\n"
                "with g: g.start_download_file(hf_xet.XetFileInfo(sys.argv[2],int(sys.argv[3])),sys.argv[4])"
            )
            subprocess.run(
                [
                    sys.executable,
                    "-c",
                    code,
                    f"local://{self.root}/xet",
                    self.xet_hash(sha),
                    str(size),
                    str(p) + ".tmp",
                ],
                check=True,
            )
            Path(f"{p}.tmp").replace(p)
            return p


ROUTES: list = []


def route(method: str, pattern: str):
    pattern = pattern.replace("{repo}", r"/api/(?P<type>model|dataset|space)s/(?P<id>[^/]+/[^/]+)")
    return lambda fn: ROUTES.append((method, re.compile("^" + pattern + "$"), fn)) or fn


class Handler(BaseHTTPRequestHandler):
    protocol_version, hub = "HTTP/1.1", None
    disable_nagle_algorithm = True  # head and body are written one after the other, and a client on its way waits 40 ms

    def log_message(self, *a): ...

    # plumbing
    def body(self) -> bytes:
        if self._body is None:
            self._body = b"".join(self.body_chunks())
        return self._body

    def body_chunks(self):
        self._read = True
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while n := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers.get("Content-Length") or 0)
            while left:
                c = self.rfile.read(min(left, 1 << 20))
                if not c:
                    raise ConnectionError("client went away")
                left -= len(c)
                yield c

    def json(self):
        return json.loads(self.body() or b"{}")

    def send(self, status=200, obj=None, headers=None, raw=None, file=None):
        data = raw if raw is not None else b"" if obj is None else json.dumps(obj).encode()
        start, end = 0, (file.stat().st_size if file else len(data))
        total, h = (
            end,
            {"Content-Type": "application/json" if obj is not None else "application/octet-stream", **(headers or {})},
        )
        if (
            (rng := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "")))
            and status == 200
            and self.command == "GET"
        ):
            start = int(rng[1]) if rng[1] else max(0, total - int(rng[2]))
            end = min(total, int(rng[2]) + 1) if rng[1] and rng[2] else total
            if start >= total > 0:
                raise HubError(416, "Range Not Satisfiable", headers={"Content-Range": f"bytes */{total}"})
            status, h["Content-Range"] = 206, f"bytes {start}-{end - 1}/{total}"
        if not self._read:
            for _ in self.body_chunks():
                pass
        self.hub.log.append((self.command, self.path, status))
        if self.fault and self.fault.mode == "drop_after":
            return self.drop()
        self.send_response(status)
        for k, v in h.items():
            self.send_header(k, str(v).encode("ascii", "replace").decode())
        self.send_header("Content-Length", h.get("Content-Length", end - start))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if self.fault and self.fault.mode == "cut":
            end = start + (end - start) // 2
        with open(file, "rb") if file else io.BytesIO(data) as f:
            f.seek(start)
            left = end - start
            while left:
                c = f.read(min(left, 1 << 16))
                self.wfile.write(c)
                left -= len(c)
        if self.fault and self.fault.mode == "cut":
            self.drop()
        return None

    def drop(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(2)

    def handle_any(self):
        self._body, self._read, self.fault = None, False, None
        split = urlsplit(self.path)
        self.q = {k: v[0] for k, v in parse_qs(split.query).items()}
        with self.hub.lock:
            for f in self.hub.faults:
                if f.times and f.method in (self.command, "*") and re.search(f.path, self.path):
                    if f.skip:
                        f.skip -= 1
                        continue
                    f.times -= 1
                    self.fault = f
                    break
        try:
            if self.fault:
                time.sleep(self.fault.delay)
                if self.fault.mode == "drop":
                    self.hub.log.append((self.command, self.path, 0))
                    return self.drop()
                if self.fault.mode == "read_cut":  # read some of the upload, then cut the line
                    next(self.body_chunks(), None)
                    self.hub.log.append((self.command, self.path, 0))
                    return self.drop()
                if self.fault.mode == "status":
                    raise HubError(self.fault.status, self.fault.body, headers=self.fault.headers)
            self.token = re.sub("^Bearer ", "", self.headers.get("Authorization", "")) or None
            if self.token and self.token not in self.hub.users and not split.path.startswith("/_"):
                raise HubError(401, "Invalid credentials in Authorization header")
            self.user, self.role = self.hub.users.get(self.token, (None, None))
            for method, rx, fn in ROUTES:
                if (method == self.command or (method, self.command) == ("GET", "HEAD")) and (
                    m := rx.match(split.path)
                ):
                    return fn(self, **{k: unquote(v) if v else v for k, v in m.groupdict().items()})
            if re.match(r"/api/(models|datasets|spaces)/[^/]+(/|$)|/(datasets/|spaces/)?[^/]+/resolve/", split.path):
                raise HubError(404, "Repository not found", "RepoNotFound")  # a repo id without a namespace
            raise HubError(404, f"No such route {self.command} {split.path}")
        except HubError as e:
            h = {"X-Request-Id": f"test-{time.monotonic_ns()}", **e.headers}
            if e.message:
                h["X-Error-Message"] = e.message.replace("\n", " ")
            if e.code:
                h["X-Error-Code"] = e.code
            self.send(e.status, e.body if e.body is not None else {"error": e.message}, h)
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    # access
    def repo(self, type, id, write=False) -> Repo:
        r = self.hub.repos.get((type, id))
        ns = id.split("/")[0]
        mine = self.user is not None and (ns == self.user or self.user in self.hub.orgs.get(ns, ()))
        if r is None or (r.meta["private"] and not mine):
            if self.user is None:
                raise HubError(401, "Invalid username or password.", "RepoNotFound")
            raise HubError(404, "Repository not found", "RepoNotFound")
        if write and self.user is None:
            raise HubError(401, "Invalid username or password.")
        if write and not (mine and self.role == "write"):
            raise HubError(
                403,
                "Forbidden: you must use a write token to upload to a repository."
                if mine
                else f"Forbidden: you don't have permission to write to {id}",
            )
        return r

    def rev(self, r: Repo, rev: str) -> str:
        sha = r.resolve(rev)
        if sha is None:
            raise HubError(404, f"Invalid rev id: {rev}", "RevisionNotFound")
        return sha


from tests.hub import routes_files, routes_repos  # noqa: E402 - the routes need what is above

assert routes_files
assert routes_repos
