"""Our trainer beside plain ``trl sft``: same base, same rows, same steps, turn about, each in a process of its own.

    python benchmarks/trainer.py [--device cpu|cuda] [--rows 256] [--rounds 3] [--hidden 256] [--layers 6] [--base FOLDER]

Prints seconds of training, the ratio of tokens a second, and peak memory; counts the lines of our own trainer. The base is random
unless one is given: speed and memory do not depend on what the weights say.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("train.py", "run.py", "quiet.py", "curve.py")
PEAK = """
import atexit, json, resource
def peak():
    import torch
    gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    print("PEAK", gpu or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)
atexit.register(peak)
"""
TRL = (
    PEAK
    + "import sys; from trl.scripts.sft import main, make_parser; sys.argv = ['sft', '--config', {config!r}]\nmain(*make_parser().parse_args_and_config())"
)
OURS = (
    PEAK
    + "from finetune.cli import main\nmain(['train', {config!r}, '--out', {out!r}, '--allow', 'held_out', '-q'], standalone_mode=False)"
)


def rows(path: Path, n: int) -> None:
    """Prompts and answers of 40 to 160 words, in trl's own conversational form; what they say does not matter.

    All fit into ``max_length``: trl cuts what does not, we leave it out, and the two would not train the same tokens.
    """
    words = ["แมว", "ปลา", "ข้าว", "น้ำ", "บ้าน", "เมือง", "ภูเขา", "แม่น้ำ", "ทะเล", "ต้นไม้", "ดอกไม้", "ครู", "นักเรียน", "หนังสือ", "ดนตรี", "ประวัติ"]
    with path.open("w", encoding="utf-8") as file:
        for i in range(n):
            answer = " ".join(words[(i * 7 + k * k) % len(words)] for k in range(40 + (i * 37) % 120))
            turns = {
                "prompt": [{"role": "user", "content": f"อธิบาย {words[i % len(words)]} {i}"}],
                "completion": [{"role": "assistant", "content": answer}],
            }
            file.write(json.dumps({**turns, "title": f"{words[i % len(words)]} {i}"}, ensure_ascii=False) + "\n")


def base(folder: Path, hidden: int, layers: int) -> str:
    """A random base whose tokenizer carries the preset's chat template, so that trl reads the same tokens as we do."""
    from finetune.models import load_tokenizer, preset
    from finetune.tiny import make_tiny

    make_tiny("typhoon-7b", folder, hidden=hidden, layers=layers)
    load_tokenizer(str(folder), preset("typhoon-7b")).save_pretrained(folder)
    return str(folder)


def configs(work: Path, base: str, device: str, adapter: str) -> tuple[Path, Path]:
    """The same run twice: for trl, and for us."""
    ours = {
        "base": base, "data": str(work / "rows.jsonl"), "model": "typhoon-7b", "eval_data": "", "max_length": 1024, "device": device, "adapter_dtype": adapter,
        "epochs": 1, "batch_size": 8, "learning_rate": 2e-4, "warmup_steps": 2, "eval_steps": -1, "save_steps": -1, "optimizer": "adamw_torch",
    }  # fmt: skip
    theirs = {
        "model_name_or_path": base, "datasets": [{"path": "json", "data_files": str(work / "rows.jsonl"), "split": "train"}], "load_in_4bit": True,
        "use_bnb_nested_quant": True, "dtype": "bfloat16", "use_peft": True, "lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.05,
        "lora_target_modules": ["all-linear"], "max_length": 1024, "num_train_epochs": 1, "per_device_train_batch_size": 8, "learning_rate": 2e-4,
        "warmup_steps": 2, "lr_scheduler_type": "cosine", "optim": "adamw_torch", "bf16": True, "use_cpu": device == "cpu", "gradient_checkpointing": True,
        "gradient_checkpointing_kwargs": {"use_reentrant": False}, "save_strategy": "no", "logging_steps": 1, "report_to": "none", "seed": 0, "data_seed": 0,
        "output_dir": str(work / "trl"), "disable_tqdm": True, "completion_only_loss": True,
    }  # fmt: skip
    files = work / "ours.yaml", work / "trl.yaml"
    for file, told in zip(files, (ours, theirs), strict=True):
        file.write_text(json.dumps(told), encoding="utf-8")  # JSON is YAML
    return files


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{done.stderr[-2000:]}\nfailed")
    return done.stdout + done.stderr


def measure(name: str, work: Path, files: tuple[Path, Path], number: int) -> dict[str, Any]:
    if name == "trl":
        said = run(TRL.format(config=str(files[1])))
        seconds = float(re.findall(r"'train_runtime': '?([\d.]+)", said)[-1])
    else:
        out = work / f"run-{name}-{number}"
        said = run(OURS.format(config=str(files[0]), out=str(out)))
        seconds = json.loads((out / "record.json").read_text())["seconds"]
    return {"seconds": seconds, "peak": int(re.findall(r"PEAK (\d+)", said)[-1])}


def lines() -> int:
    """Lines of code in the trainer's own modules, without blanks, comments and docstrings."""
    import ast

    total = 0
    for name in MODULES:
        source = (ROOT / "finetune" / name).read_text(encoding="utf-8")
        told = {
            node.lineno: node.end_lineno
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }
        skip = {n for start, end in told.items() for n in range(start, (end or start) + 1)}
        total += sum(
            bool(line.strip()) and not line.strip().startswith("#") and n not in skip for n, line in enumerate(source.split("\n"), 1)
        )
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--base")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        rows(work / "rows.jsonl", args.rows)
        chosen = args.base or base(work / "base", args.hidden, args.layers)
        found: dict[str, list[dict[str, Any]]] = {"trl": [], "bfloat16": [], "float32": []}
        for number in range(args.rounds):
            for arm in found:
                files = configs(work, chosen, args.device, "float32" if arm == "float32" else "bfloat16")
                found[arm].append(measure(arm, work, files, number))
    trl = found["trl"]
    print(f"{args.rows} rows, {args.rounds} rounds, {args.device}; our trainer is {lines()} lines of code ({', '.join(MODULES)})\n")
    print("| | training, s (each round) | tokens/s, of trl's (median of rounds) | peak memory, MB | of trl's |\n|---|---|---|---|---|")
    for arm, label in (
        ("trl", "`trl sft`"),
        ("bfloat16", "ours, adapter in bfloat16 as trl's"),
        ("float32", "ours, adapter in float32 (default)"),
    ):
        each = found[arm]
        ratio = statistics.median(a["seconds"] / b["seconds"] for a, b in zip(trl, each, strict=True))
        peak, theirs = (statistics.median(one["peak"] for one in some) for some in (each, trl))
        print(
            f"| {label} | {', '.join(format(one['seconds'], '.1f') for one in each)} | {ratio:.3f} | {peak / 1e6:,.0f} | {peak / theirs:.3f} |"
        )


if __name__ == "__main__":
    main()
