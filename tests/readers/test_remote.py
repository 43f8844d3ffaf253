"""Pages at an address: what is read, what is fetched and when, and that nothing in the cache is ever half."""

from __future__ import annotations

import errno
import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.readers.reading import raws, said
from thaiwiki_clean.build import build
from thaiwiki_clean.cli import cli
from thaiwiki_clean.readers import open_source

fsspec = pytest.importorskip("fsspec", reason="addresses are fsspec's, which comes with the hub extra")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402  # it may not be there

KNOWN: dict[str, Any] = sys.modules["fsspec.registry"]._registry  #: file systems by their protocols, as fsspec has loaded them
LINE = b'{"title": "t", "text": "%s"}\n'


class Shop(MemoryFileSystem):  # type: ignore[misc]
    """A store in memory that notes what is fetched from it, and that may break in the middle of a file."""

    protocol = "shop"
    store: dict[str, Any] = {}  # noqa: RUF012  # fsspec's own way: a store for all its instances
    pseudo_dirs: list[str] = [""]  # noqa: RUF012
    fetched: list[str] = []  # noqa: RUF012
    breaks: tuple[str, Exception | None] = ("", None)  #: what breaks, and how; None for bytes that are missing
    silent = False  #: says nothing of a file but its size

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(MemoryFileSystem._strip_protocol(path.replace("shop://", "memory://")))

    def get_file(self, rpath: str, lpath: str, **_: Any) -> None:
        name = rpath.rpartition("/")[2]
        self.fetched.append(name)
        data = self.cat_file(rpath)
        broken, error = self.breaks
        Path(lpath).write_bytes(data[: len(data) // 2] if name == broken else data)
        if name == broken and error is not None:
            raise error

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        about: dict[str, Any] = super().info(path, **options)
        return {name: value for name, value in about.items() if not (self.silent and name == "created")}

    @classmethod
    def put(cls, *names: str) -> None:
        """Files that hold their own names."""
        for name in names:
            fsspec.filesystem("shop").pipe_file(f"/bucket/{name}", LINE % name.encode())


fsspec.register_implementation("shop", Shop, clobber=True)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache and a store that no other test sees."""
    monkeypatch.setenv("THAIWIKI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    yield tmp_path / "cache"
    Shop.store.clear()
    Shop.pseudo_dirs[:] = [""]
    Shop.fetched.clear()
    Shop.breaks, Shop.silent = ("", None), False


def kept(cache: Path) -> list[str]:
    """What the cache holds, without what a name in it begins with: the state of the file."""
    return sorted(path.name.partition("-")[2] for path in cache.rglob("*") if path.is_file() and path.name != "lock")


# --------------------------------------------------------------------------- laws

NAMES = (
    "b.jsonl",
    "a/z.jsonl",
    "a.jsonl",
    ".h.jsonl",
    "_c.jsonl",
    ".cache/d.jsonl",
    "info.json",
    "README.md",
    "a/train.jsonl",
    "th-1.jsonl",
)


@pytest.fixture(params=["shop", "dir"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str, dict[str, Any]]:
    """The same files on this machine and in a store, and what fsspec is told of it."""
    here = tmp_path / "bucket"
    for name in NAMES:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(LINE % name.encode())
    Shop.put(*NAMES)
    inside = {"path": str(tmp_path), "target_protocol": "file"}
    return here, f"{request.param}://bucket", inside if request.param == "dir" else {}


@pytest.mark.parametrize(
    ("inside", "split"),
    [
        *(
            (inside, None)
            for inside in ("", "/", "/a", "/a.jsonl", "/*.jsonl", "/**/*.jsonl", "/a/*", "/.h*", "/th-[12].jsonl", "/?.jsonl")
        ),
        *((inside, "train") for inside in ("", "/a", "/**/*.jsonl")),
    ],
)
def test_an_address_means_what_the_same_path_means_here(both: tuple[Path, str, dict[str, Any]], inside: str, split: str | None) -> None:
    here, there, options = both
    local = open_source(f"{here}{inside}", split=split)
    remote = open_source(f"{there}{inside}", split=split, source_options=options)
    assert (remote.name, remote.fingerprint, remote.kind, remote.rows) == (local.name, local.fingerprint, local.kind, local.rows)
    assert [shard.name for shard in remote.shards] == [shard.name for shard in local.shards]
    assert raws(f"{there}{inside}", split=split, source_options=options) == raws(f"{here}{inside}", split=split)


@pytest.mark.parametrize(
    ("inside", "split"), [("/*", None), ("/README.md", None), ("/x*.jsonl", None), ("/a/x/*", None), ("", "dev"), ("/a.jsonl", "train")]
)
def test_what_cannot_be_read_is_said_as_of_a_path(both: tuple[Path, str, dict[str, Any]], inside: str, split: str | None) -> None:
    here, there, options = both
    assert said(f"{there}{inside}", split=split, source_options=options) == said(f"{here}{inside}", split=split).replace(str(here), there)


BREAKS = [
    (
        TimeoutError("the line\nis dead"),
        "cannot be read (TimeoutError: the line is dead); check the address and your credentials for it, then run",
    ),
    (RuntimeError(), "cannot be read (RuntimeError); check the address and your credentials for it, then run the same command again"),
    (
        OSError(errno.ENOSPC, "No space left on device"),
        ": No space left on device; what is fetched is kept there: make room, or name another",
    ),
    (None, "; run the same command again"),
]


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize(("error", "line"), BREAKS)
def test_a_fetch_that_breaks_leaves_nothing_half_and_goes_on(cache: Path, at: int, error: Exception | None, line: str) -> None:
    names = ["a.jsonl", "b.jsonl", "c.jsonl"]
    Shop.put(*names)
    Shop.breaks = names[at], error
    assert line in said("shop://bucket")
    assert kept(cache) == names[:at]
    Shop.breaks = "", None
    Shop.fetched.clear()
    assert raws("shop://bucket") == names
    assert Shop.fetched == names[at:]
    assert kept(cache) == names


@pytest.mark.parametrize("watched", [True, False])
def test_who_looks_sees_how_far_a_fetch_is(watched: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fsspec.filesystem("memory").pipe_file("/watched/pages.jsonl", LINE % b"x")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched, raising=False)
    assert raws("memory://watched/pages.jsonl") == ["x"]
    assert ("fetching pages.jsonl" in capsys.readouterr().err) is watched


# --------------------------------------------------------------------------- what is fetched, and when


def test_what_is_there_is_not_fetched_again() -> None:
    Shop.put("a.jsonl", "b.jsonl")
    assert raws("shop://bucket") == raws("shop://bucket/") == ["a.jsonl", "b.jsonl"]
    assert Shop.fetched == ["a.jsonl", "b.jsonl"]


def test_a_file_that_changed_is_fetched_again_and_the_old_one_goes(cache: Path) -> None:
    Shop.put("a.jsonl", "b.jsonl")
    before = open_source("shop://bucket").fingerprint
    fsspec.filesystem("shop").pipe_file("/bucket/b.jsonl", LINE % b"B.jsonl")  # of the same size
    Shop.fetched.clear()
    assert raws("shop://bucket") == ["a.jsonl", "B.jsonl"]
    assert Shop.fetched == ["b.jsonl"]
    assert kept(cache) == ["a.jsonl", "b.jsonl"]
    assert open_source("shop://bucket").fingerprint != before


def test_what_fsspec_remembers_of_a_store_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    find, remembered = Shop.find, dict[str, Any]()

    def once(self: Shop, path: str, **options: Any) -> dict[str, Any]:
        remembered.update(remembered or find(self, path, **options))
        return dict(remembered)

    monkeypatch.setattr(Shop, "find", once)
    monkeypatch.setattr(Shop, "invalidate_cache", lambda *_: remembered.clear())
    Shop.put("a.jsonl")
    raws("shop://bucket")
    Shop.put("b.jsonl")
    assert raws("shop://bucket") == ["a.jsonl", "b.jsonl"]


def test_a_file_of_which_the_store_says_only_the_size_is_fetched_each_time(cache: Path) -> None:
    Shop.silent = True
    Shop.put("a.jsonl")
    assert raws("shop://bucket/a.jsonl") == ["a.jsonl"]
    fsspec.filesystem("shop").pipe_file("/bucket/a.jsonl", LINE % b"A.jsonl")
    assert raws("shop://bucket/a.jsonl") == ["A.jsonl"]
    assert kept(cache) == ["a.jsonl"]


def test_a_link_is_read_and_what_is_said_of_it_is_not_taken_for_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    find = Shop.find

    def links(*words: Any, **options: Any) -> dict[str, Any]:
        return {path: {**about, "type": "link", "size": 3} for path, about in find(*words, **options).items()}

    Shop.put("a.jsonl")
    monkeypatch.setattr(Shop, "find", links)
    assert [raws("shop://bucket"), raws("shop://bucket")] == [["a.jsonl"]] * 2
    assert Shop.fetched == ["a.jsonl"] * 2


def test_what_the_address_has_no_more_and_what_was_killed_leave_the_cache(cache: Path) -> None:
    Shop.put("a.jsonl", "b.jsonl")
    raws("shop://bucket")
    fsspec.filesystem("shop").rm("/bucket/a.jsonl")
    next(cache.rglob("*-b.jsonl")).with_name("0-b.jsonl.tmp").write_bytes(b"half")
    assert raws("shop://bucket") == ["b.jsonl"]
    assert kept(cache) == ["b.jsonl"]


def test_of_a_split_only_its_files_are_fetched_and_the_others_stay(cache: Path) -> None:
    Shop.put("train.jsonl", "test.jsonl")
    assert raws("shop://bucket", split="train") == ["train.jsonl"]
    assert Shop.fetched == ["train.jsonl"]
    assert raws("shop://bucket", split="test") == ["test.jsonl"]
    assert kept(cache) == ["test.jsonl", "train.jsonl"]


def test_two_commands_at_a_time_fetch_a_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fcntl", reason="no file locks on this system")
    Shop.put("a.jsonl")
    get_file = Shop.get_file

    def slowly(*words: Any, **options: Any) -> None:
        get_file(*words, **options)
        time.sleep(0.2)

    monkeypatch.setattr(Shop, "get_file", slowly)
    with ThreadPoolExecutor(2) as commands:
        assert list(commands.map(raws, ["shop://bucket"] * 2)) == [["a.jsonl"]] * 2
    assert Shop.fetched == ["a.jsonl"]


def test_files_of_one_name_in_two_folders_are_two() -> None:
    Shop.put("x/a.jsonl", "y/a.jsonl")
    for file in Shop.store.values():  # nothing else tells them apart
        file.created = datetime(2026, 1, 1)
    assert raws("shop://bucket") == ["x/a.jsonl", "y/a.jsonl"]


def test_stores_behind_one_address_are_told_by_their_options() -> None:
    Shop.put("one/a.jsonl", "two/a.jsonl")
    for file in Shop.store.values():
        file.created = datetime(2026, 1, 1)
    stores = [{"path": f"/bucket/{store}", "target_protocol": "shop"} for store in ("one", "two")]
    assert [raws("dir://a.jsonl", source_options=store) for store in stores] == [["one/a.jsonl"], ["two/a.jsonl"]]


def test_the_cache_is_the_users_where_no_other_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THAIWIKI_CACHE")
    Shop.put("a.jsonl")
    raws("shop://bucket")
    assert kept(tmp_path / "xdg" / "thaiwiki-clean" / "sources") == ["a.jsonl"]


def test_packed_files_keep_their_endings_however_long_and_thai_their_names(tmp_path: Path) -> None:
    import gzip

    fsspec.filesystem("shop").pipe_file(f"/bucket/{'ก' * 40}{'a' * 200}.jsonl.gz", gzip.compress(LINE % b"x"))
    assert raws("shop://bucket") == ["x"]


def test_a_saved_data_set_is_read_by_its_own_list() -> None:
    pa = pytest.importorskip("pyarrow")
    fs = fsspec.filesystem("shop")
    for split in ("train", "test"):
        for name in ("data-0.arrow", "cache-1.arrow"):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])) as out:
                out.write_table(pa.table({"text": [f"{split}/{name}"]}))
            fs.pipe_file(f"/bucket/{split}/{name}", sink.getvalue().to_pybytes())
        fs.pipe_file(f"/bucket/{split}/state.json", json.dumps({"_data_files": [{"filename": "data-0.arrow"}]}).encode())
    fs.pipe_file("/bucket/dataset_dict.json", json.dumps({"splits": ["train", "test"]}).encode())
    assert raws("shop://bucket") == ["test/data-0.arrow", "train/data-0.arrow"]
    assert raws("shop://bucket", split="train") == raws("shop://bucket/train") == ["train/data-0.arrow"]
    fs.rm("/bucket/test/data-0.arrow")
    assert said("shop://bucket").startswith("shop://bucket: test/data-0.arrow is missing, which the list of this datasets folder names")


# --------------------------------------------------------------------------- what is refused


def test_an_empty_folder_is_one_line() -> None:
    fsspec.filesystem("shop").mkdir("/bucket")
    assert said("shop://bucket").startswith("shop://bucket: no file to read; readable are .parquet")


def test_files_of_several_kinds_are_not_mixed() -> None:
    Shop.put("a.jsonl", "a.csv")
    assert said("shop://bucket/") == (
        "shop://bucket: files of several kinds (csv, jsonl), expected one; name them, such as shop://bucket/*.jsonl"
    )


@pytest.mark.parametrize("address", ["shop://bucket", "shop://bucket/a.jsonl"])
def test_what_is_not_there_is_one_line(address: str) -> None:
    assert said(address) == f"{address}: no such file or folder; check the address and your credentials for it"


def test_an_unknown_protocol_is_one_line() -> None:
    assert said("nowhere://bucket/a.jsonl").startswith(
        "nowhere://bucket/a.jsonl cannot be opened (ValueError: Protocol not known: nowhere); check the address"
    )


@pytest.mark.parametrize(
    ("address", "module", "package"), [("s3://bucket/a.jsonl", "s3fs", r"'fsspec\[s3\]'"), ("https://host/a.jsonl", "aiohttp", "aiohttp")]
)
def test_a_missing_package_is_named(address: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    monkeypatch.delitem(KNOWN, address.partition(":")[0], raising=False)
    with pytest.raises(ImportError, match=rf"^{address}: .* \(pip install {package}\)$"):
        raws(address)


def test_without_fsspec_an_address_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match="an address needs fsspec: pip install fsspec"):
        raws("shop://bucket")


@pytest.mark.parametrize("address", ["https://host/", "https://host/pages/", "https://host/*.jsonl", "http://host/a.txt", "https://host"])
def test_a_web_server_lists_no_files(address: str) -> None:
    assert "a web server lists no files, expected the address of one; readable are .parquet" in said(address)


def test_a_revision_is_for_the_hub() -> None:
    assert "a revision ('main') is for data sets of the Hub" in said("shop://bucket", revision="main")


@pytest.mark.parametrize("source", ["pages.jsonl", "owner/name", "hf://datasets/owner/name", "file:///pages.jsonl"])
def test_options_of_a_store_go_with_an_address(source: str) -> None:
    assert said(source, source_options={"key": "x"}).startswith(f"{source}: source_options go with an address such as s3://")


def test_who_may_not_read_learns_it_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("Access\nDenied")

    monkeypatch.setattr(Shop, "info", refused)
    assert said("shop://bucket").startswith(
        "shop://bucket cannot be read (PermissionError: Access Denied); check the address and your cred"
    )


def test_a_full_disk_is_not_taken_for_the_stores(cache: Path) -> None:
    Shop.put("a.jsonl")
    Shop.breaks = "a.jsonl", OSError(errno.ENOSPC, "No space left on device")
    line = said("shop://bucket")
    assert line.startswith(str(cache))
    assert ": No space left on device; what is fetched is kept there: make room, or name another folder with THAIWIKI_CACHE" in line


def test_a_cache_that_cannot_be_made_is_named(cache: Path) -> None:
    cache.write_bytes(b"")
    Shop.put("a.jsonl")
    assert said("shop://bucket").startswith(f"{cache}/sources/")


# --------------------------------------------------------------------------- the web


class Web(SimpleHTTPRequestHandler):
    """The files of a folder; of a packed one it says that gzip is its coding, as Apache may."""

    def end_headers(self) -> None:
        if "gz" in self.path:
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing: the test says what happened."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a web server, and its folder."""
    pytest.importorskip("aiohttp", reason="fsspec's client of the web")
    (tmp_path / "web").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Web, directory=str(tmp_path / "web")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", tmp_path / "web"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("behind", ["", "?token=a/b*"])
def test_a_file_of_the_web_is_read(web: tuple[str, Path], behind: str) -> None:
    address, folder = web
    (folder / "หน้า 1.jsonl").write_bytes(LINE % b"x")
    source = open_source(f"{address}/หน้า%201.jsonl{behind}")
    assert (source.name, source.fingerprint) == ("หน้า 1.jsonl", open_source(str(folder / "หน้า 1.jsonl")).fingerprint)


def test_a_packed_file_of_the_web_stays_packed(web: tuple[str, Path]) -> None:
    import gzip

    address, folder = web
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(LINE % b"x"))
    assert raws(f"{address}/a.jsonl.gz") == ["x"]


def test_a_file_of_the_web_that_is_not_there(web: tuple[str, Path]) -> None:
    assert said(f"{web[0]}/a.jsonl") == f"{web[0]}/a.jsonl: no such file or folder; check the address and your credentials for it"


def test_a_server_that_does_not_answer_is_not_taken_for_a_missing_file() -> None:
    pytest.importorskip("aiohttp", reason="fsspec's client of the web")
    assert said("http://127.0.0.1:9/a.jsonl").startswith("http://127.0.0.1:9/a.jsonl cannot be read (ClientConnectorError: ")


class FakeWeb(Shop):
    """A web server as fsspec shows it, where its client is not installed."""

    protocol = ("http", "https")
    cause: Exception | None = None  #: why it says that there is no such file

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        if path != "https://host/a%20b.jsonl?token=x":
            raise FileNotFoundError(path) from self.cause
        return {"name": path, "size": None, "type": "file", "ETag": '"7"', "url": f"https://mirror/{len(self.fetched)}"}

    def get_file(self, rpath: str, lpath: str, **_: Any) -> None:
        self.fetched.append(rpath)
        Path(lpath).write_bytes(LINE % b"x")


@pytest.fixture
def fake_web(monkeypatch: pytest.MonkeyPatch) -> None:
    for protocol in FakeWeb.protocol:
        monkeypatch.setitem(KNOWN, protocol, FakeWeb)


@pytest.mark.usefixtures("fake_web")
def test_a_file_of_the_web_is_fetched_once_and_named_without_its_query() -> None:
    address = "https://host/a%20b.jsonl?token=x"
    assert [open_source(address).name, open_source(address).name] == ["a b.jsonl", "a b.jsonl"]
    assert Shop.fetched == [address]


@pytest.mark.usefixtures("fake_web")
def test_a_query_that_is_not_there_is_no_glob() -> None:
    assert said("https://host/a.jsonl?token=y").startswith("https://host/a.jsonl?token=y: no such file or folder; check")


@pytest.mark.usefixtures("fake_web")
@pytest.mark.parametrize(
    ("status", "line"),
    [(404, ": no such file or folder; check"), (403, " cannot be read (ConnectionError: refused); check the address and")],
)
def test_only_a_missing_file_of_the_web_is_said_to_be_missing(status: int, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cause = ConnectionError("refused")
    cause.status = status  # type: ignore[attr-defined]  # as aiohttp's errors have one
    monkeypatch.setattr(FakeWeb, "cause", cause)
    assert said("https://host/a.jsonl").startswith(f"https://host/a.jsonl{line}")


# --------------------------------------------------------------------------- builds


def published(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    path = tmp_path / "pages.jsonl"
    rows = [{"id": str(n), "title": f"เรื่อง {n}", "text": f"เรื่องที่ {n} มีเนื้อหาของตนเองและยาวพอที่จะเก็บไว้ได้ ()\n" * 2} for n in range(3)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_a_build_of_an_address_is_that_of_the_same_file_here(pages: Path, tmp_path: Path) -> None:
    build(str(pages), tmp_path / "local", engine="serial", words=None)
    fsspec.filesystem("shop").pipe_file("/bucket/pages.jsonl", pages.read_bytes())
    build("shop://bucket/pages.jsonl", tmp_path / "remote", engine="serial", words=None)
    assert published(tmp_path / "remote") == published(tmp_path / "local")


def test_options_of_the_source_and_of_the_place_are_two(pages: Path, tmp_path: Path) -> None:
    store = {"path": str(tmp_path), "target_protocol": "file"}
    options = {"source_options": store, "storage_options": {**store, "path": str(tmp_path / "other")}}
    build("dir://pages.jsonl", "dir://out", engine="serial", words=None, **options)  # type: ignore[arg-type]
    assert (tmp_path / "other" / "out" / "manifest.json").exists()


def command(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_builds_from_an_address(pages: Path, tmp_path: Path) -> None:
    fsspec.filesystem("shop").pipe_file("/bucket/pages.jsonl", pages.read_bytes())
    code, _, errors = command("build", "shop://bucket", tmp_path / "out", "--engine", "serial", "--words", "none")
    assert (code, errors) == (0, "")


@pytest.mark.parametrize("words", [("explain", "--id", "1", "--source"), ("check",), ("stats", "--words", "none")])
def test_a_command_reads_from_an_address_what_it_reads_from_a_path(pages: Path, words: tuple[str, ...]) -> None:
    fsspec.filesystem("shop").pipe_file("/bucket/pages.jsonl", pages.read_bytes())
    code, told, errors = command(*words, "shop://bucket/pages.jsonl")
    assert (code, told, errors) == command(*words, pages)
    assert told


def test_a_command_says_in_one_line_what_it_cannot_read() -> None:
    address = "shop://bucket/pages.jsonl"
    assert command("stats", address) == (
        1,
        "",
        f"error: {address}: no such file or folder; check the address and your credentials for it\n",
    )
