"""Train an adapter: one configuration in, one run folder out. transformers, peft, trl and bitsandbytes do the work.

What is ours: the checks before (:mod:`finetune.preflight`), rows that are never cut, the loss on the answer alone, an adapter in
float32, a guard that keeps 4-bit gradients right on a CPU, and a record of everything that a repetition of the run would need.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from finetune import models
from finetune.config import Config, to_dict
from finetune.curve import loss_curve
from finetune.data import Prepared, Row, data_fingerprint, prepare, read_rows, to_dataset
from finetune.memory import check_memory, forget_peak, peak_memory
from finetune.preflight import Finding, machine, preflight
from finetune.quiet import one_bar, silence
from finetune.run import CONFIG, RECORD, TRAINING_ANSWERS, about, claim, finished, read_json, versions, write_json, write_jsonl

__all__ = ["describe", "held_out_rows", "train"]

_STATE = "trainer_state.json"  # what transformers writes last into a checkpoint


def train(
    config: Config,
    out: str | Path,
    *,
    allow: Collection[str] = (),
    say: Callable[[str], object] | None = print,
    progress: bool = True,
) -> dict[str, Any]:
    """Train as ``config`` says into the folder ``out``, and give back its record: losses, tokens a second, peak memory, seconds.

    A run that was killed goes on from its last checkpoint, with the same losses as one that was not; a finished one is left as it is.
    Raises ValueError, before any weights are loaded, for data that preflight finds wrong, and when the memory does not suffice.
    ``allow`` names checks of preflight whose errors are meant.
    """
    folder = Path(out)
    tell = say or (lambda _: None)
    claim(folder, config)
    if finished(folder):
        record: dict[str, Any] = read_json(folder / RECORD)
        return record
    _need(config)
    silence()
    preset = models.choose(config.model, config.base)
    tokenizer = models.load_tokenizer(config.base, preset)
    rows, watched = read_rows(config.data), held_out_rows(config)
    _check_saving(config, watched)
    prepared = _prepare(rows, tokenizer, config)
    watching = _prepare(watched, tokenizer, dataclasses.replace(config, train_stop=True))
    _check(preflight(config, tokenizer, rows, prepared, watched, machine=machine(config.device), out=folder, allow=allow), tell)
    tell(check_memory(config, longest=prepared.stats["tokens"]["max"]))
    forget_peak()
    model = models.load_model(config)
    found = describe(config, model, rows, watched, prepared)
    _check_unchanged(folder, found)
    write_json(folder / CONFIG, found)
    trainer = _trainer(config, folder, model, tokenizer, prepared, watching, progress=progress)
    record = _run(trainer, folder, prepared)
    trainer.save_model(str(folder))
    tokenizer.save_pretrained(folder)
    write_jsonl(folder / TRAINING_ANSWERS, _trained_on(rows, prepared))
    loss_curve(record["losses"], folder / "loss.svg")
    write_json(folder / RECORD, record)
    return record


def held_out_rows(config: Config) -> list[Row]:
    """The rows whose loss is watched: ``eval_data``, else the validation split of a build, else none."""
    if config.eval_data:
        return read_rows(config.eval_data)
    if config.eval_data is None and Path(config.data).is_dir() and any(Path(config.data).glob("data/validation-*.parquet")):
        return read_rows(config.data, "validation")
    return []


def _need(config: Config) -> None:
    """Say what is not installed before anything is loaded or written."""
    for name in ("torch", "transformers", "accelerate", "peft", "trl"):
        if find_spec(name) is None:
            raise ImportError(f"training needs {name}: pip install 'thaiwiki-clean[train]'")
    for name in config.report_to:
        if find_spec(name) is None:
            raise ImportError(f"report_to: {name} is not installed: pip install {name}; or leave it out")
    if "wandb" in config.report_to:
        os.environ.setdefault("WANDB_MODE", "offline")  # the other two stay on this machine by themselves


def _check_saving(config: Config, watched: Sequence[Row]) -> None:
    """The best checkpoint is among those that are saved."""
    if not watched or config.eval_steps < 0 or config.save_steps <= 0:
        return
    if config.eval_steps == 0 or config.save_steps % config.eval_steps:
        raise ValueError(
            f"save_steps: {config.save_steps} with eval_steps {config.eval_steps} leaves the best checkpoint unsaved;"
            " take a multiple of eval_steps, or save_steps=0, which saves with each look"
        )


def _check_unchanged(folder: Path, now: dict[str, Any]) -> None:
    """A run that goes on goes on over the same rows and the same base: their names in the configuration do not say it."""
    if _last_checkpoint(folder) is None:
        return

    def facts(run: dict[str, Any]) -> dict[str, Any]:
        return {
            "data": run["data"]["fingerprint"],
            "eval_data": run["eval_data"] and run["eval_data"]["fingerprint"],
            "base": run["base_fingerprint"],
            "quantisation": run["quantisation"],
        }

    there, here = facts(about(folder)), facts(now)
    for name, value in here.items():
        if there[name] != value:
            raise ValueError(
                f"{folder} was begun with another {name} ({there[name]}, now {value}); one run has one: choose another --out, or remove it"
            )


def _prepare(rows: Sequence[Row], tokenizer: Any, config: Config) -> Prepared:
    return prepare(rows, tokenizer, max_length=config.max_length, too_long=config.too_long, train_stop=config.train_stop)


def _check(findings: Sequence[Finding], tell: Callable[[str], object]) -> None:
    """Say what preflight warns of; raise for what it calls an error."""
    errors = []
    for finding in findings:
        if finding.level == "error":
            errors.append(f"{finding.check}: {finding.message}")
        else:
            tell(f"warning: {finding.check}: {finding.message}")
    if errors:
        raise ValueError("preflight: " + "; ".join(errors))


def _trainer(config: Config, folder: Path, model: Any, tokenizer: Any, prepared: Prepared, watching: Prepared, *, progress: bool) -> Any:
    import torch
    from peft import LoraConfig
    from transformers import EarlyStoppingCallback, set_seed
    from trl import SFTConfig, SFTTrainer

    cuda = model.device.type == "cuda"
    looks = bool(watching.rows) and config.eval_steps >= 0
    saves = config.save_steps >= 0
    every: dict[str, Any] = {"eval_strategy": "no", "save_strategy": "no"}
    if looks:
        every["eval_strategy"], every["eval_steps"] = _when(config.eval_steps)
    if saves:
        every["save_strategy"], every["save_steps"] = _when(config.save_steps or max(0, config.eval_steps))
    best = looks and saves
    set_seed(config.seed)  # before the adapter's weights are drawn; trl 1.16 does so itself as well
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder),
            max_length=config.max_length,
            packing=config.packing,
            eval_packing=False,
            per_device_train_batch_size=config.batch_size,
            per_device_eval_batch_size=config.batch_size,
            gradient_accumulation_steps=config.gradient_accumulation,
            num_train_epochs=config.epochs,
            max_steps=config.max_steps,
            learning_rate=config.learning_rate,
            lr_scheduler_type=config.schedule,
            warmup_steps=config.warmup_steps,
            weight_decay=config.weight_decay,
            max_grad_norm=config.max_grad_norm,
            optim=config.optimizer if config.optimizer != "auto" else "paged_adamw_32bit" if cuda else "adamw_torch",
            gradient_checkpointing=config.gradient_checkpointing,
            gradient_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
            bf16=config.compute_dtype == "bfloat16",
            fp16=config.compute_dtype == "float16" and cuda,
            use_cpu=not cuda,
            seed=config.seed,
            data_seed=config.seed,
            logging_steps=1,
            save_total_limit=2,
            restore_callback_states_from_checkpoint=True,  # how patient the run still is
            load_best_model_at_end=best,
            metric_for_best_model="eval_loss" if best else None,
            include_num_input_tokens_seen="non_padding",
            report_to=list(config.report_to) or "none",
            disable_tqdm=not progress,
            **every,
        ),
        train_dataset=to_dataset(prepared),
        eval_dataset=to_dataset(watching) if looks else None,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=config.lora_r,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=config.lora_targets if isinstance(config.lora_targets, str) else list(config.lora_targets),
            task_type="CAUSAL_LM",
        ),
        callbacks=[EarlyStoppingCallback(config.patience)] if config.patience and best else [],
    )
    one_bar(trainer, progress)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:  # trl casts to bfloat16 over a quantised base, where a small step is rounded to none
            parameter.data = parameter.data.to(getattr(torch, config.adapter_dtype))
    if config.adapter_dtype != "float32":
        trainer.model.base_model._cast_adapter_dtype = lambda **_: None  # peft makes it float32 where a checkpoint is read
    return trainer


def _when(steps: int) -> tuple[str, int | None]:
    return ("steps", steps) if steps else ("epoch", None)


def _run(trainer: Any, folder: Path, prepared: Prepared) -> dict[str, Any]:
    """Train, from the last checkpoint where there is one."""
    checkpoint = _last_checkpoint(folder)
    state = read_json(checkpoint / _STATE) if checkpoint else {}
    before = state.get("num_input_tokens_seen", 0)
    if checkpoint and state["stateful_callbacks"]["TrainerControl"]["args"]["should_training_stop"]:
        seconds = _take_over(trainer, checkpoint)
    else:
        seconds = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None).metrics["train_runtime"]
    seen = int(trainer.state.num_input_tokens_seen)
    return {
        "losses": _losses(trainer.state.log_history),
        "steps": trainer.state.global_step,
        "best_eval_loss": trainer.state.best_metric,
        "resumed": checkpoint is not None,
        "seconds": seconds,
        "tokens_seen": seen,
        "tokens_per_second": (seen - before) / seconds if seconds else 0.0,
        "peak_memory_bytes": peak_memory(trainer.model.device.type),
        "trained_tokens": prepared.stats["trained_tokens"],
    }


def _last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that was written to its end; those that a kill left unfinished are removed."""
    for path in sorted(folder.glob("checkpoint-[0-9]*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True):
        try:
            read_json(path / _STATE)
        except (OSError, ValueError):
            shutil.rmtree(path)
            continue
        return path
    return None


def _take_over(trainer: Any, checkpoint: Path) -> float:
    """The result of a training that was over when it was killed: transformers would take one more step before it looked.

    Gives the seconds that were trained: none.
    """
    from transformers import TrainerState

    trainer.state = TrainerState.load_from_json(str(checkpoint / _STATE))
    best = trainer.state.best_global_step if trainer.args.load_best_model_at_end else None
    # By its step: the path in the state is another one where the folder was moved.
    path = checkpoint.with_name(f"checkpoint-{best}") if best else checkpoint
    trainer.model.load_adapter(str(path), trainer.model.active_adapter, is_trainable=True)
    return 0.0


def _losses(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry a step, with the held-out loss where it was measured."""
    names = {"loss": "loss", "eval_loss": "eval_loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm"}
    steps: dict[int, dict[str, Any]] = {}
    for entry in history:
        found = {name: float(entry[key]) for key, name in names.items() if key in entry}
        if found:
            steps.setdefault(entry["step"], {"step": entry["step"]}).update(found)
    return [steps[step] for step in sorted(steps)]


def describe(
    config: Config, model: Any, rows: Sequence[Row] = (), watched: Sequence[Row] = (), prepared: Prepared | None = None
) -> dict[str, Any]:
    """What stands in ``run.json``: the configuration, and what was really in memory. Without rows: of a base that was not trained."""
    kept = [rows[i] for i in prepared.kept] if prepared else []
    numbers = {"left_out": prepared.left_out, **prepared.stats} if prepared else {}
    return {
        "config": to_dict(config),
        "versions": versions(),
        "device": _device_name(model),
        "base_fingerprint": models.fingerprint(config.base),
        "quantisation": models.quantisation_record(model),
        "data": {"fingerprint": data_fingerprint(kept), "titles": sorted({row.title for row in kept if row.title}), **numbers},
        "eval_data": {"fingerprint": data_fingerprint(watched), "rows": len(watched)} if watched else None,
    }


def _device_name(model: Any) -> str:
    if model.device.type != "cuda":
        return "cpu"
    import torch

    return str(torch.cuda.get_device_name(model.device))


def _trained_on(rows: Sequence[Row], prepared: Prepared) -> list[dict[str, Any]]:
    pairs = zip(prepared.kept, prepared.rows, strict=True)
    return [{"title": rows[i].title, "answer": rows[i].answer, "n_tokens": len(t.input_ids) - t.n_prompt} for i, t in pairs]
