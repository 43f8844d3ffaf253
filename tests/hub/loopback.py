"""A Hub on this machine: enough of its API for the real client, in memory, with faults on demand.

Endpoints: create, validate-yaml, info, refs, tree, preupload, LFS batch and object, Xet token, xorbs, shards and reconstructions,
commit, tag, resolve. Every request goes through :meth:`Hub.answer`; a :class:`Fault` may strike before or after it did its work.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

TOKEN = "hf_loopbackTokenOfNobody0123456789"


class Answer(NamedTuple):
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


def answer(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def error(status: int, code: str, message: str) -> Answer:
    return answer({"error": message}, status, **{"X-Error-Code": code, "X-Error-Message": message})


@dataclass(frozen=True)
class Fault:
    """What goes wrong: a status, or one of

    drop: the connection closes and nothing was done; lost: it was done, and the connection closes before the answer;
    cut: it was done, and half of the answer comes; page: a login page comes instead of an answer.
    """

    kind: int | str
    where: Callable[[int, str], bool]  #: number and name of the request -> whether it strikes


@dataclass
class Repo:
    private: bool
    commits: dict[str, dict[str, str]] = field(default_factory=dict)  #: commit -> path -> SHA-256 of the content
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    pulls: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def commit(self, files: dict[str, str], message: str, *, pull: bool = False) -> str:
        oid = hashlib.sha1(f"{len(self.commits)}{sorted(files.items())}{message}".encode()).hexdigest()
        self.commits[oid] = files
        if pull:
            self.pulls.append(oid)
        else:
            self.head = oid
            self.messages.append(message)
        return oid

    @property
    def files(self) -> dict[str, str]:
        return self.commits[self.head]


def git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """The state of the Hub, and how it answers."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.contents: dict[str, bytes] = {}  #: SHA-256 -> content
        self.xorbs: dict[str, bytes] = {}
        self.xet_names: dict[str, str] = {}  #: SHA-256 of a content that came through Xet -> its name there
        self.terms: dict[str, list[tuple[str, int, int]]] = {}  #: that name -> xorb, first chunk and the one behind the last
        self.requests: list[str] = []
        self.fault: Fault | None = None
        self.readers = {TOKEN}  #: tokens that may read what is private, and write
        self.url = ""
        self.uploaded: list[str] = []  #: SHA-256 of what came through LFS or Xet
        self.card_warning = ""
        self.before: dict[str, Callable[[], object]] = {}  #: name of a request -> what happens when it comes
        self._lock = threading.RLock()

    # ---- state for tests

    def content(self, repo: str, path: str) -> bytes:
        return self.contents[self.repos[repo].files[path]]

    def listing(self, repo: str) -> dict[str, str]:
        return dict(self.repos[repo].files) if repo in self.repos else {}

    def write(self, repo: str, files: dict[str, bytes | None], message: str = "by hand") -> str:
        """What somebody else commits."""
        held = dict(self.repos[repo].files)
        for path, data in files.items():
            if data is None:
                del held[path]
            else:
                held[path] = self._keep(data)
        return self.repos[repo].commit(held, message)

    def create(self, repo: str, *, private: bool = True) -> Repo:
        made = self.repos[repo] = Repo(private)
        made.commit({".gitattributes": self._keep(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")}, "initial commit")
        return made

    def _keep(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self.contents[name] = data
        return name

    # ---- requests

    def strikes(self, name: str) -> Fault | None:
        with self._lock:
            number = len(self.requests)
            self.requests.append(name)
        return self.fault if self.fault and self.fault.where(number, name) else None

    def answer(self, name: str, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        with self._lock:
            if name in self.before:
                self.before[name]()
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if (
                token
                and token not in self.readers
                and name
                not in ("put object", "xorb", "shard", "chunks", "grant", "shard v2", "reconstruction", "reconstruction v2", "xorb data")
            ):
                return error(401, "", "Invalid credentials in Authorization header")
            repo = self.repos.get(groups.get("repo", ""))
            if "repo" in groups and (repo is None or (repo.private and not token)):
                return error(404 if token else 401, "RepoNotFound", "Repository not found")
            return getattr(self, "_" + name.replace(" ", "_"))(repo, groups, body, headers, query)

    def _create(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        told = json.loads(body)
        name = f"{told['organization']}/{told['name']}"
        if told["organization"] != "user":
            return error(403, "", f'You don\'t have the rights to create a dataset under the namespace "{told["organization"]}"')
        if name in self.repos:
            return answer({"error": "You already created this dataset repo", "url": f"{self.url}/datasets/{name}"}, 409)
        self.create(name, private=told.get("visibility") == "private")
        return answer({"url": f"{self.url}/datasets/{name}"})

    def _validate_card(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        import yaml

        front = re.match(r"---\n(.*?)^---\n", json.loads(body)["content"], re.DOTALL | re.MULTILINE)
        try:
            told = yaml.safe_load(front[1]) if front else {}
        except yaml.YAMLError as bad:
            return answer({"errors": [{"message": str(bad)}]}, 400)
        if told.get("license") == "mit-0":
            return answer({"errors": [{"message": '"license" must be one of [apache-2.0, mit, ...]'}]}, 400)
        return answer({"warnings": [{"message": self.card_warning}] if self.card_warning else [], "errors": []})

    def _info(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        oid = self._revision(repo, groups.get("rev"))
        if oid is None:
            return error(404, "RevisionNotFound", "Revision not found")
        files = [{"rfilename": path} for path in sorted(repo.commits[oid])]
        return answer({"id": groups["repo"], "sha": oid, "private": repo.private, "siblings": files, "tags": [], "gated": False})

    def _refs(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in repo.tags.items()]
        main = [{"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head}]
        return answer({"branches": main, "converts": [], "tags": tags})

    def _tree(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        oid = self._revision(repo, groups["rev"])
        if oid is None:
            return error(404, "RevisionNotFound", "Revision not found")
        folder = (groups.get("path") or "").strip("/")
        held = {path: name for path, name in repo.commits[oid].items() if not folder or path.startswith(folder + "/")}
        if folder and not held:
            return error(404, "EntryNotFound", "no such folder")
        entries: dict[str, dict[str, Any]] = {}
        for path, name in sorted(held.items()):
            rest = path[len(folder) + 1 if folder else 0 :]
            parts = rest.split("/")
            for n in range(1, len(parts)):
                at = "/".join([*([folder] if folder else []), *parts[:n]])
                if n == 1 or "recursive=true" in query.lower():
                    entries[at] = {"type": "directory", "path": at, "oid": hashlib.sha1(at.encode()).hexdigest(), "size": 0}
            if len(parts) == 1 or "recursive=true" in query.lower():
                entries[path] = self._entry(path, name)
        return answer(list(entries.values()))

    def _paths_info(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        held = repo.commits[self._revision(repo, groups["rev"]) or repo.head]
        asked = [unquote(part[6:]) for part in body.decode().split("&") if part.startswith("paths=")]
        if headers.get("content-type", "").startswith("application/json"):
            asked = json.loads(body)["paths"]
        return answer([self._entry(path, held[path]) for path in asked if path in held])

    def _entry(self, path: str, name: str) -> dict[str, Any]:
        data = self.contents[name]
        out: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": git_name(data)}
        if self._large(path):
            out["lfs"] = {"oid": name, "size": len(data), "pointerSize": 130}
        return out

    @staticmethod
    def _large(path: str) -> bool:
        return path.endswith(".parquet")

    def _revision(self, repo: Repo, rev: str | None) -> str | None:
        rev = unquote(rev or "main")
        return repo.head if rev == "main" else repo.tags.get(rev) or (rev if rev in repo.commits else None)

    def _preupload(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        out = []
        for file in json.loads(body)["files"]:
            large, held = self._large(file["path"]), repo.files.get(file["path"])
            told = {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            out.append(told | ({"oid": held if large else git_name(self.contents[held])} if held else {}))
        return answer({"files": out})

    def _lfs_batch(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        objects = []
        for asked in json.loads(body)["objects"]:
            told = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.contents:
                told["actions"] = {"upload": {"href": f"{self.url}/objects/{asked['oid']}?X-Amz-Signature=s3cr3t", "header": {}}}
            objects.append(told)
        return answer({"transfer": "basic", "objects": objects})

    def _put_object(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        if hashlib.sha256(body).hexdigest() != groups["oid"]:
            return Answer(400, b"checksum")
        self.uploaded.append(self._keep(body))
        return Answer(200)

    def _commit(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        lines = [json.loads(line) for line in body.decode().splitlines()]
        header, pull = lines[0]["value"], "create_pr=1" in query
        if not pull and header.get("parentCommit") not in (None, repo.head):
            return error(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(repo.files)
        for line in lines[1:]:
            path, value = line["value"]["path"], line["value"]
            if line["key"] == "file":
                files[path] = self._keep(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.contents:
                    return error(400, "", f"LFS object {value['oid']} does not exist")
                files[path] = value["oid"]
            elif line["key"] == "deletedFile":
                del files[path]
            else:
                return error(400, "", f"no {line['key']} here")
        oid = repo.commit(files, header["summary"], pull=pull)
        url = {"commitUrl": f"{self.url}/datasets/{groups['repo']}/commit/{oid}", "commitOid": oid, "hookOutput": "", "success": True}
        return answer(url | ({"pullRequestUrl": f"{self.url}/datasets/{groups['repo']}/discussions/{len(repo.pulls)}"} if pull else {}))

    def _tag(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        name, oid = json.loads(body)["tag"], self._revision(repo, groups["rev"])
        if oid is None:
            return error(404, "RevisionNotFound", "Revision not found")
        if name in repo.tags:
            return error(409, "", "Tag reference exists already")
        repo.tags[name] = oid
        return answer({}, 201)

    def _resolve(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        oid = self._revision(repo, groups["rev"])
        if oid is None:
            return error(404, "RevisionNotFound", "Revision not found")
        name = repo.commits[oid].get(unquote(groups["path"]))
        if name is None:
            return Answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found", "X-Repo-Commit": oid})
        data = self.contents[name]
        told = {"X-Repo-Commit": oid, "ETag": f'"{name}"', "X-Linked-Size": str(len(data)), "Accept-Ranges": "bytes"}
        if name in self.xet_names:
            token = f'<{self.url}/api/datasets/{groups["repo"]}/xet-read-token/{oid}>; rel="xet-auth"'
            told |= {"X-Xet-Hash": self.xet_names[name], "Link": token}
        return _part(data, headers, told)

    # ---- Xet: https://huggingface.co/docs/xet, with xorbs that are not compressed

    def _xet_token(self, repo: Repo, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        until = 4102444800
        told = {"X-Xet-Access-Token": "xet", "X-Xet-Token-Expiration": str(until), "X-Xet-Cas-Url": self.url}
        return answer({"accessToken": "xet", "exp": until, "casUrl": self.url}, **told)

    def _grant(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        return Answer(404)  # as a server without grants and streams would: the client takes the plain endpoints

    _chunks = _shard_v2 = _reconstruction_v2 = _grant

    def _xorb(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        self.xorbs[groups["hash"]] = body
        return answer({"was_inserted": True})

    def _shard(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        """Puts the files of a shard together from their chunks: header, entries (xorb, first and last chunk), checks, SHA-256."""
        at = 48
        while body[at : at + 32] != b"\xff" * 32:
            flags, entries = (int.from_bytes(body[at + n : at + n + 4], "little") for n in (32, 36))
            name, terms, data, at = _hex(body[at : at + 32]), [], b"", at + 48
            for _ in range(entries):
                first, last = (int.from_bytes(body[at + n : at + n + 4], "little") for n in (40, 44))
                terms.append((_hex(body[at : at + 32]), first, last))
                data += b"".join(chunk for _, chunk in _chunks_of(self.xorbs[terms[-1][0]])[first:last])
                at += 48
            at += 48 * (entries * bool(flags & 1 << 31) + bool(flags & 1 << 30))
            self.uploaded.append(self._keep(data))
            self.xet_names[self.uploaded[-1]] = name
            self.terms[name] = terms
        return answer({"result": 1})

    def _reconstruction(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        """Where the chunks of a file lie: terms in its order, and for every xorb an address with a range of bytes."""
        terms, fetch, size = [], {}, 0
        for xorb, first, last in self.terms[groups["hash"]]:
            chunks = _chunks_of(self.xorbs[xorb])
            length = sum(len(chunk) for _, chunk in chunks[first:last])
            until = chunks[last - 1][0] + 8 + len(chunks[last - 1][1])
            terms.append({"hash": xorb, "unpacked_length": length, "range": {"start": first, "end": last}})
            place = {"range": {"start": first, "end": last}, "url": f"{self.url}/xorbs/{xorb}"}
            fetch.setdefault(xorb, []).append(place | {"url_range": {"start": chunks[first][0], "end": until - 1}})
            size += length
        if (found := re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))) and int(found[1]) >= size:
            return Answer(416)
        return answer({"offset_into_first_range": 0, "terms": terms, "fetch_info": fetch})

    def _xorb_data(self, repo: None, groups: dict[str, str], body: bytes, headers: dict[str, str], query: str) -> Answer:
        return _part(self.xorbs[groups["hash"]], headers, {})


def _part(data: bytes, headers: Mapping[str, str], told: dict[str, str]) -> Answer:
    """``data``, or the range of it that was asked for."""
    if found := re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", "")):
        start, end = int(found[1]), min(int(found[2] or len(data) - 1), len(data) - 1)
        return Answer(206, data[start : end + 1], told | {"Content-Range": f"bytes {start}-{end}/{len(data)}"})
    return Answer(200, data, told)


def _hex(name: bytes) -> str:
    """A hash as Xet writes it in addresses: four numbers of eight bytes, the least significant one first."""
    return "".join(name[n : n + 8][::-1].hex() for n in range(0, 32, 8))


def _chunks_of(xorb: bytes) -> list[tuple[int, bytes]]:
    """Where each chunk begins, with its eight bytes of header, and what it holds."""
    out, at = [], 0
    while xorb[at : at + 1] == b"\0" and at < len(xorb):  # a chunk begins with its version, 0; the footer with its name
        packed, scheme, size = (
            int.from_bytes(xorb[at + 1 : at + 4], "little"),
            xorb[at + 4],
            int.from_bytes(xorb[at + 5 : at + 8], "little"),
        )
        assert (scheme, packed) == (0, size), "compressed: set HF_XET_XORB_COMPRESSION_POLICY=none"
        out.append((at, xorb[at + 8 : at + 8 + size]))
        at += 8 + size
    return out


_REPO = r"(?P<repo>[^/]+/[^/]+)"
_ROUTES = [
    ("create", "POST", r"/api/repos/create"),
    ("validate card", "POST", r"/api/validate-yaml"),
    ("info", "GET", rf"/api/datasets/{_REPO}(?:/revision/(?P<rev>[^/]+))?"),
    ("refs", "GET", rf"/api/datasets/{_REPO}/refs"),
    ("tree", "GET", rf"/api/datasets/{_REPO}/tree/(?P<rev>[^/]+)(?P<path>/.*)?"),
    ("paths info", "POST", rf"/api/datasets/{_REPO}/paths-info/(?P<rev>[^/]+)"),
    ("preupload", "POST", rf"/api/datasets/{_REPO}/preupload/(?P<rev>[^/]+)"),
    ("lfs batch", "POST", rf"/datasets/{_REPO}\.git/info/lfs/objects/batch"),
    ("put object", "PUT", r"/objects/(?P<oid>\w+)"),
    ("xet token", "GET", rf"/api/datasets/{_REPO}/xet-(?:read|write)-token/(?P<rev>[^/]+)"),
    ("chunks", "GET", r"/v1/chunks/.*"),
    ("grant", "POST", r"/v1/xorb-grants/.*"),
    ("xorb", "POST", r"/v1/xorbs/default/(?P<hash>\w+)"),
    ("xorb data", "GET", r"/xorbs/(?P<hash>\w+)"),
    ("reconstruction v2", "GET", r"/v2/reconstructions/.*"),
    ("reconstruction", "GET", r"/v1/reconstructions/(?P<hash>\w+)"),
    ("shard", "POST", r"/v1/shards"),
    ("shard v2", "POST", r"/v2/shards"),
    ("commit", "POST", rf"/api/datasets/{_REPO}/commit/(?P<rev>[^/]+)"),
    ("tag", "POST", rf"/api/datasets/{_REPO}/tag/(?P<rev>[^/]+)"),
    ("resolve", "GET|HEAD", rf"/datasets/{_REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)"),
]


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: two would wait 40 ms for each other
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            out = b""
            while size := int(self.rfile.readline(), 16):
                out += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return out

        def _request(self) -> None:
            url = urlsplit(self.path)
            routes = ((name, re.fullmatch(path, url.path)) for name, methods, path in _ROUTES if self.command in methods.split("|"))
            name, found = next(((name, found) for name, found in routes if found), ("", None))
            if found is None:
                hub.requests.append(f"unknown {self.command} {url.path}")
                return self._send(Answer(404, b"no such endpoint"))
            groups = {key: value for key, value in found.groupdict().items() if value is not None}
            if name == "resolve" and self.command == "HEAD":
                name = "resolve (HEAD)"
            fault, body = hub.strikes(name), self._body()
            headers = {key.lower(): value for key, value in self.headers.items()}
            if fault is None:
                return self._send(hub.answer(name.split(" (")[0], groups, body, headers, url.query))
            if isinstance(fault.kind, int):
                return self._send(error(fault.kind, "RepoNotFound" if fault.kind == 404 else "", f"injected {TOKEN}"))
            if fault.kind == "page":
                return self._send(Answer(200, b"<html>log in</html>", {"Content-Type": "text/html"}))
            done = hub.answer(name.split(" (")[0], groups, body, headers, url.query) if fault.kind != "drop" else Answer()
            if fault.kind == "cut":
                self._send(done, half=True)
            self.close_connection = True
            self.connection.close()
            return None

        def _send(self, told: Answer, *, half: bool = False) -> None:
            if half and (self.command == "HEAD" or not told.body):  # half of nothing would be a whole answer
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
                return
            self.send_response(told.status)
            for key, value in told.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(told.body[: len(told.body) // 2] if half else told.body)

        do_GET = do_POST = do_PUT = do_HEAD = _request  # noqa: N815

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a fault has closed is no error of the server's."""


@contextmanager
def serve() -> Iterator[Hub]:
    """A Hub that answers at ``hub.url`` until the block ends."""
    hub = Hub()
    server = _Server(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
