"""What a build tells the person who waits: how far it is, by the files that are missing, and why it cannot go on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thaiwiki_clean.engines import Run

__all__ = ["BuildError", "Meter", "Planned", "Progress", "progress_bar"]

#: Called with the stage, and how much of the whole work is done, from 0 to 1.
Progress = Callable[[str, float], None]

#: A file, and the function and arguments that make it; the path is the last argument.
Planned = tuple[Path, Callable[..., None], tuple[Any, ...]]


class BuildError(Exception):
    """A build that cannot start or go on; the message is one line: what came, what was expected, what to do."""


# CPU time of each stage as a share of the whole: benchmarks/results/scale.md. Together they are 1.
_SHARES = {
    "cleaning and words": 0.825,
    "recurring lines": 0.005,
    "taking them out": 0.03,
    "duplicates": 0.02,
    "families": 0.005,
    "examples": 0.07,
    "writing": 0.045,
}


class Meter:
    """Runs what is missing of a stage and tells how far the whole work is."""

    def __init__(self, run: Run, progress: Progress | None) -> None:
        self._run = run
        self._progress = progress or (lambda stage, done: None)
        self._before = 0.0

    def run(self, stage: str, tasks: Sequence[Planned]) -> None:
        """Run the tasks whose file is not there yet."""
        from thaiwiki_clean.engines import Task

        missing = [Task(f"{stage}: {path.stem}", work, (*args, path)) for path, work, args in tasks if not path.exists()]
        done = len(tasks) - len(missing)
        self._tell(stage, done, len(tasks))
        for _ in self._run(missing):
            done += 1
            self._tell(stage, done, len(tasks))
        self._before += _SHARES[stage]

    def _tell(self, stage: str, done: int, of: int) -> None:
        self._progress(stage, self._before + _SHARES[stage] * done / max(1, of))


@contextlib.contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Progress]:
    """A bar on stderr for ``build(progress=...)``; only where stderr is a terminal, and not when ``quiet``.

    The time it says is left is that of the whole work, from the pace of this run: what an earlier run did is not counted in.
    """
    from tqdm import tqdm

    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    bar: Any = None

    def show(stage: str, done: float) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=1.0, initial=done, bar_format=form, disable=True if quiet else None, smoothing=0.1, leave=False)
        bar.set_description_str(stage, refresh=False)
        bar.update(done - bar.n)
        bar.refresh()

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()
