"""Engines: who runs the tasks of a build. A process pool on one machine, ``dask.distributed`` on a cluster, or nobody but us.

A task is a plain function from files to one file that is written beside and renamed, so it may run twice, anywhere, at any time,
and the bytes stay the same. That is why an engine needs no scheduler, heartbeat or bookkeeping of ours: any
:class:`concurrent.futures.Executor` will do.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["ENGINES", "EngineError", "Run", "Task", "cores", "end_with_parent", "open_engine"]

ENGINES = ("process", "dask", "serial")

#: How long a scheduler may take to answer.
CONNECT_SECONDS = 10.0

# A task that was running when a worker died is given to new workers this often; then it is the task, not the weather.
_MAX_DEATHS = 3

# A task holds hundreds of thousands of words and edits at once, none of them in a cycle: to look for cycles after every 700 new
# objects, as Python does, is 4 % of a build.
_GC_THRESHOLD = (50_000, 20, 100)


class EngineError(Exception):
    """The engine cannot start, or lost its workers too often; the message is one line with what to do."""


class Task(NamedTuple):
    """``run(*args)`` writes one file; ``name`` stands in errors, ``weight`` is its share of the work (pages)."""

    name: str
    run: Callable[..., None]
    args: tuple[Any, ...] = ()
    weight: int = 1


#: Runs tasks and gives each back as it is done, in no particular order.
Run = Callable[[Sequence[Task]], Iterator[Task]]


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def open_engine(
    kind: str = "process", *, workers: int | None = None, scheduler: str | None = None, seen: Path | None = None
) -> Iterator[Run]:
    """A way to run tasks, open as long as the ``with`` block lasts.

    >>> with open_engine("serial") as run:
    ...     [task.name for task in run([Task("one", print, ("at work",))])]
    at work
    ['one']

    ``process`` starts ``workers`` fresh processes (all cores by default); ``dask`` uses the cluster at ``scheduler``
    (``tcp://host:8786``), or a small one of its own on this machine when none is named; ``serial`` runs here.
    Every worker that is at the scheduler must see the file ``seen``, on a disk that all machines share.
    What a task raises comes out of the loop. A worker that dies takes no task with it: its tasks run again on new workers.
    Raises ValueError for an unknown kind or less than one worker, EngineError when workers keep dying,
    or do not see the file.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"a build needs at least 1 worker, got {workers}")
    if scheduler is not None and kind != "dask":
        raise ValueError(f"a scheduler ({scheduler}) belongs to engine 'dask', got engine {kind!r}")
    if kind == "serial":
        yield _serial
    elif kind == "process":
        with contextlib.closing(_Processes(workers or cores())) as processes:
            yield processes.run
    elif kind == "dask":
        with _dask(workers or cores(), scheduler, seen) as run:
            yield run
    else:
        raise ValueError(f"no engine {kind!r}; there are {', '.join(ENGINES)}")


def _serial(tasks: Sequence[Task]) -> Iterator[Task]:
    for task in tasks:
        task.run(*task.args)
        yield task


class _Processes:
    """A pool of spawned processes that is replaced when one of them dies.

    Spawned, never forked: a forked child inherits the locks of the threads that pyarrow and nlpo3 keep, and hangs.
    ``multiprocessing.Pool`` is no way out: it waits for ever for the result of a worker that was killed.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.workers, mp_context=multiprocessing.get_context("spawn"), initializer=_worker)

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)

    def run(self, tasks: Sequence[Task]) -> Iterator[Task]:
        waiting = deque(tasks)
        deaths: Counter[int] = Counter()
        while waiting:
            running: dict[Future[None], Task] = {}
            try:
                yield from _drain(self.pool, waiting, running, window=self.workers + 1)
            except BrokenProcessPool:
                self.pool.shutdown(cancel_futures=True)
                for task in reversed(list(running.values())):
                    waiting.appendleft(task)
                    deaths[id(task)] += 1
                    if deaths[id(task)] >= _MAX_DEATHS:
                        raise EngineError(
                            f"a worker process died {_MAX_DEATHS} times at {task.name}; "
                            "most often the machine is out of memory: run the same command again with fewer workers, it goes on where it stopped"
                        ) from None
                self.pool = self._start()


def _drain(pool: Executor, waiting: deque[Task], running: dict[Future[None], Task], *, window: int) -> Iterator[Task]:
    """Run ``waiting`` on ``pool``, at most ``window`` tasks at a time; what had no result yet is left in ``running``."""
    try:
        while waiting or running:
            while waiting and len(running) < window:
                task = waiting[0]
                running[pool.submit(task.run, *task.args)] = task
                waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=_failed):  # a task that came home just before the pool broke has done its work
                future.result()
                yield running.pop(future)
    finally:
        for future in running:
            future.cancel()


def _failed(future: Future[None]) -> bool:
    return future.exception() is not None


def _worker() -> None:
    """Prepare a worker process: Ctrl-C is the parent's business, and a parent that was killed takes its workers with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*_GC_THRESHOLD)
    end_with_parent()


def end_with_parent() -> None:
    """In a worker process: end it, whatever it is doing, when the process that started it ends."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)  # the pool's queue never ends for its workers: without this they would wait for ever

    threading.Thread(target=follow, daemon=True).start()


@contextlib.contextmanager
def _dask(workers: int, scheduler: str | None, seen: Path | None) -> Iterator[Run]:
    """The tasks of a ``dask.distributed`` cluster; it schedules, retries and survives lost workers."""
    try:
        from distributed import Client, KilledWorker, LocalCluster
    except ImportError:
        raise ImportError("the dask engine needs dask.distributed: pip install 'thaiwiki-clean[dask]'") from None
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            cluster = LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0")
            client = stack.enter_context(Client(stack.enter_context(cluster)))
        else:
            try:
                client = stack.enter_context(Client(scheduler, timeout=CONNECT_SECONDS))
            except OSError as error:
                raise EngineError(
                    f"no dask scheduler answers at {scheduler} ({_first_line(error)}); start one with: dask scheduler"
                ) from None
            if seen is not None:
                _all_see(client, seen)
        # pure=False: a task is known by its files, not by its arguments, and must run when it is asked to.
        pool = client.get_executor(pure=False)
        stack.callback(pool.shutdown, wait=False)

        def run(tasks: Sequence[Task]) -> Iterator[Task]:
            running: dict[Future[None], Task] = {}
            try:
                yield from _drain(pool, deque(tasks), running, window=1000)
            except KilledWorker as error:
                raise EngineError(
                    f"the cluster lost its workers again and again ({_first_line(error)}); "
                    "give them more memory, then run the same command again: it goes on where it stopped"
                ) from None

        yield run


def _all_see(client: Any, file: Path) -> None:
    """Raise EngineError when a worker that is there does not see the file: it would write where nobody looks."""
    answers: dict[str, object] = client.run(os.path.exists, str(file), on_error="ignore")  # one that dies meanwhile has no answer
    if blind := sorted(worker for worker, sees in answers.items() if sees is False):
        raise EngineError(
            f"{len(blind)} of {len(answers)} workers, such as {blind[0]}, do not see {file.parent}: "
            "a cluster works in a folder that all its machines have under the same path; build into one, or name one with --work"
        )


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
