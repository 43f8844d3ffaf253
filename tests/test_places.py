"""Where a build ends up: at an address there is what a folder would hold, and never half a file, whatever breaks on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.build import BuildError, build
from thaiwiki_clean.cli import cli
from thaiwiki_clean.pipeline import places
from thaiwiki_clean.pipeline.manifest import Manifest

ROOT = Path(__file__).resolve().parent.parent
fsspec = pytest.importorskip("fsspec", reason="addresses are fsspec's, which comes with the hub extra")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402  # it may not be there

PAGES = [f"เรื่องที่ {n} มีเนื้อหาของตนเองและยาวพอที่จะเก็บไว้ได้ ()\n\nย่อหน้าที่สองของเรื่อง {n} ก็มีข้อความเช่นกัน" for n in range(3)]


class Shaky(MemoryFileSystem):  # type: ignore[misc]
    """A store in memory, with a connection that breaks at the request to write number ``breaks``, in the middle of a file."""

    protocol = "shaky"
    store: dict[str, Any] = {}  # noqa: RUF012  # fsspec's own way: a store for all its instances
    pseudo_dirs: list[str] = [""]  # noqa: RUF012
    breaks = -1
    at_once = False  #: whether a file is there whole or not at all

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(MemoryFileSystem._strip_protocol(path.replace("shaky://", "memory://")))

    @classmethod
    def request(cls) -> None:
        cls.breaks -= 1
        if cls.breaks == -1:
            raise TimeoutError("the line is dead")

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        data = Path(lpath).read_bytes()
        try:
            self.request()
        except TimeoutError:
            if not self.at_once:
                self.pipe_file(rpath, data[: len(data) // 2])
            raise
        self.pipe_file(rpath, data)

    def mv(self, path1: str, path2: str, **options: Any) -> None:
        self.request()
        if path2 in self.store:  # as on sftp
            raise FileExistsError(path2)
        super().mv(path1, path2, **options)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        self.request()
        super().rm(path, recursive, maxdepth)

    @classmethod
    def empty(cls) -> None:
        cls.store.clear()
        cls.pseudo_dirs[:] = [""]

    @classmethod
    def holds(cls, root: str) -> dict[str, bytes]:
        return {path.removeprefix(f"/{root}/"): file.getvalue() for path, file in sorted(cls.store.items()) if path.startswith(f"/{root}/")}


fsspec.register_implementation("shaky", Shaky, clobber=True)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder, a cache, and stores in memory, that no other test sees."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    Shaky.empty()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    Shaky.breaks, Shaky.at_once = -1, False


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "pages.jsonl"
    rows = [{"id": str(n), "title": f"เรื่อง {n}", "text": text} for n, text in enumerate(PAGES)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("folder") / "out"
    run(source, out)
    return out


@pytest.fixture(scope="module")
def folder(undisturbed: Path) -> dict[str, bytes]:
    """What a build into a folder holds."""
    return contents(undisturbed)


@pytest.fixture(scope="module")
def worked(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work of a build that has only to send its files."""
    work = tmp_path_factory.mktemp("worked") / "work"
    Shaky.empty()
    Shaky.breaks = 3  # behind the mark that the place is ours: sent, copied, removed
    with pytest.raises(BuildError, match="the line is dead"):
        run(source, "shaky://bucket/clean", work=work)
    assert list(work.glob("*/whole"))
    return work


