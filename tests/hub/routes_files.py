"""How files come to the test Hub and back: commits, LFS in one piece or many, tokens for Xet, downloads."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.hub.repository import Entry
from tests.hub.server import HubError, route

LFS_EXT = (
    "7z",
    "arrow",
    "avro",
    "bin",
    "bz2",
    "ckpt",
    "ftz",
    "gz",
    "h5",
    "joblib",
    "lz4",
    "mds",
    "mlmodel",
    "model",
    "msgpack",
    "npy",
    "npz",
    "onnx",
    "ot",
    "parquet",
    "pb",
    "pickle",
    "pkl",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "tflite",
    "tgz",
    "wasm",
    "xz",
    "zip",
    "zst",
    "pcm",
    "sam",
    "raw",
    "aac",
    "flac",
    "mp3",
    "ogg",
    "wav",
    "bmp",
    "gif",
    "png",
    "tiff",
    "jpg",
    "jpeg",
    "webp",
    "mp4",
    "webm",
)
GITATTRIBUTES = "".join(f"*.{e} filter=lfs diff=lfs merge=lfs -text\n" for e in LFS_EXT).encode()
REGULAR_MAX = 10 * 2**20


# ---------------------------------------------------------------- writing
@route("POST", "{repo}/preupload/(?P<rev>.+)")
def preupload(h, type, id, rev):
    r = h.repo(type, id, write=not h.q.get("create_pr"))
    sha = h.rev(r, rev)
    have, d, out = r.files(sha), h.json(), []
    if len(d["files"]) > 256:
        raise HubError(413, "too many files")
    rules = [
        ln.strip()
        for ln in (
            d.get("gitIgnore") or (r.get(have[".gitignore"].oid).decode() if ".gitignore" in have else "")
        ).splitlines()
    ]
    import fnmatch

    for f in d["files"]:
        p, e = f["path"], have.get(f["path"])
        big = (
            p.rsplit(".", 1)[-1].lower() in LFS_EXT
            or f["size"] > REGULAR_MAX
            or b"\0" in base64.b64decode(f.get("sample", ""))
        )
        ign = any(
            x
            and not x.startswith("#")
            and (fnmatch.fnmatch(p, x) or fnmatch.fnmatch(p.rsplit("/", 1)[-1], x) or p.startswith(x.rstrip("/") + "/"))
            for x in rules
        )
        out.append(
            {
                "path": p,
                "uploadMode": "lfs" if big else "regular",
                "shouldIgnore": ign,
                **({"oid": e.lfs or e.oid} if e else {}),
            }
        )
    h.send(obj={"files": out, "commitOid": sha})


@route("POST", r"/(?:(?P<type>dataset|space)s/)?(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
def lfs_batch(h, id, type=None):
    h.repo(type or "model", id, write=True)
    d, out = h.json(), []
    for o in d["objects"]:
        sha, size, u = o["oid"], o["size"], h.hub.endpoint
        res = {"oid": sha, "size": size}
        if not re.fullmatch("[0-9a-f]{64}", sha):
            res["error"] = {"code": 422, "message": "Invalid oid"}
        elif not h.hub.lfs_path(sha).exists():
            part = h.hub.part_size
            if part and size > part and "multipart" in d.get("transfers", []):
                n = -(-size // part)
                hd = {
                    "chunk_size": str(part),
                    **{str(i + 1): f"{h.hub.cdn}/_lfs/{sha}/part/{i + 1}?sig=x" for i in range(n)},
                }
                res["actions"] = {"upload": {"href": f"{u}/_lfs/{sha}/complete", "header": hd}}
            else:
                res["actions"] = {
                    "upload": {"href": f"{h.hub.cdn}/_lfs/{sha}?sig=x"},
                    "verify": {"href": f"{u}/_lfs/{sha}/verify"},
                }
        out.append(res)
    h.send(
        obj={"transfer": "multipart" if h.hub.part_size else "basic", "objects": out},
        headers={"Content-Type": "application/vnd.git-lfs+json"},
    )


@route("PUT", r"/_lfs/(?P<sha>[0-9a-f]{64})(?:/part/(?P<n>\d+))?")
def lfs_put(h, sha, n=None):
    if h.headers.get("Authorization"):
        raise HubError(400, "Only one auth mechanism allowed")  # what S3 says when a bearer token is sent too
    dst = h.hub.lfs_path(sha) if n is None else h.hub.root / "parts" / sha / n
    dst.parent.mkdir(parents=True, exist_ok=True)
    dig, md5 = hashlib.sha256(), hashlib.md5()
    fd, tmp = tempfile.mkstemp(dir=dst.parent)
    with os.fdopen(fd, "wb") as f:
        for c in h.body_chunks():
            dig.update(c), md5.update(c), f.write(c)
    if n is None and dig.hexdigest() != sha:
        Path(tmp).unlink()
        raise HubError(400, "BadDigest")
    Path(tmp).replace(dst)
    h.send(headers={"ETag": f'"{md5.hexdigest()}"'})


@route("POST", r"/_lfs/(?P<sha>[0-9a-f]{64})/(?P<what>verify|complete)")
def lfs_finish(h, sha, what):
    d, dst = h.json(), h.hub.lfs_path(sha)
    if what == "complete":
        dst.parent.mkdir(parents=True, exist_ok=True)
        tmp = dst.with_suffix(".tmp")
        with open(tmp, "wb") as f:
            for p in sorted(d["parts"], key=lambda p: p["partNumber"]):
                f.write((h.hub.root / "parts" / sha / str(p["partNumber"])).read_bytes())
        if hashlib.sha256(tmp.read_bytes()).hexdigest() != sha:
            raise HubError(400, "BadDigest")
        Path(tmp).replace(dst)
    elif not dst.exists() or dst.stat().st_size != d["size"]:
        raise HubError(404, "Object does not exist")
    h.send(obj={})


@route("GET", "{repo}/xet-(?P<mode>read|write)-token/(?P<rev>.+)")
def xet_token(h, type, id, mode, rev):
    h.repo(type, id, write=mode == "write")
    if not h.hub.xet:
        raise HubError(404, "Xet is not enabled on this hub")
    exp, url = int(time.time()) + 3600, f"local://{h.hub.root}/xet"
    h.send(
        obj={"accessToken": "xet-test", "exp": exp, "casUrl": url},
        headers={"X-Xet-Access-Token": "xet-test", "X-Xet-Token-Expiration": exp, "X-Xet-Cas-Url": url},
    )


@route("POST", "{repo}/commit/(?P<rev>.+)")
def commit(h, type, id, rev):
    pr = h.q.get("create_pr") == "1"
    r = h.repo(type, id, write=not pr)
    lines = [json.loads(ln) for ln in h.body().splitlines() if ln.strip()]
    head = next(x["value"] for x in lines if x["key"] == "header")
    with r.lock:
        parent = h.rev(r, rev)
        ref = f"refs/heads/{rev}" if (r.path / "refs/heads" / rev).is_file() else rev
        if not ref.startswith("refs/") or ref.startswith("refs/tags"):
            raise HubError(400, "You can only commit on a branch")
        if pr:
            ref = f"refs/pr/{len(r.refs('refs/pr')) + 1}"
        elif head.get("parentCommit") and head["parentCommit"] != parent:
            raise HubError(412, "The branch was updated since you opened this page. Please refresh and try again.")
        files = dict(r.files(parent))
        for x in lines:
            k, v = x["key"], x["value"]
            if k != "header" and re.search(r"(^|/)\.\.?(/|$)|^\.\.|//|^/|\0", v["path"]):
                raise HubError(422, f"Invalid path: {v['path']}")
            if k == "file":
                data = base64.b64decode(v["content"]) if v.get("encoding") == "base64" else v["content"].encode()
                files[v["path"]] = Entry(r.put("blob", data), len(data))
            elif k == "lfsFile":
                if not h.hub.has_lfs(v["oid"]):
                    raise HubError(400, f"LFS pointer pointed to a file that does not exist: {v['path']}")
                size = (
                    v.get("size")
                    or next((e.lfs_size for e in files.values() if e.lfs == v["oid"]), None)
                    or h.hub.lfs_path(v["oid"]).stat().st_size
                )
                ptr = f"version https://git-lfs.github.com/spec/v1\noid sha256:{v['oid']}\nsize {size}\n".encode()
                files[v["path"]] = Entry(r.put("blob", ptr), len(ptr), v["oid"], size)
            elif k in ("deletedFile", "deletedFolder"):
                gone = [p for p in files if p == v["path"] or p.startswith(v["path"].rstrip("/") + "/")]
                if not gone:
                    raise HubError(404, f"A file with this name doesn't exist: {v['path']}", "EntryNotFound")
                for p in gone:
                    del files[p]
        sha = r.add_commit(ref, files, head["summary"], head.get("description", ""), h.user or "anonymous", [parent])
    base = f"{h.hub.endpoint}/{'' if type == 'model' else type + 's/'}{id}"
    h.send(
        obj={
            "success": True,
            "commitUrl": f"{base}/commit/{sha}",
            "commitOid": sha,
            "hookOutput": "",
            **({"pullRequestUrl": f"{base}/discussions/{ref.rsplit('/', 1)[1]}"} if pr else {}),
        }
    )


@route("POST", "{repo}/super-squash/(?P<rev>.+)")
def squash(h, type, id, rev):
    r = h.repo(type, id, write=True)
    with r.lock:
        files = r.files(h.rev(r, rev))
        r.add_commit(
            rev if rev.startswith("refs/") else f"refs/heads/{rev}",
            files,
            f"Super-squash branch '{rev}' using huggingface_hub",
            "",
            h.user,
            [],
        )
    h.send(obj={"success": True})


# ---------------------------------------------------------------- reading files
@route("GET", r"/(?:(?P<type>dataset|space)s/)?(?P<id>(?!api/)[^/]+/[^/]+)/resolve/(?P<rest>.+)")
def resolve(h, id, rest, type=None):
    r = h.repo(type or "model", id)
    raw = urlsplit(h.path).path.split("/resolve/", 1)[1]
    rev, path = (unquote(x) for x in raw.split("/", 1))
    sha = h.rev(r, rev)
    e, hd = r.files(sha).get(path), {"X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
    if e is None:
        raise HubError(404, "Entry not found", "EntryNotFound", headers=hd)
    if not e.lfs:
        return h.send(raw=r.get(e.oid), headers={**hd, "ETag": f'"{e.oid}"'})
    hd |= {
        "X-Linked-Etag": f'"{e.lfs}"',
        "X-Linked-Size": e.lfs_size,
        "Location": f"{h.hub.cdn}/_cdn/{e.lfs}/{e.lfs_size}?sig=x",
    }
    if h.hub.xet and (x := h.hub.xet_hash(e.lfs)):
        hd |= {
            "X-Xet-Hash": x,
            "Link": f'<{h.hub.endpoint}/api/{type or "model"}s/{id}/xet-read-token/{sha}>; rel="xet-auth"',
        }
    h.send(302, headers=hd, raw=b"")
    return None


@route("GET", r"/_cdn/(?P<sha>[0-9a-f]{64})/(?P<size>\d+)")
def cdn(h, sha, size):
    if h.headers.get("Authorization"):
        raise HubError(400, "Only one auth mechanism allowed")
    h.send(file=h.hub.lfs_file(sha, int(size)), headers={"ETag": f'"{sha}"', "Accept-Ranges": "bytes"})
