"""The whole flow: no page is lost, and the bytes are the same whoever works and whatever interrupts."""

from __future__ import annotations

import errno
import importlib
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.build import BuildError, build
from thaiwiki_clean.edits import Edit, apply
from thaiwiki_clean.pipeline import progress
from thaiwiki_clean.pipeline.manifest import Manifest
from thaiwiki_clean.readers import Columns, SourceError

ROOT = Path(__file__).resolve().parent.parent
WORDS = [
    "แม่น้ำ",
    "ภูเขา",
    "เมือง",
    "ประชากร",
    "อาณาจักร",
    "การค้า",
    "ข้าว",
    "ทะเล",
    "เหนือ",
    "ใต้",
    "วัด",
    "ถนน",
    "รถไฟ",
    "โรงเรียน",
    "ตลาด",
    "ป่าไม้",
    "เกาะ",
    "พระราชวัง",
    "สงคราม",
    "กษัตริย์",
]


def prose(seed: int, sentences: int = 4) -> str:
    """Sentences that no two seeds share."""
    draw = random.Random(seed)
    return " ".join(
        f"{draw.choice(WORDS)}ที่{seed}เป็น{draw.choice(WORDS)}ของ{draw.choice(WORDS)}และมี{draw.choice(WORDS)}อยู่ใน{draw.choice(WORDS)}"
        for _ in range(sentences)
    )


def page(n: int) -> dict[str, Any]:
    """A page of v3's form, the first eighty with a notice; now and then a redirect, a copy, or a row that cannot be read."""
    if n % 11 == 3:
        return {"id": str(n), "title": f"ทาง {n}", "source": "thaiwikipedia", "text": f"redirect เรื่อง {n - 1}"}
    if n % 17 == 5:
        return {"id": str(n), "title": f"เสีย {n}", "source": "thaiwikipedia", "text": None}
    seed = n - 1 if n % 13 == 7 else n
    notice = "กลับหน้าแรก\n" if n < 80 else ""
    history = prose(seed + 1000, sentences=7).replace(" ", "\n")
    text = f"{notice}{prose(seed)} ()\n\n== ประวัติ ==\n{history}\n== ดูเพิ่ม ==\nเสือ \nสิงโต \n"
    return {"id": str(n), "title": f"เรื่อง {n}", "source": "thaiwikipedia", "text": text}