def run(source: Path, out: str | Path, **options: Any) -> Manifest:
    return build(str(source), out, engine="serial", words=None, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def published(held: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in held.items() if not name.startswith(".work/")}


# ---- laws


@settings(max_examples=max(20, settings().max_examples // 5), deadline=None)  # an example is up to four runs
@given(breaks=st.lists(st.integers(0, 30), min_size=1, max_size=3), at_once=st.booleans())
def test_a_broken_line_leaves_no_half_file_and_the_next_run_completes(
    tmp_path_factory: pytest.TempPathFactory, source: Path, undisturbed: Path, worked: Path, breaks: list[int], at_once: bool
) -> None:
    folder = contents(undisturbed)
    work, out = tmp_path_factory.mktemp("work"), "shaky://bucket/clean"
    shutil.copytree(worked, work, dirs_exist_ok=True)
    Shaky.empty()
    Shaky.at_once = at_once
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "_AT_ONCE", {"shaky"} if at_once else set())
        for number in [*breaks, -1]:
            Shaky.breaks = number
            try:
                manifest = run(source, out, work=work)
            except BuildError as error:
                assert str(error).startswith(f"{out} cannot be written (TimeoutError: the line is dead); ")  # noqa: PT017
            seen = published(Shaky.holds("bucket/clean"))
            assert seen.items() <= folder.items()
            assert "manifest.json" not in seen or seen == folder
    assert Shaky.holds("bucket/clean") == folder
    assert manifest.to_json().encode() == folder["manifest.json"]
    assert list(work.iterdir()) == []


# ---- what comes out


def at(tmp_path: Path) -> dict[str, tuple[Any, dict[str, Any], Callable[[], dict[str, bytes]]]]:
    """Kind of place -> how it is named, the options it takes, and how to look into it without us."""
    out = tmp_path / "out"

    def look() -> dict[str, bytes]:
        return contents(out)

    def look_into_memory() -> dict[str, bytes]:
        fs = fsspec.filesystem("memory")
        return {path.removeprefix("/bucket/clean/"): fs.cat_file(path) for path in sorted(fs.find("/bucket/clean"))}

    inside = {"storage_options": {"path": str(tmp_path), "target_protocol": "file"}}
    return {
        "memory": ("memory://bucket/clean", {}, look_into_memory),
        "memory, a slash behind": ("memory://bucket/clean/", {}, look_into_memory),
        "a file system in a folder": ("dir://out", inside, look),
        "the whole of a file system": ("dir://", {"storage_options": {"path": str(out), "target_protocol": "file"}}, look),
        "file": (f"file://{out}", {}, look),
        "local": (f"local://{out}", {}, look),
        "file, worked on elsewhere": (f"file://{out}", {"work": tmp_path / "work"}, look),
        "folder, worked on elsewhere": (out, {"work": tmp_path / "work"}, look),
    }


@pytest.mark.parametrize("kind", at(Path()))
def test_every_place_gets_the_bytes_of_a_folder(source: Path, folder: dict[str, bytes], tmp_path: Path, kind: str) -> None:
    out, options, look = at(tmp_path)[kind]
    manifest = run(source, out, **options)
    assert look() == folder
    assert manifest.to_json().encode() == folder["manifest.json"]


@pytest.mark.parametrize("kind", at(Path()))
def test_what_is_finished_is_not_built_again(source: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, options, _ = at(tmp_path)[kind]
    first = run(source, out, **options)
    monkeypatch.setattr("thaiwiki_clean.pipeline.flow.flow", None)
    assert run(source, out, **options) == first


@pytest.mark.parametrize("kind", at(Path()))
def test_no_work_is_left_behind(source: Path, tmp_path: Path, kind: str) -> None:
    out, options, look = at(tmp_path)[kind]
    run(source, out, **options)
    assert not [name for name in look() if name.startswith(".work")]
    assert [path for place in ("work", "cache/thaiwiki-clean") for path in (tmp_path / place).glob("*")] == []


@pytest.mark.parametrize("out", ["memory://bucket/clean", "out"])
def test_files_beside_the_work_are_left_alone(source: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("สำคัญ", "utf-8")
    run(source, out, work="work")
    assert contents(tmp_path / "work") == {"thesis.txt": "สำคัญ".encode()}


KILLED = """
import os, signal, sys
from thaiwiki_clean.pipeline import places
from thaiwiki_clean.build import build
from fsspec.implementations.local import LocalFileSystem

sent = 0
put_file = LocalFileSystem.put_file

def killed(self, path, to, **options):
    global sent
    sent += 1
    if sent == int(sys.argv[3]):
        data = open(path, "rb").read()
        open(to, "wb").write(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    put_file(self, path, to, **options)

LocalFileSystem.put_file = killed
build(sys.argv[1], "dir://out", engine="serial", words=None, storage_options={"path": sys.argv[2], "target_protocol": "file"})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
@pytest.mark.parametrize("at_file", [1, 3])  # the mark that the place is ours, and a file of many
def test_a_build_that_was_killed_while_it_sent_goes_on(source: Path, folder: dict[str, bytes], tmp_path: Path, at_file: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(source), str(tmp_path), str(at_file)], env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    seen = published(contents(tmp_path / "out"))
    assert seen.items() < folder.items()
    assert "manifest.json" not in seen
    out, options, look = at(tmp_path)["a file system in a folder"]
    run(source, out, **options)
    assert look() == folder


def test_a_file_of_another_size_is_sent_again(source: Path, folder: dict[str, bytes]) -> None:
    Shaky.breaks = 4
    with pytest.raises(BuildError, match="cannot be written"):
        run(source, "shaky://bucket/clean")
    fsspec.filesystem("shaky").pipe_file("/bucket/clean/samples.parquet", b"half")
    run(source, "shaky://bucket/clean")
    assert Shaky.holds("bucket/clean") == folder


def test_work_that_was_begun_for_another_build_is_thrown_away_when_the_place_is_empty_again(
    source: Path, folder: dict[str, bytes], tmp_path: Path
) -> None:
    def stop(stage: str, done: float) -> None:
        if done > 0.4:
            raise KeyboardInterrupt

    other = tmp_path / "pages.jsonl"  # the same shards, and so the same files of work
    other.write_text(source.read_text("utf-8").replace("เรื่อง", "บทความ"), "utf-8")
    with pytest.raises(KeyboardInterrupt):
        run(other, "shaky://bucket/clean", progress=stop)
    Shaky.empty()
    run(source, "shaky://bucket/clean")
    assert Shaky.holds("bucket/clean") == folder


# ---- what is refused


def test_who_may_not_write_learns_it_before_the_work(source: Path, tmp_path: Path) -> None:
    Shaky.breaks = 0
    with pytest.raises(
        BuildError, match=r"^shaky://bucket/clean cannot be written \(TimeoutError: the line is dead\); check .*credentials"
    ):
        run(source, "shaky://bucket/clean")
    (work,) = (tmp_path / "cache" / "thaiwiki-clean").iterdir()
    assert sorted(path.name for path in work.iterdir()) == ["identity.json", "lock"]


def test_who_may_not_read_learns_it_in_one_line(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("Access\nDenied")

    monkeypatch.setattr(Shaky, "ls", refused)
    with pytest.raises(BuildError, match=r"^shaky://bucket/clean cannot be read \(PermissionError: Access Denied\)"):
        run(source, "shaky://bucket/clean")


def test_files_of_somebody_else_are_left_alone(source: Path) -> None:
    fsspec.filesystem("shaky").pipe_file("/bucket/clean/thesis.txt", b"x")
    with pytest.raises(BuildError, match=r"shaky://bucket/clean holds what no build made \(thesis\.txt\); give a new or an empty folder"):
        run(source, "shaky://bucket/clean")
    assert Shaky.holds("bucket/clean") == {"thesis.txt": b"x"}


def test_a_file_in_place_of_the_folder_is_refused(source: Path) -> None:
    fsspec.filesystem("shaky").pipe_file("/bucket/clean", b"x")
    with pytest.raises(BuildError, match=r"shaky://bucket/clean is a file"):
        run(source, "shaky://bucket/clean")


@pytest.mark.parametrize("breaks", [-1, 4])
def test_another_configuration_is_refused_when_finished_and_half_way(source: Path, breaks: int) -> None:
    Shaky.breaks = breaks
    try:
        run(source, "shaky://bucket/clean")
    except BuildError:
        assert breaks == 4
    before = Shaky.holds("bucket/clean")
    with pytest.raises(BuildError, match=r"^shaky://bucket/clean holds a build that differs \(configuration\.seed: 0 -> 1\)"):
        run(source, "shaky://bucket/clean", seed=1)
    assert Shaky.holds("bucket/clean") == before


def test_a_changed_result_is_named(source: Path) -> None:
    run(source, "shaky://bucket/clean")
    fsspec.filesystem("shaky").pipe_file("/bucket/clean/samples.parquet", b"x")
    with pytest.raises(BuildError, match=r"shaky://bucket/clean/samples\.parquet is not the file that manifest\.json names"):
        run(source, "shaky://bucket/clean")


def test_a_file_that_came_short_is_named(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(self: Shaky, path: str, to: str, **_: object) -> None:
        self.pipe_file(to, Path(path).read_bytes()[:5])

    monkeypatch.setattr(Shaky, "put_file", short)
    with pytest.raises(BuildError, match=r"identity\.json has 5 bytes where [\d,]+ were sent; run the same command again"):
        run(source, "shaky://bucket/clean")


def test_two_builds_do_not_share_an_address(source: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="no file locks on this system")
    work = tmp_path / "work"
    Shaky.breaks = 0
    with pytest.raises(BuildError, match="cannot be written"):
        run(source, "shaky://bucket/clean", work=work)
    with next(work.glob("*/lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match="another build is at work in shaky://bucket/clean"):
            run(source, "shaky://bucket/clean", work=work)


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    ("http://host/clean", {}, r"a web server can be read, not written to"),
    ("hf://datasets/user/name", {}, r"build into a folder, then: thaiwiki-clean publish"),
    ("nowhere://bucket/clean", {}, r"nowhere://bucket/clean cannot be opened \(ValueError: Protocol not known: nowhere\)"),
    (Path("s3://bucket/clean"), {}, r"give it as text: 's3://bucket/clean'"),
    ("memory://clean", {"engine": "dask", "scheduler": "tcp://127.0.0.1:9"}, r"all its machines see .*--work"),
    ("clean", {"storage_options": {"key": "x"}}, r"storage_options go with an address"),
]


@pytest.mark.parametrize(("out", "options", "message"), REFUSED)
def test_what_cannot_be_written_to_is_one_line(source: Path, out: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BuildError, match=message) as refused:
        build(str(source), out, words=None, **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("out", "module", "package"),
    [("s3://bucket/clean", "s3fs", r"'fsspec\[s3\]'"), ("az://bucket/clean", "adlfs", "adlfs"), ("gs://b/c", "gcsfs", r"'fsspec\[gs\]'")],
)
def test_a_missing_package_is_named(source: Path, out: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"^{out}: .* \(pip install {package}\)$"):
        run(source, out)


def test_without_fsspec_an_address_says_what_to_install(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match="an address needs fsspec: pip install fsspec"):
        run(source, "memory://bucket/clean")


def test_a_folder_needs_no_fsspec(source: Path, folder: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    run(source, tmp_path / "out", work=tmp_path / "work")
    assert contents(tmp_path / "out") == folder


# ---- the command


def command(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_builds_at_an_address_and_says_where(source: Path, folder: dict[str, bytes]) -> None:
    code, said, errors = command("build", source, "shaky://bucket/clean", "--engine", "serial", "--words", "none")
    assert (code, errors) == (0, "")
    assert said.endswith("Look at\n  shaky://bucket/clean\n")
    assert Shaky.holds("bucket/clean") == folder


@pytest.mark.parametrize(
    "words",
    [
        ("report", "s3://bucket/clean"),
        ("report", "s3://bucket/clean", "s3://bucket/b"),
        ("publish", "s3://bucket/clean", "u/n", "--dry-run"),
    ],
)
def test_a_command_that_wants_a_folder_says_so(words: tuple[str, ...]) -> None:
    if words[0] == "publish":
        pytest.importorskip("huggingface_hub", reason="publishing is an extra")
    code, said, errors = command(*words)
    assert (code, said) == (1, "")
    assert errors == "error: s3://bucket/clean is an address, and this wants a folder of this machine: copy the build to one first\n"
