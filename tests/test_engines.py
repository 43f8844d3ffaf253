"""Engines: every task is done, whoever does it and whoever dies meanwhile.

A task that runs in another process must be importable there, which a test module need not be: so tasks are ``exec`` of a text.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.engines import EngineError, Task, cores, open_engine


def task(name: str, code: str) -> Task:
    return Task(name, exec, (code,))


def touch(path: Path) -> Task:
    return task(path.name, f"open({str(path)!r}, 'w').close()")  # may run twice, as every task must


# ---- laws


@given(st.lists(st.integers(), max_size=20))
def test_every_task_comes_back_once(numbers: list[int]) -> None:
    tasks = [Task(str(n), int, (n,)) for n in numbers]
    with open_engine("serial") as run:
        assert sorted(task.name for task in run(tasks)) == sorted(task.name for task in tasks)


@settings(max_examples=5, deadline=None)  # every example starts two processes
@given(st.integers(1, 12))
def test_processes_do_every_task_once(tmp_path_factory: pytest.TempPathFactory, n: int) -> None:
    folder = tmp_path_factory.mktemp("once")
    with open_engine("process", workers=2) as run:
        done = [task.name for task in run([touch(folder / str(i)) for i in range(n)])]
    assert sorted(done) == sorted(path.name for path in folder.iterdir()) == sorted(map(str, range(n)))


# ---- what goes wrong


@pytest.mark.parametrize("engine", ["serial", "process"])
def test_what_a_task_raises_comes_out(engine: str) -> None:
    with open_engine(engine, workers=1) as run, pytest.raises(ZeroDivisionError):
        list(run([task("bad", "1 / 0")]))


def test_a_worker_that_dies_takes_no_task_with_it(tmp_path: Path) -> None:
    tried, done = tmp_path / "tried", tmp_path / "done"
    deadly = f"import os\nif not os.path.exists({str(tried)!r}):\n    open({str(tried)!r}, 'x').close(); os.kill(os.getpid(), 9)\nopen({str(done)!r}, 'x').close()"
    with open_engine("process", workers=2) as run:
        names = [t.name for t in run([task("deadly", deadly), *(touch(tmp_path / str(i)) for i in range(6))])]
    assert sorted(names) == ["0", "1", "2", "3", "4", "5", "deadly"]
    assert done.exists()


def test_a_task_that_kills_every_worker_is_named() -> None:
    with open_engine("process", workers=1) as run, pytest.raises(EngineError, match=r"died 3 times at poison; .*fewer workers"):
        list(run([task("poison", "import os; os.kill(os.getpid(), 9)")]))


def test_the_pool_works_on_after_an_error(tmp_path: Path) -> None:
    with open_engine("process", workers=1) as run:
        with pytest.raises(ZeroDivisionError):
            list(run([task("bad", "1 / 0")]))
        assert [t.name for t in run([touch(tmp_path / "good")])] == ["good"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "ray"}, "no engine 'ray'; there are process, dask, serial"),
        ({"workers": 0}, "at least 1 worker, got 0"),
        ({"scheduler": "tcp://there:1"}, "belongs to engine 'dask'"),
    ],
)
def test_a_wrong_engine_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message), open_engine(**arguments):  # type: ignore[arg-type]
        pass


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
def test_workers_go_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
from thaiwiki_clean.engines import Task, open_engine
if __name__ == "__main__":
    with open_engine("process", workers=2) as run:
        said = [Task(str(n), exec, (f"import os, time; open({str(tmp_path)!r} + '/' + str(os.getpid()), 'x').close(); time.sleep(60)",)) for n in range(2)]
        list(run(said))
"""
    script = tmp_path / "parent.py"
    script.write_text(code, "utf-8")
    root = str(Path(__file__).resolve().parent.parent)
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": root})
    try:
        _until(lambda: len(_numbers(tmp_path)) == 2)
    finally:
        parent.kill()
        parent.wait()
    _until(lambda: not any(map(_alive, _numbers(tmp_path))))


def _numbers(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has asked for yet is not alive.
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def _until(true: object, seconds: float = 30) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.05)


def test_all_cores_that_we_may_use_are_counted() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)


# ---- dask.distributed


@pytest.fixture(scope="module")
def cluster() -> object:
    distributed = pytest.importorskip("distributed", reason="the dask engine is an extra")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        yield cluster


def test_a_cluster_does_every_task(cluster: object, tmp_path: Path) -> None:
    with open_engine("dask", scheduler=cluster.scheduler_address) as run:  # type: ignore[attr-defined]
        list(run([touch(tmp_path / str(i)) for i in range(5)]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "3", "4"]


def test_a_cluster_survives_a_lost_worker(cluster: object, tmp_path: Path) -> None:
    tried, done = tmp_path / "tried", tmp_path / "done"
    deadly = f"import os\nif not os.path.exists({str(tried)!r}):\n    open({str(tried)!r}, 'x').close(); os.kill(os.getpid(), 9)\nopen({str(done)!r}, 'x').close()"
    with open_engine("dask", scheduler=cluster.scheduler_address) as run:  # type: ignore[attr-defined]
        list(run([task("deadly", deadly)]))
    assert done.exists()


def test_a_cluster_gives_back_what_a_task_raises(cluster: object) -> None:
    with open_engine("dask", scheduler=cluster.scheduler_address) as run, pytest.raises(ZeroDivisionError):  # type: ignore[attr-defined]
        list(run([task("bad", "1 / 0")]))


def test_a_cluster_that_does_not_see_the_folder_is_refused(cluster: object, tmp_path: Path) -> None:
    with (
        pytest.raises(EngineError, match=rf"^\d of \d workers, such as tcp://.*, do not see {tmp_path}: .*under the same path; .*--work$"),
        open_engine("dask", scheduler=cluster.scheduler_address, seen=tmp_path / "identity.json"),  # type: ignore[attr-defined]
    ):
        pass


def test_a_cluster_that_sees_the_folder_works(cluster: object, tmp_path: Path) -> None:
    (tmp_path / "identity.json").touch()
    with open_engine("dask", scheduler=cluster.scheduler_address, seen=tmp_path / "identity.json") as run:  # type: ignore[attr-defined]
        list(run([touch(tmp_path / "done")]))
    assert (tmp_path / "done").exists()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the dask engine is an extra")
    monkeypatch.setattr("thaiwiki_clean.engines.CONNECT_SECONDS", 0.5)
    with (
        pytest.raises(EngineError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9 .*dask scheduler"),
        open_engine("dask", scheduler="tcp://127.0.0.1:9"),
    ):
        pass
