"""The commands as they are typed: help that costs nothing, a run from end to end, and one clear line for each thing that can be wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from finetune.cli import COMMANDS, main
from finetune.run import read_json, read_jsonl
from tests.finetune.small import ARTICLES, Small, files, settings, write_lines

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch, transformers, trl and bitsandbytes


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(*arguments: str | Path) -> str:
    """The one line that a command that cannot go on ends with."""
    found = run(*arguments)
    assert found.exit_code in (1, 2), found.output
    assert isinstance(found.exception, SystemExit), found.exception  # else it is a traceback
    lines = [line for line in found.stderr.splitlines() if line.lower().startswith("error: ")]
    assert len(lines) == 1, found.stderr
    assert found.stderr.rstrip().endswith(lines[0])
    assert found.stdout == ""
    return lines[0]


# --------------------------------------------------------------------------- help


def test_help_imports_nothing_heavy(root: Path) -> None:
    """Of the group and of each command, in a process that has imported nothing."""
    code = f"""
import sys
from click.testing import CliRunner
from finetune.cli import main
for arguments in [[], ["-h"], *([name, "--help"] for name in {[*COMMANDS]!r})]:
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code in (0, 2) and "Usage: " in found.output, (arguments, found.output)
print(sorted({{"torch", "transformers", "trl", "peft", "bitsandbytes", "datasets", "accelerate", "tokenizers", "matplotlib"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root)
    assert done.stdout == "[]\n", done.stdout + done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    found = run(name, "--help")
    assert found.exit_code == 0
    assert COMMANDS[name][2] in run("--help").output.replace("\n" + " " * 15, " ") or len(COMMANDS[name][2]) > 60
    assert found.output.startswith(f"Usage: main {name} ")


def test_a_command_that_there_is_not_is_refused() -> None:
    assert "No such command 'trian'" in refused("trian")


# --------------------------------------------------------------------------- from end to end


@pytest.fixture(scope="module")
def typed(small: Small, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run from a file of settings, with some said on top."""
    folder = tmp_path_factory.mktemp("typed")
    config = folder / "run.toml"
    config.write_text(
        f'base = "{small.base}"\ndata = "{small.data}"\nmodel = "typhoon-7b"\neval_data = "{small.held_out}"\n'
        'device = "cpu"\nmax_length = 256\nwarmup_steps = 0\nseed = 1\narm = "typed"\n',
        "utf-8",
    )
    return folder / "run", run("train", config, "--out", folder / "run", "--set", "seed=2", "--set", "max_steps=2", "--set", "batch_size=4")


def test_training_says_what_came_of_it(typed: tuple[Path, Result]) -> None:
    folder, done = typed
    assert done.exit_code == 0, done.output
    record = read_json(folder / "record.json")
    last = record["losses"][-1]
    assert done.stdout.startswith(f"{folder}: 2 steps, loss {last['loss']:.3f}, held-out loss {last['eval_loss']:.3f}; ")
    assert done.stdout.count("\n") == 1
    assert "memory: about" in done.stderr


def test_what_is_said_on_the_line_goes_before_the_file(typed: tuple[Path, Result]) -> None:
    config = read_json(typed[0] / "run.json")["config"]
    assert (config["seed"], config["arm"], config["max_steps"]) == (2, "typed", 2)


def test_the_same_command_leaves_a_finished_run_as_it_is(typed: tuple[Path, Result]) -> None:
    folder, done = typed
    before = files(folder)
    again = run("train", folder.parent / "run.toml", "--out", folder, "--set", "seed=2", "--set", "max_steps=2", "--set", "batch_size=4")
    assert again.stdout == done.stdout
    assert files(folder) == before


def test_quiet_says_the_result_alone(small: Small, tmp_path: Path) -> None:
    done = run("train", "--quiet", "--out", tmp_path / "run", *settings(small.config(max_steps=1)))
    assert done.exit_code == 0
    assert done.stderr == ""


def test_answers_are_written_for_each_run_and_setting(tuned: Path, typed: tuple[Path, Result], small: Small, tmp_path: Path) -> None:
    runs = [shutil.copytree(one, tmp_path / name) for name, one in (("a", tuned), ("b", typed[0]))]
    done = run(
        "generate",
        *runs,
        "--prompts",
        small.prompts,
        "--setting",
        "greedy",
        "--setting",
        "sampled",
        "--max-new-tokens",
        "6",
        "--batch-size",
        "8",
    )
    assert done.exit_code == 0, done.output
    wanted = [one / "answers" / f"{name}.jsonl" for one in runs for name in ("greedy", "sampled")]
    assert done.stdout.split() == [str(file) for file in wanted]
    assert all(len(read_jsonl(file)) == len(small.asked) for file in wanted)
    told = read_json(runs[0] / "answers" / "greedy.json")
    assert (told["max_new_tokens"], told["batch_size"]) == (6, 8)


def test_a_merge_says_how_far_it_agrees(tuned: Path, small: Small, tmp_path: Path) -> None:
    done = run("merge", tuned, "--out", tmp_path / "merged", "--prompts", small.prompts, "--max-new-tokens", "8")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{tmp_path / 'merged'}: 15 of 15 greedy answers are the same, logits differ by ")
    assert (tmp_path / "merged" / "model.safetensors").is_file()


# --------------------------------------------------------------------------- what can be wrong: training


def train_line(small: Small, out: Path, *changes: str, **options: Any) -> str:
    """The line with which a training that has something wrong is refused, before anything is written."""
    line = refused("train", "--out", out, *settings(small.config(**options)), *(part for change in changes for part in ("--set", change)))
    assert not out.exists() or not files(out)
    return line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("model=typhoon7b", "no preset 'typhoon7b'; did you mean typhoon-7b?"),
        ("model=sailor", "has no token <|im_end|>; it is no sailor: give another model, or the right base"),
        ("lora_rank=8", "lora_rank: no such setting; did you mean lora_r?"),
        ("lora_r=0", "lora_r: got 0, expected a whole number, at least 1"),
        ("batch_size=many", "batch_size: got 'many', expected a whole number"),
        ("schedule", "--set schedule: expected key=value"),
        ("report_to=tensorbord", "report_to: got ('tensorbord',), expected none or some of trackio, tensorboard, wandb"),
        ("lora_targets=attention", "lora_targets: attention fits no layer of"),
        ("compute_dtype=float16", "a CPU computes float16 slowly"),
        ("max_length=8", "preflight: too_long: 12 of 12 rows (100 %) have more than 8 tokens"),
        ("data=none.jsonl", "none.jsonl: no such file or folder"),
        ("eval_data=none.jsonl", "none.jsonl: no such file or folder"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(small: Small, tmp_path: Path, change: str, message: str) -> None:
    assert message in train_line(small, tmp_path / "run", change)


def test_a_run_without_a_base_is_one_line(small: Small, tmp_path: Path) -> None:
    assert "base: missing, expected the Hub id or the folder of a base model" in refused(
        "train", "--out", tmp_path, "--set", "data=x.jsonl"
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.toml", "base = ", "run.toml: Invalid value"),
        ("run.yaml", "base: [", "run.yaml: "),
        ("run.ini", "", "got the ending '.ini', expected .yaml, .yml or .toml"),
        ("run.toml", "lora_rank = 8", "run.toml: lora_rank: no such setting; did you mean lora_r?"),
    ],
)
def test_a_file_of_settings_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    if name.endswith(".yaml"):
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    (tmp_path / name).write_text(text, "utf-8")
    assert message in refused("train", tmp_path / name, "--out", tmp_path / "run")


def test_a_file_of_settings_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "'none.toml' does not exist" in refused("train", "none.toml", "--out", tmp_path / "run")


def test_missing_cuda_is_one_line(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    line = train_line(small, tmp_path / "run", "device=cuda")
    assert line == "Error: device: cuda was asked for and torch sees no CUDA device; use device=cpu or device=auto".replace(
        "Error", "error"
    )


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("/no/such/folder", "no tokenizer '/no/such/folder': give a folder that holds one, or a Hub id"),
        ("nobody/nothing", "no tokenizer 'nobody/nothing'"),
        ("adapter", "holds an adapter, not a base model; give the base that it was trained on"),
        ("no weights", "the weights of"),
        ("unknown", "does not know this model"),
    ],
)
def test_a_base_that_is_none_is_one_line(
    small: Small, tuned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, message: str
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    if "/" not in base:
        copied = shutil.copytree(tuned if base == "adapter" else small.base, tmp_path / "base")
        if base == "no weights":
            (copied / "model.safetensors").unlink()
        if base == "unknown":
            config = read_json(copied / "config.json")
            (copied / "config.json").write_text(
                json.dumps({**config, "model_type": "chang", "architectures": ["ChangForCausalLM"]}), "utf-8"
            )
        base = str(copied)
    assert message in train_line(small, tmp_path / "run", f"base={base}")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": answer} for answer in ARTICLES.values()], "a row of plain text does not say where its answer begins"),
        ([{"messages": [{"role": "user", "content": "แมวคืออะไร"}]}], "no answer to learn"),
        ([{"prompt": "แมวคืออะไร", "completion": ""}], "empty"),
        ([], "holds no rows of split 'train': it is empty"),
        ([{"prompt": "แมวคืออะไร", "completion": "แมว\\n"}], "preflight: escapes: "),
    ],
    ids=["text", "questions", "empty answer", "no rows", "literal escapes"],
)
def test_data_without_good_answers_is_one_line(small: Small, tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    data = write_lines(tmp_path / "rows.jsonl", rows)
    assert message in train_line(small, tmp_path / "run", f"data={data}")


@pytest.mark.parametrize("name", ["torch", "transformers", "accelerate", "peft", "trl", "bitsandbytes"])
def test_a_library_that_is_not_installed_is_one_line(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    line = train_line(small, tmp_path / "run")
    assert name in line
    assert "pip install 'thaiwiki-clean[train]'" in line


@pytest.mark.parametrize("name", ["tensorboard", "trackio", "wandb"])
def test_a_reporter_that_is_not_installed_is_one_line(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert f"report_to: {name} is not installed: pip install {name}" in train_line(small, tmp_path / "run", f"report_to={name}")


def test_a_check_that_there_is_not_cannot_be_allowed(small: Small, tmp_path: Path) -> None:
    line = refused("train", "--allow", "escape", "--out", tmp_path / "run", *settings(small.config()))
    assert "no check 'escape' to allow; there are " in line


def test_a_folder_of_another_run_is_one_line(tuned: Path, small: Small) -> None:
    before = files(tuned)
    line = refused("train", "--out", tuned, *settings(small.config(seed=9)))
    assert "holds a run with " in line
    assert files(tuned) == before


def test_a_folder_of_somebodys_own_is_one_line(small: Small, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    assert "is no run of ours and is not empty" in refused("train", "--out", tmp_path, *settings(small.config()))


# --------------------------------------------------------------------------- what can be wrong: generation and merging


def test_a_run_that_is_not_there_is_one_line(small: Small) -> None:
    assert "'none' does not exist" in refused("generate", "none", "--prompts", small.prompts)


def test_a_folder_that_is_no_run_is_one_line(small: Small, tmp_path: Path) -> None:
    assert "no run.json, so this is no run of `finetune train`" in refused("generate", tmp_path, "--prompts", small.prompts)


def test_prompts_that_are_not_there_are_one_line(tuned: Path) -> None:
    assert "'none.jsonl' does not exist" in refused("generate", tuned, "--prompts", "none.jsonl")


def test_prompts_that_are_none_are_one_line(tuned: Path, tmp_path: Path) -> None:
    assert "row 1: expected an object with a question" in refused(
        "generate", tuned, "--prompts", write_lines(tmp_path / "p", [{"text": "ก"}])
    )


def test_a_setting_that_there_is_not_is_one_line(tuned: Path, small: Small) -> None:
    assert "no setting 'beam'; there are greedy, sampled" in refused("generate", tuned, "--prompts", small.prompts, "--setting", "beam")


@pytest.mark.parametrize("command", ["generate", "merge"])
def test_an_adapter_for_another_base_is_one_line(tuned: Path, small: Small, tmp_path: Path, command: str) -> None:
    out = ["--out", tmp_path / "out"] if command == "merge" else []
    line = refused(command, tuned, "--prompts", small.prompts, "--base", small.other, *out)
    assert "was trained on a base with fingerprint" in line
    assert line.endswith("give the base it was trained on")
    assert not (tmp_path / "out").exists()


def test_merging_into_four_bits_is_one_line(tuned: Path, small: Small, tmp_path: Path) -> None:
    line = refused("merge", tuned, "--out", tmp_path / "out", "--prompts", small.prompts, "--way", "nf4")
    assert "merging into NF4 is refused" in line


def test_a_merge_that_would_write_over_something_is_one_line(tuned: Path, small: Small) -> None:
    assert "is not empty; choose another --out" in refused("merge", tuned, "--out", tuned, "--prompts", small.prompts)
