"""What the test Hub answers about accounts, repositories, refs and listings."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.repository import REF_RE, Entry, Repo
from tests.hub.routes_files import GITATTRIBUTES
from tests.hub.server import HubError, route


# ---------------------------------------------------------------- account and repositories
@route("GET", "/api/whoami-v2")
def whoami(h):
    if not h.user:
        raise HubError(401, "Invalid username or password.")
    h.send(
        obj={
            "type": "user",
            "name": h.user,
            "fullname": h.user,
            "isPro": False,
            "orgs": [{"name": o} for o, m in h.hub.orgs.items() if h.user in m],
            "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": h.role}},
        }
    )


@route("POST", "/api/repos/create")
def create_repo(h):
    d = h.json()
    if not h.user:
        raise HubError(401, "Invalid username or password.")
    ns, type = d.get("organization") or h.user, d.get("type") or "model"
    if (ns != h.user and h.user not in h.hub.orgs.get(ns, ())) or h.role != "write":
        raise HubError(403, f'You don\'t have the rights to create a {type} under the namespace "{ns}"')
    id = f"{ns}/{d['name']}"
    url = f"{h.hub.endpoint}/{'' if type == 'model' else type + 's/'}{id}"
    with h.hub.lock:
        if (type, id) in h.hub.repos:
            raise HubError(409, body={"error": f"You already created this {type} repo", "url": url})
        private = d.get("visibility") == "private" or bool(d.get("private"))
        r = h.hub.repos[(type, id)] = Repo(h.hub.root / "repos" / f"{type}s" / f"{id}.git", {"private": private})
        r.add_commit(
            "refs/heads/main",
            {".gitattributes": Entry(r.put("blob", GITATTRIBUTES), len(GITATTRIBUTES))},
            "initial commit",
            "",
            h.user,
            [],
        )
    h.send(obj={"url": url, "name": id, "id": id, "private": private})


@route("DELETE", "/api/repos/delete")
def delete_repo(h):
    d = h.json()
    type, id = d.get("type") or "model", f"{d.get('organization') or h.user}/{d['name']}"
    r = h.repo(type, id, write=True)
    with h.hub.lock:
        del h.hub.repos[(type, id)]
        shutil.rmtree(r.path)
    h.send(raw=b"OK")


@route("POST", "/api/validate-yaml")
def validate_yaml(h):
    import yaml

    m = re.match(r"^\s*---\r?\n(.*?)\r?\n---", h.json().get("content", ""), re.S)
    errors, warnings = [], []
    try:
        meta = yaml.safe_load(m[1]) if m else None
        if m is None or not meta:
            warnings.append({"message": "empty or missing yaml metadata in repo card"})
        elif not isinstance(meta, dict):
            errors.append({"message": "metadata must be a mapping"})
        else:
            for k in ("tags", "task_categories", "language"):
                if k in meta and not (
                    isinstance(meta[k], str) or (isinstance(meta[k], list) and all(isinstance(x, str) for x in meta[k]))
                ):
                    errors.append({"message": f'"{k}" must be a string or an array of strings'})
            if "configs" in meta and not (
                isinstance(meta["configs"], list) and all("config_name" in c for c in meta["configs"])
            ):
                errors.append({"message": '"configs" must be an array of objects with "config_name"'})
            if not isinstance(meta.get("model-index", []), list):
                errors.append({"message": '"model-index" must be an array'})
            if not isinstance(meta.get("license", ""), (str, list)):
                errors.append({"message": '"license" must be one of the known identifiers'})
    except yaml.YAMLError as e:
        errors.append({"message": f"YAML error: {e}"})
    h.send(400 if errors else 200, {"errors": errors, "warnings": warnings})


@route("GET", "{repo}(?:/revision/(?P<rev>.+))?")
def repo_info(h, type, id, rev=None):
    r = h.repo(type, id)
    sha = h.rev(r, rev or "main")
    files, c = r.files(sha), r.commit(sha)
    when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(int(c["committer"].split()[-2])))
    card = None
    if "README.md" in files:
        import yaml

        if m := re.match(rb"^---\r?\n(.*?)\r?\n---", r.get(files["README.md"].oid), re.S):
            try:
                card = yaml.safe_load(m[1])
            except yaml.YAMLError:
                card = None
    sib = [
        {
            "rfilename": p,
            **(
                {
                    "size": e.lfs_size or e.size,
                    "blobId": e.oid,
                    **({"lfs": {"sha256": e.lfs, "size": e.lfs_size, "pointerSize": e.size}} if e.lfs else {}),
                }
                if h.q.get("blobs")
                else {}
            ),
        }
        for p, e in sorted(files.items())
    ]
    h.send(
        obj={
            "_id": hashlib.md5(id.encode()).hexdigest()[:24],
            "id": id,
            "modelId": id,
            "author": id.split("/")[0],
            "sha": sha,
            "lastModified": when,
            "createdAt": when,
            "private": r.meta["private"],
            "gated": r.meta.get("gated", False),
            "disabled": False,
            "tags": (card or {}).get("tags") or [],
            "downloads": 0,
            "likes": 0,
            "cardData": card,
            "siblings": sib,
        }
    )


@route("PUT", "{repo}/settings")
def settings(h, type, id):
    r, d = h.repo(type, id, write=True), h.json()
    r.meta.update({k: d[k] for k in ("gated",) if k in d})
    if "private" in d or "visibility" in d:
        r.meta["private"] = d.get("visibility") == "private" or bool(d.get("private"))
        (r.path / "hub.json").write_text(json.dumps(r.meta))
    h.send(obj=r.meta)


# ---------------------------------------------------------------- refs
@route("GET", "{repo}/refs")
def refs(h, type, id):
    r = h.repo(type, id)
    out = {
        k: [{"name": n, "ref": f"{p}/{n}", "targetCommit": s} for n, s in r.refs(p).items()]
        for k, p in (
            ("branches", "refs/heads"),
            ("tags", "refs/tags"),
            ("converts", "refs/convert"),
            ("pullRequests", "refs/pr"),
        )
    }
    if not h.q.get("include_prs"):
        del out["pullRequests"]
    h.send(obj=out)


def new_ref(h, r, kind, name, target, id):
    if not REF_RE.match(name):
        raise HubError(400, f"Invalid reference for a {kind}: {name}")
    with r.lock:
        ref = f"refs/{'tags' if kind == 'tag' else 'heads'}/{name}"
        if (r.path / ref).exists():
            raise HubError(
                409, f"{'Tag' if kind == 'tag' else 'Reference'} {name if kind == 'tag' else ref} already exists"
            )
        r.set_ref(ref, target)
    h.send(obj={"success": True})


@route("POST", "{repo}/tag/(?P<rev>.+)")
def create_tag(h, type, id, rev):
    r = h.repo(type, id, write=True)
    new_ref(h, r, "tag", h.json()["tag"], h.rev(r, rev), id)


@route("POST", "{repo}/branch/(?P<branch>.+)")
def create_branch(h, type, id, branch):
    r = h.repo(type, id, write=True)
    new_ref(h, r, "branch", branch, h.rev(r, h.json().get("startingPoint") or "main"), id)


@route("DELETE", "{repo}/(?P<kind>tag|branch)/(?P<name>.+)")
def delete_ref(h, type, id, kind, name):
    r = h.repo(type, id, write=True)
    if kind == "branch" and name == "main":
        raise HubError(403, "Cannot delete refs/heads/main")
    with r.lock:
        p = r.path / f"refs/{'tags' if kind == 'tag' else 'heads'}" / name
        if not p.is_file():
            raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
        p.unlink()
    h.send(obj={"success": True})


# ---------------------------------------------------------------- listing
def tree_item(hub, p, e: Entry):
    d = {"type": "file", "oid": e.oid, "size": e.lfs_size if e.lfs else e.size, "path": p}
    if e.lfs:
        d["lfs"] = {"oid": e.lfs, "size": e.lfs_size, "pointerSize": e.size}
        if hub.xet and (x := hub.xet_hash(e.lfs)):
            d["xetHash"] = x
    return d


def listing(hub, r, sha, path, recursive):
    files, prefix = r.files(sha), f"{path}/" if path else ""
    items, dirs = [], set()
    for p, e in sorted(files.items()):
        if p.startswith(prefix):
            parts = p[len(prefix) :].split("/")
            for i in range(1, len(parts) if recursive else min(2, len(parts))):
                dirs.add(prefix + "/".join(parts[:i]))
            if recursive or len(parts) == 1:
                items.append(tree_item(hub, p, e))
    return [
        {"type": "directory", "oid": hashlib.sha1(d.encode()).hexdigest(), "size": 0, "path": d} for d in sorted(dirs)
    ] + items


@route("GET", "{repo}/tree/(?P<rest>.+)")
def tree(h, type, id, rest):
    r = h.repo(type, id)
    raw = urlsplit(h.path).path.split("/tree/", 1)[1]
    rev, path = unquote(raw.split("/", 1)[0]), unquote(raw.split("/", 1)[1]) if "/" in raw else ""
    sha = h.rev(r, rev)
    items = listing(h.hub, r, sha, path.rstrip("/"), h.q.get("recursive", "").lower() in ("1", "true"))
    if path and not items:
        raise HubError(404, f'{path} does not exist on "{rev}"', "EntryNotFound")
    at, lim = int(h.q.get("cursor", 0)), int(h.q.get("limit", 1000))
    hd = {}
    if at + lim < len(items):
        q = "&".join(f"{k}={v}" for k, v in {**h.q, "cursor": at + lim}.items())
        hd["Link"] = f'<{h.hub.endpoint}{urlsplit(h.path).path}?{q}>; rel="next"'
    items = items[at : at + lim]
    if h.q.get("expand", "").lower() in ("1", "true"):
        add_last_commit(r, sha, items)
    h.send(obj=items, headers={**hd, "X-Repo-Commit": sha})


def add_last_commit(r, sha, items):
    """`expand`: the newest commit in which each path differs from the parent."""
    left = {i["path"]: i for i in items}
    while sha and left:
        c, now = r.commit(sha), r.files(sha)
        before = r.files(c["parents"][0]) if c["parents"] else {}
        pick = lambda fs, p: sorted((k, e.oid) for k, e in fs.items() if k == p or k.startswith(p + "/"))  # noqa: E731
        for p in [p for p in left if pick(now, p) != pick(before, p)]:
            left.pop(p)["lastCommit"] = {
                "id": sha,
                "title": c["message"].split("\n")[0],
                "date": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(int(c["committer"].split()[-2]))),
            }
        sha = c["parents"][0] if c["parents"] else None
    return items


@route("POST", "{repo}/paths-info/(?P<rev>.+)")
def paths_info(h, type, id, rev):
    r = h.repo(type, id)
    sha = h.rev(r, rev)
    files, out = r.files(sha), []
    form = {} if "json" in h.headers.get("Content-Type", "") else parse_qs(h.body().decode())
    paths = form["paths"] if form else h.json()["paths"]
    for p in [paths] if isinstance(paths, str) else paths:
        if p in files:
            out.append(tree_item(h.hub, p, files[p]))
        elif any(f.startswith(p.rstrip("/") + "/") for f in files):
            out.append({"type": "directory", "oid": "0" * 40, "size": 0, "path": p})
    if str(form.get("expand", [""])[0] if form else h.json().get("expand")).lower() in ("1", "true"):
        add_last_commit(r, sha, out)
    h.send(obj=out)


@route("GET", "{repo}/commits/(?P<rev>.+)")
def commits(h, type, id, rev):
    r = h.repo(type, id)
    sha, out = h.rev(r, rev), []
    while sha:
        c = r.commit(sha)
        title, _, msg = c["message"].partition("\n")
        out.append(
            {
                "id": sha,
                "title": title,
                "message": msg.strip(),
                "authors": [{"user": c["author"].split()[0]}],
                "date": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(int(c["committer"].split()[-2]))),
                **({"formatted": {"title": title, "message": msg}} if h.q.get("expand[]") == "formatted" else {}),
            }
        )
        sha = c["parents"][0] if c["parents"] else None
    h.send(obj=out)