def write_source(folder: Path, files: list[list[dict[str, Any]]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for n, rows in enumerate(files):
        (folder / f"part-{n}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 pages in six files: six shards, of which four hold a line that recurs."""
    pages = [page(n) for n in range(120)]
    return write_source(tmp_path_factory.mktemp("source") / "pages", [pages[n : n + 20] for n in range(0, 120, 20)])


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    build(str(source), out, engine="serial")
    return out


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, those of an unfinished work too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(out: Path, name: str) -> list[dict[str, Any]]:
    return [row for path in sorted((out / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


# ---- laws

texts = st.one_of(
    st.none(),
    st.integers(0, 30).map(prose),
    st.sampled_from(["", "redirect ผำ", "#เปลี่ยนทาง [[ก]]", "แมว [1]", "() \n"]),
    st.text(max_size=30),
)


@settings(max_examples=max(5, settings().max_examples // 20), deadline=None)  # an example is a whole build
@given(st.lists(texts, max_size=12), st.integers(1, 3))
def test_every_row_is_once_in_articles_or_dropped(tmp_path_factory: pytest.TempPathFactory, raw: list[str | None], files: int) -> None:
    folder = tmp_path_factory.mktemp("flow")
    pages = [{"id": str(n), "title": f"ก{n}", "text": text} for n, text in enumerate(raw)]
    source = write_source(folder / "in", [pages[n::files] for n in range(files)])
    ids = [row["id"] for n in range(files) for row in pages[n::files]]
    manifest = build(str(source), folder / "out", engine="serial", words=None)
    kept, fallen = rows(folder / "out", "articles"), rows(folder / "out", "dropped")
    order = {page_id: n for n, page_id in enumerate(ids)}
    assert sorted([row["id"] for row in [*kept, *fallen]], key=order.__getitem__) == ids
    for some in (kept, fallen):
        assert [row["id"] for row in some] == sorted((row["id"] for row in some), key=order.__getitem__)
    assert (manifest.rows, manifest.articles, sum(manifest.dropped.values())) == (len(raw), len(kept), len(fallen))
    for row in [*kept, *fallen]:
        if row["reason"] != "bad_row" if "reason" in row else True:
            assert apply(raw[int(row["id"])] or "", [Edit(**edit) for edit in row["edits"]]) == row["text"]


class Stopped(Exception):  # noqa: N818  # no error: somebody pulled the plug
    """Somebody pulled the plug."""


@settings(max_examples=max(5, settings().max_examples // 20), deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_a_build_that_was_stopped_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, source: Path, undisturbed: Path, stops: list[float]
) -> None:
    out = tmp_path_factory.mktemp("stopped") / "out"

    def stop(stage: str, done: float, at: float) -> None:
        if done >= at:
            raise Stopped

    for at in stops:
        try:
            build(str(source), out, engine="serial", progress=lambda stage, done, at=at: stop(stage, done, at))  # type: ignore[misc]
        except Stopped:
            assert not (out / "manifest.json").exists()
    build(str(source), out, engine="serial")
    assert contents(out) == contents(undisturbed)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_does_not_show(source: Path, undisturbed: Path, tmp_path: Path, workers: int) -> None:
    build(str(source), tmp_path / "out", workers=workers)
    assert contents(tmp_path / "out") == contents(undisturbed)


@pytest.mark.slow  # a scheduler and two workers start, and each loads the dictionary
def test_a_cluster_gives_the_same_bytes(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the dask engine is an extra")
    build(str(source), tmp_path / "out", engine="dask", workers=2)
    assert contents(tmp_path / "out") == contents(undisturbed)


# Worker of a cluster, prepared to die: before it renames the first file of a stage it kills itself. Nobody's clock has a say in it.
DEADLY = """
import os
def replace(old, new):
    import os, signal
    if {folder!r} in str(new):
        try:
            open({mark!r}, "x").close()
        except FileExistsError:
            pass  # one has died here before
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    os.rename(old, new)
os.replace = replace
"""


@pytest.mark.slow  # a scheduler and two workers start, and a new one in the place of each that is killed
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
def test_a_cluster_that_loses_a_worker_in_every_long_stage_gives_the_same_bytes(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the dask engine is an extra")
    deaths = {
        "cleaning and words": "1-pages",
        "taking them out": "3-pages",
        "duplicates": "4-duplicates",
        "examples": "6-examples",
        "writing": "out/articles",
    }
    begun = set()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster) as client,
    ):

        def prepare(stage: str, done: float) -> None:
            if stage in deaths and stage not in begun:  # before its first task is given out
                begun.add(stage)
                client.wait_for_workers(2)  # one may just be starting again
                client.run(exec, DEADLY.format(folder=f".work/{deaths[stage]}", mark=str(tmp_path / f"died in {stage}")))

        build(str(source), tmp_path / "out", engine="dask", scheduler=cluster.scheduler_address, progress=prepare)
    assert {path.name for path in tmp_path.glob("died in *")} == {f"died in {stage}" for stage in deaths}
    assert contents(tmp_path / "out") == contents(undisturbed)


@pytest.mark.slow  # four builds begin, each with processes of its own
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
def test_a_build_that_was_killed_gives_the_same_bytes(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from thaiwiki_clean.build import build\nif __name__ == '__main__':\n    build(sys.argv[1], sys.argv[2], workers=2)\n"
    )
    script, out = tmp_path / "run.py", tmp_path / "out"
    script.write_text(code, "utf-8")
    draw = random.Random(7)
    for stage in ("1-pages", "3-pages", "6-examples"):
        run = subprocess.Popen([sys.executable, str(script), str(source), str(out)], env={**os.environ, "PYTHONPATH": str(ROOT)})
        while not any((out / ".work" / stage).glob("*")):  # a stage has begun: kill it a moment later
            assert run.poll() is None
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.05))
        run.kill()
        run.wait()
        assert not (out / "manifest.json").exists()
    build(str(source), out, workers=2)
    assert contents(out) == contents(undisturbed)


# ---- what a build refuses

REFUSED = [
    ({"seed": 1}, r"configuration\.seed: 0 -> 1"),
    ({"words": None}, r'configuration\.words: "nlpo3" -> null'),
    ({"dedup": False}, r"configuration\.dedup: true -> false"),
    ({"columns": Columns(title="id")}, r'configuration\.columns\.title: null -> "id"'),
]


@pytest.mark.parametrize(("other", "message"), REFUSED)
def test_another_configuration_is_refused(source: Path, undisturbed: Path, other: dict[str, Any], message: str) -> None:
    before = contents(undisturbed)
    with pytest.raises(BuildError, match=message):
        build(str(source), undisturbed, engine="serial", **other)
    assert contents(undisturbed) == before


def test_another_configuration_is_refused_half_way_too(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        build(str(source), tmp_path / "out", engine="serial", progress=_stop_at(0.4))
    with pytest.raises(BuildError, match=r"configuration\.seed: 0 -> 1.*build into another folder"):
        build(str(source), tmp_path / "out", engine="serial", seed=1)


def _stop_at(at: float) -> Any:
    def stop(stage: str, done: float) -> None:
        if done >= at:
            raise Stopped

    return stop


def test_another_source_is_refused(undisturbed: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"source\.fingerprint"):
        build(str(write_source(tmp_path / "pages", [[page(1)]])), undisturbed, engine="serial")


def test_other_rules_are_refused(source: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("thaiwiki_clean.build"), "RULES_VERSION", "0")
    with pytest.raises(BuildError, match=r"versions\.rules"):
        build(str(source), undisturbed, engine="serial")


def test_a_folder_of_somebody_else_is_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("สำคัญ", "utf-8")
    with pytest.raises(BuildError, match=r"holds what no build made \(thesis\.txt\); give a new or an empty folder"):
        build(str(source), tmp_path, engine="serial")
    assert contents(tmp_path) == {"thesis.txt": "สำคัญ".encode()}


def test_a_file_in_place_of_the_folder_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", "utf-8")
    with pytest.raises(BuildError, match="is a file"):
        build(str(source), tmp_path / "out", engine="serial")


def test_a_changed_result_is_named(source: Path, tmp_path: Path) -> None:
    build(str(write_source(tmp_path / "in", [[page(1)]])), tmp_path / "out", engine="serial", words=None)
    path = next((tmp_path / "out" / "articles").iterdir())
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BuildError, match=f"{path.name} is not the file that manifest.json names"):
        build(str(tmp_path / "in"), tmp_path / "out", engine="serial", words=None)


def test_two_builds_do_not_share_a_folder(source: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="no file locks on this system")
    (tmp_path / ".work").mkdir()
    with (tmp_path / ".work" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match="another build is at work"):
            build(str(source), tmp_path, engine="serial")


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(
    source: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("thaiwiki_clean.pipeline.shards.os.replace", full)
        with pytest.raises(BuildError, match=r"No space left on device; .*same command again"):
            build(str(source), tmp_path / "out", engine="serial")
    build(str(source), tmp_path / "out", engine="serial")
    assert contents(tmp_path / "out") == contents(undisturbed)


# ---- what a build makes


def test_a_finished_folder_is_left_as_it_is(source: Path, undisturbed: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    assert build(str(source), undisturbed, engine="serial") == Manifest.read(undisturbed)
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == before


def test_what_killed_writers_left_is_swept_out(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        build(str(source), tmp_path / "out", engine="serial", progress=_stop_at(0.4))
    half = tmp_path / "out" / ".work" / "out" / "articles" / "articles-00000-of-00001.parquet.0123.tmp"  # would be published
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    build(str(source), tmp_path / "out", engine="serial")
    assert contents(tmp_path / "out") == contents(undisturbed)


def test_what_a_writer_that_was_killed_in_this_run_left_is_not_published(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    half = tmp_path / "out" / ".work" / "out" / "articles" / "articles-00000-of-00001.parquet.0123.tmp"

    def leave(stage: str, done: float) -> None:
        if stage == "writing":
            half.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(b"half")

    build(str(source), tmp_path / "out", engine="serial", progress=leave)
    assert contents(tmp_path / "out") == contents(undisturbed)


def test_rows_that_cannot_be_read_are_kept_with_their_reason(undisturbed: Path) -> None:
    manifest = Manifest.read(undisturbed)
    bad = [row for row in rows(undisturbed, "dropped") if row["reason"] == "bad_row"]
    assert manifest.damage["rows"] == len(bad) == 7
    assert all("part-" in row["detail"] for row in bad)


def test_strict_stops_at_the_first_row_that_cannot_be_read(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"part-0\.jsonl"):
        build(str(source), tmp_path / "out", engine="serial", strict=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".work"]


def test_the_stages_are_the_whole_work() -> None:
    assert sum(progress._SHARES.values()) == pytest.approx(1)


def test_a_notice_goes_from_every_page_that_has_it(undisturbed: Path) -> None:
    pages = rows(undisturbed, "articles") + rows(undisturbed, "dropped")
    gone = [page["id"] for page in pages if any(edit["reason"] == "recurring_line" for edit in page["edits"])]
    assert len(gone) > 50
    assert {int(n) for n in gone} <= set(range(80))
    assert not any("กลับหน้าแรก" in page["text"] for page in pages)


def test_redirects_copies_and_articles_are_told_apart(undisturbed: Path) -> None:
    fallen = {row["id"]: row for row in rows(undisturbed, "dropped")}
    assert (fallen["3"]["reason"], fallen["3"]["detail"]) == ("redirect", "เรื่อง 2")
    assert (fallen["7"]["reason"], fallen["7"]["cluster"]) == ("duplicate", "6")
    assert next(row["cluster"] for row in rows(undisturbed, "articles") if row["id"] == "6") == "6"


def test_every_example_is_of_an_article_and_on_one_side(undisturbed: Path) -> None:
    articles = {row["id"]: row["text"] for row in rows(undisturbed, "articles")}
    examples = rows(undisturbed, "data")
    assert len({row["id"] for row in examples}) == len(examples) == sum(Manifest.read(undisturbed).examples.values()) > 0
    assert all(row["messages"][1]["content"] in articles[row["page_id"]] for row in examples)


def test_no_file_says_when_or_where_it_was_made(undisturbed: Path, source: Path) -> None:
    for name, held in contents(undisturbed).items():
        for secret in (str(source.parent), str(undisturbed.parent), str(Path.home())):
            assert secret.encode() not in held, name


def test_an_empty_source_makes_a_folder_without_rows(tmp_path: Path) -> None:
    manifest = build(str(write_source(tmp_path / "in", [[]])), tmp_path / "out", engine="serial", words=None)
    assert (manifest.rows, manifest.articles, manifest.dropped) == (0, 0, {})
    assert (tmp_path / "out" / "README.md").exists()


def test_the_samples_show_every_reason_with_the_raw_text(undisturbed: Path) -> None:
    manifest = Manifest.read(undisturbed)
    samples = pq.read_table(undisturbed / "samples.parquet").to_pylist()
    assert {row["shows"] for row in samples} - {"by chance"} == {*manifest.edits, *manifest.dropped}
    assert all(apply(row["raw"], [Edit(**edit) for edit in row["edits"]]) == row["text"] for row in samples)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    datasets = pytest.importorskip("datasets", reason="the datasets library is an extra")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    yield lambda *args: datasets.load_dataset(*args, cache_dir=str(tmp_path / "cache"))
    datasets.enable_progress_bars()


@pytest.mark.filterwarnings("ignore")  # of the library, not ours
def test_datasets_loads_the_folder(undisturbed: Path, offline: Any) -> None:
    manifest = Manifest.read(undisturbed)
    assert {name: len(split) for name, split in offline(str(undisturbed)).items()} == {k: n for k, n in manifest.examples.items() if n}
    assert len(offline(str(undisturbed), "articles")["train"]) == manifest.articles
    assert offline(str(undisturbed), "dropped")["train"]["id"] == [row["id"] for row in rows(undisturbed, "dropped")]


# ---- docs/how-to/on-a-cluster.md


def commands_of_the_page() -> list[list[str]]:
    """Every command of the how-to page."""
    text = (ROOT / "docs" / "how-to" / "on-a-cluster.md").read_text("utf-8")
    return [shlex.split(line[2:]) for line in text.split("\n") if line.startswith("$ ")]


@pytest.mark.slow  # five processes start: a scheduler, a nanny with two workers, and the command
def test_the_commands_of_the_how_to_page_work(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the dask engine is an extra")
    scheduler, workers, command, from_a_store, into_a_store = commands_of_the_page()
    with socket.socket() as free:  # the port of the page may be somebody's
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    dask = str(Path(sys.executable).parent / "dask")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started: list[subprocess.Popen[bytes]] = []
    try:
        for words in (scheduler, workers):
            said = [dask, *(word.replace("8786", port) for word in words[1:])]  # elsewhere: a path of ours must mean the same to them
            started.append(subprocess.Popen(said, env=environment, stderr=subprocess.DEVNULL, cwd=Path(sys.prefix)))
        (tmp_path / "pages").symlink_to(source)
        places = {"pages.parquet": str(tmp_path / "pages"), "clean/": "out", "/shared/work": "work", "s3://bucket/clean": "file://store"}
        cached, *from_a_store = from_a_store
        assert cached == "THAIWIKI_CACHE=/shared/cache"
        environment["THAIWIKI_CACHE"] = str(tmp_path / "cache")
        stored = {**places, "s3://bucket/pages": f"simplecache::file://{tmp_path}/pages", "clean/": "fetched"}  # no path, but a store
        for typed, named in ((command, places), (from_a_store, stored), (into_a_store, places)):
            said = [sys.executable, "-m", "thaiwiki_clean", *(named.get(word, word).replace("8786", port) for word in typed[1:])]
            subprocess.run(said, env=environment, check=True, cwd=tmp_path, capture_output=True, timeout=240)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)
    assert list((tmp_path / "cache" / "sources").iterdir())
    assert contents(tmp_path / "out") == contents(tmp_path / "fetched") == contents(tmp_path / "store") == contents(undisturbed)
