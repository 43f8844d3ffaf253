"""What a terminal shows of a training: one bar with the loss in it. The libraries below would write a line for every step and every file."""

from __future__ import annotations

import logging
import warnings
from typing import Any

__all__ = ["one_bar", "silence"]


def one_bar(trainer: Any, progress: bool = True) -> None:
    """Put one bar that carries the loss in place of the trainer's own callbacks for bars and lines; none without ``progress``."""
    from transformers import PrinterCallback, ProgressCallback

    class Bar(ProgressCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if self.training_bar is not None and logs and "loss" in logs:
                self.training_bar.set_postfix(loss=f"{float(logs['loss']):.3f}")

    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    if progress:
        trainer.add_callback(Bar)


def silence() -> None:
    """Turn off the bars and the advice of datasets, transformers and bitsandbytes in this process; errors stay errors."""
    logging.getLogger("bitsandbytes").setLevel(
        logging.ERROR
    )  # "No module named 'kernels'": that package fetches binaries, and is not wanted
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\.")  # of trl and transformers about one another
    import datasets
    import transformers

    datasets.disable_progress_bars()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
