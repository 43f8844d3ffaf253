"""Train by the command, in processes that SIGKILL themselves at places that are named.

    python -m tests.finetune.killed '[{"arguments": ["train", ...], "kills": [["save", 4], ["step", 6]]}]'

Each kill is a process of its own that runs the command with the same arguments; one more runs it to its end. The processes are forked from
one that has imported torch and has computed nothing, which spares each the seconds of importing it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import Any


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(place: str, step: int) -> None:
    """From here on a training ends itself: behind an optimizer ``step``, behind or within the ``save`` of a checkpoint, or at its ``end``."""
    from transformers import TrainerCallback

    from finetune import train

    class Kill(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if place == "step" and state.global_step == step:
                die()

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if place == "save" and state.global_step == step:
                die()

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if place == "end":
                die()

    made = train._trainer

    def trainer(*args: Any, **kwargs: Any) -> Any:
        one = made(*args, **kwargs)
        one.add_callback(Kill())
        if place == "within save":
            saves = one._save_rng_state
            one._save_rng_state = lambda folder: die() if one.state.global_step == step else saves(folder)
        return one

    train._trainer = trainer


def run(arguments: list[str], kill: tuple[str, int] | None = None) -> int:
    """What the command ends with, in a process of its own: an exit status, or minus the signal that ended it."""
    if (pid := os.fork()) == 0:
        from finetune.cli import main

        if kill:
            kill_at(*kill)
        try:
            main(arguments)
        except SystemExit as done:
            os._exit(int(done.code or 0))
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    import bitsandbytes  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import torch
    from transformers import MistralForCausalLM, PreTrainedTokenizerFast  # noqa: F401
    from transformers.integrations import bitsandbytes as four_bit  # noqa: F401
    from trl import SFTTrainer  # noqa: F401

    import finetune.commands
    import finetune.train  # noqa: F401

    torch.set_num_threads(1)
    gc.freeze()  # a trainer collects garbage often, and would walk over all that was imported
    for case in json.loads(sys.argv[1]):
        statuses = [run(case["arguments"], (place, step)) for place, step in case["kills"]]
        if case.get("finish", True):
            statuses.append(run(case["arguments"]))
        print(json.dumps(statuses), file=sys.stderr, flush=True)
