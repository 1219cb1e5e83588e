"""A bare git repository on disk, written with loose objects: no git program is needed, and git itself can read it."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

REF_RE = re.compile(r"^(?!/|.*//|.*\.\.|.*/$|.*\.lock$)[A-Za-z0-9._/+-]+$")


@dataclass
class Entry:  # one file of a tree
    oid: str  # git blob sha1 (of the pointer for LFS)
    size: int
    lfs: str | None = None  # sha256
    lfs_size: int = 0


class Repo:
    """A bare git repository; only loose objects and plain ref files, so no git binary is needed."""

    def __init__(self, path: Path, meta=None):
        self.path, self.lock, self._trees = path, threading.RLock(), {}
        if meta is not None:
            (path / "objects").mkdir(parents=True)
            (path / "refs/heads").mkdir(parents=True), (path / "refs/tags").mkdir()
            (path / "HEAD").write_text("ref: refs/heads/main\n")
            (path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
            (path / "hub.json").write_text(json.dumps(meta))
        self.meta = json.loads((path / "hub.json").read_text())

    # objects
    def put(self, kind: str, data: bytes) -> str:
        raw = f"{kind} {len(data)}\0".encode() + data
        sha = hashlib.sha1(raw).hexdigest()
        p = self.path / "objects" / sha[:2] / sha[2:]
        if not p.exists():
            p.parent.mkdir(exist_ok=True)
            tmp = p.with_name(f"tmp{threading.get_ident()}{time.monotonic_ns()}")
            tmp.write_bytes(zlib.compress(raw, 1))
            Path(tmp).replace(p)
        return sha

    def get(self, sha: str) -> bytes:
        return zlib.decompress((self.path / "objects" / sha[:2] / sha[2:]).read_bytes()).split(b"\0", 1)[1]

    def write_tree(self, files: dict[str, Entry]) -> str:
        top: dict = {}
        for p, e in files.items():
            *dirs, name = p.split("/")
            node = top
            for d in dirs:
                node = node.setdefault(d, {})
            node[name] = e

        def rec(node):
            items = []
            for name, v in node.items():
                mode, sha = (b"40000", rec(v)) if isinstance(v, dict) else (b"100644", v.oid)
                items.append(
                    (name.encode() + (b"/" if isinstance(v, dict) else b""), mode, name.encode(), bytes.fromhex(sha))
                )
            return self.put("tree", b"".join(m + b" " + n + b"\0" + s for _, m, n, s in sorted(items)))

        return rec(top)

    def files(self, commit: str) -> dict[str, Entry]:
        if commit not in self._trees:
            out: dict[str, Entry] = {}

            def rec(sha, prefix):
                data, i = self.get(sha), 0
                while i < len(data):
                    j = data.index(b"\0", i)
                    mode, name = data[i:j].split(b" ", 1)
                    oid, i = data[j + 1 : j + 21].hex(), j + 21
                    if mode == b"40000":
                        rec(oid, prefix + name.decode() + "/")
                    else:
                        blob = self.get(oid)
                        m = (
                            re.match(rb"version https://git-lfs.*\noid sha256:([0-9a-f]{64})\nsize (\d+)\n$", blob)
                            if len(blob) < 300
                            else None
                        )
                        out[prefix + name.decode()] = (
                            Entry(oid, len(blob), m[1].decode(), int(m[2])) if m else Entry(oid, len(blob))
                        )

            rec(self.commit(commit)["tree"], "")
            self._trees[commit] = out
        return self._trees[commit]

    def commit(self, sha: str) -> dict:
        head, msg = self.get(sha).decode().split("\n\n", 1)
        d = {"parents": [], "message": msg}
        for line in head.split("\n"):
            k, v = line.split(" ", 1)
            d["parents"].append(v) if k == "parent" else d.__setitem__(k, v)
        return d

    def add_commit(self, ref, files, title, desc, user, parents) -> str:
        who = f"{user} <{user}@users.noreply.hub.test> {int(time.time())} +0000"
        body = f"tree {self.write_tree(files)}\n" + "".join(f"parent {p}\n" for p in parents)
        sha = self.put(
            "commit", f"{body}author {who}\ncommitter {who}\n\n{title}\n{chr(10) + desc if desc else ''}".encode()
        )
        self.set_ref(ref, sha)
        return sha

    # refs
    def set_ref(self, ref: str, sha: str):
        p = self.path / ref
        p.parent.mkdir(parents=True, exist_ok=True)
        tmp = p.with_name(p.name + f".{threading.get_ident()}.lock")
        tmp.write_text(sha + "\n")
        Path(tmp).replace(p)

    def refs(self, prefix: str) -> dict[str, str]:
        base = self.path / prefix
        return {
            str(p.relative_to(base)): p.read_text().strip()
            for p in sorted(base.rglob("*"))
            if p.is_file() and not p.name.endswith(".lock")
        }

    def resolve(self, rev: str) -> str | None:
        for ref in (f"refs/heads/{rev}", f"refs/tags/{rev}", rev if rev.startswith("refs/") else None):
            if ref and REF_RE.match(ref) and (self.path / ref).is_file():
                return (self.path / ref).read_text().strip()
        if re.fullmatch(r"[0-9a-f]{7,40}", rev):
            hits = [rev[:2] + p.name for p in (self.path / "objects" / rev[:2]).glob(rev[2:] + "*")]
            hits = [
                h
                for h in hits
                if zlib.decompress((self.path / "objects" / h[:2] / h[2:]).read_bytes()).startswith(b"commit ")
            ]
            return hits[0] if len(hits) == 1 else None
        return None
