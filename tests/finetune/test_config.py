"""A config comes back from what it was saved as, and what is wrong in it is said in one line that helps."""

from __future__ import annotations

import dataclasses
import doctest
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from finetune import config as module
from finetune.config import HYPER, LAWS, Config, from_mapping, load, to_dict

PLAIN = {"base": "models/tiny", "data": "out/clean"}


def configs() -> st.SearchStrategy[Config]:
    """Configs in which any field may hold any value that its law allows, as far as no two contradict each other."""
    choices: dict[str, st.SearchStrategy[Any]] = {
        "base": st.sampled_from(["scb10x/typhoon-7b", "โมเดล/เล็ก", "none"]),
        "model": st.sampled_from([None, "typhoon-7b"]),
        "eval_data": st.sampled_from([None, "", "held-out.jsonl"]),
        "arm": st.sampled_from(["", "สะอาด"]),
        "seed": st.integers(0, 2**31),
        "max_length": st.integers(8, 4096),
        "train_stop": st.booleans(),
        "quantisation": st.sampled_from(["nf4", "none"]),
        "lora_dropout": st.floats(0, 1, exclude_max=True),
        "lora_targets": st.sampled_from(["all-linear", r".*\.(q|k)_proj", "q_proj", ("q_proj",), ("q_proj", "v_proj")]),
        "learning_rate": st.floats(1e-9, 1),
        "schedule": st.sampled_from(["cosine", "linear", "constant_with_warmup"]),
        "epochs": st.floats(0.1, 9),
        "max_steps": st.sampled_from([-1, 1, 500]),
        "eval_steps": st.integers(-1, 9),
        "save_steps": st.integers(-1, 9),
        "report_to": st.sampled_from([(), ("wandb",), ("trackio", "tensorboard")]),
    }
    return st.fixed_dictionaries({}, optional=choices).map(lambda chosen: Config(**{**PLAIN, **chosen}))


@given(configs())
def test_a_saved_config_comes_back(config: Config) -> None:
    assert from_mapping(json.loads(json.dumps(to_dict(config)))) == config


def test_every_field_has_a_law_and_its_default_keeps_it() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(Config)}
    assert list(fields) == list(LAWS)
    assert [name for name, value in fields.items() if value is not dataclasses.MISSING and not LAWS[name].holds(value)] == []


YAML = """
base: scb10x/typhoon-7b
data: out/clean
learning_rate: 2e-4   # PyYAML reads this as a text
report_to: [trackio]
lora_targets: [q_proj, v_proj]
eval_data: ""
"""
TOML = """
base = "scb10x/typhoon-7b"
data = "out/clean"
learning_rate = 2e-4
report_to = ["trackio"]
lora_targets = ["q_proj", "v_proj"]
eval_data = ""
"""


def test_yaml_and_toml_say_the_same(tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    found = []
    for name, text in (("run.yaml", YAML), ("run.yml", YAML), ("run.toml", TOML)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        found.append(load(tmp_path / name))
    assert found == [Config("scb10x/typhoon-7b", "out/clean", eval_data="", report_to=("trackio",), lora_targets=("q_proj", "v_proj"))] * 3


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("learning_rate=1e-3", "learning_rate", 1e-3),
        ("epochs=3", "epochs", 3.0),
        ("seed=7", "seed", 7),
        ("seed=๓", "seed", 3),
        ("max_steps=-1", "max_steps", -1),
        ("train_stop=False", "train_stop", False),
        ("packing=true", "packing", True),
        ("eval_data=", "eval_data", ""),
        ("eval_data=none", "eval_data", None),
        ("model=typhoon-7b", "model", "typhoon-7b"),
        ("report_to=trackio,wandb", "report_to", ("trackio", "wandb")),
        ("report_to=none", "report_to", ()),
        ("lora_targets=q_proj,v_proj", "lora_targets", ("q_proj", "v_proj")),
        ("lora_targets=all-linear", "lora_targets", "all-linear"),
        (r"lora_targets=.*layers\.(0,1)\.q_proj", "lora_targets", r".*layers\.(0,1)\.q_proj"),
        ("arm=a=b", "arm", "a=b"),
        (" arm = สะอาด ", "arm", "สะอาด"),
    ],
)
def test_a_setting_is_read_as_its_field_wants(setting: str, field: str, value: object) -> None:
    config = load(None, ["base=tiny", "data=clean", setting])
    assert getattr(config, field) == value
    assert type(getattr(config, field)) is type(value)


def test_a_setting_beats_the_file_and_the_file_beats_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('base = "tiny"\ndata = "clean"\nlora_r = 8\nlora_alpha = 8\n', encoding="utf-8")
    config = load(file, ["lora_alpha=4", "lora_alpha=5"], "seed-project")
    assert (config.lora_r, config.lora_alpha, config.max_grad_norm) == (8, 5, 0.3)


@pytest.mark.parametrize("name", HYPER)
def test_every_set_of_hyper_parameters_is_a_config(name: str) -> None:
    assert dataclasses.replace(load(None, ["base=a", "data=b"], name)) == from_mapping({**PLAIN, "base": "a", "data": "b", **HYPER[name]})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": "x"}, "base: missing, expected the Hub id or the folder of a base model"),
        ({"base": "x"}, "data: missing, expected the folder of a build, or a file of rows"),
        ({**PLAIN, "base": " "}, "base: got ' ', expected the Hub id or the folder of a base model"),
        ({**PLAIN, "lora_rank": 8}, "lora_rank: no such setting; did you mean lora_r?"),
        ({**PLAIN, "quantization": "nf4"}, "quantization: no such setting; did you mean quantisation?"),
        ({**PLAIN, "zzz": 8}, f"zzz: no such setting; there are {', '.join(LAWS)}"),
        ({**PLAIN, 3: 8}, f"3: no such setting; there are {', '.join(LAWS)}"),
        ({**PLAIN, "seed": -1}, "seed: got -1, expected a whole number, at least 0"),
        ({**PLAIN, "seed": 1.0}, "seed: got 1.0, expected a whole number, at least 0"),
        ({**PLAIN, "seed": True}, "seed: got True, expected a whole number, at least 0"),
        ({**PLAIN, "seed": "--5"}, "seed: got '--5', expected a whole number, at least 0"),
        ({**PLAIN, "lora_r": 0}, "lora_r: got 0, expected a whole number, at least 1"),
        ({**PLAIN, "max_length": 4}, "max_length: got 4, expected a whole number, at least 8"),
        ({**PLAIN, "max_steps": 0}, "max_steps: got 0, expected a whole number above 0, or -1"),
        ({**PLAIN, "learning_rate": 0}, "learning_rate: got 0.0, expected a number above 0"),
        ({**PLAIN, "learning_rate": "fast"}, "learning_rate: got 'fast', expected a number above 0"),
        ({**PLAIN, "learning_rate": float("nan")}, "learning_rate: got nan, expected a number above 0"),
        ({**PLAIN, "learning_rate": "inf"}, "learning_rate: got inf, expected a number above 0"),
        ({**PLAIN, "lora_dropout": 1}, "lora_dropout: got 1.0, expected a number from 0, below 1"),
        ({**PLAIN, "packing": "yes"}, "packing: got 'yes', expected true or false"),
        ({**PLAIN, "packing": 1}, "packing: got 1, expected true or false"),
        ({**PLAIN, "quantisation": "nf8"}, "quantisation: got 'nf8', expected one of nf4, none"),
        ({**PLAIN, "too_long": "cut"}, "too_long: got 'cut', expected one of leave_out, error"),
        ({**PLAIN, "report_to": ["mlflow"]}, "report_to: got ('mlflow',), expected none or some of trackio, tensorboard, wandb"),
        ({**PLAIN, "lora_targets": []}, 'lora_targets: got (), expected "all-linear", a regular expression, or a list of names of layers'),
        (
            {**PLAIN, "patience": 2, "eval_steps": -1},
            "patience: 2 needs held-out rows to look at; give eval_data and eval_steps >= 0, or patience=0",
        ),
        (
            {**PLAIN, "patience": 2, "eval_data": ""},
            "patience: 2 needs held-out rows to look at; give eval_data and eval_steps >= 0, or patience=0",
        ),
        (
            {**PLAIN, "patience": 2, "eval_steps": 4, "save_steps": 6},
            "save_steps: 6 with eval_steps 4 leaves the best checkpoint unsaved; take a multiple of eval_steps, or save_steps=0",
        ),
        (
            {**PLAIN, "patience": 2, "eval_steps": 0, "save_steps": 6},
            "save_steps: 6 with eval_steps 0 leaves the best checkpoint unsaved; take a multiple of eval_steps, or save_steps=0",
        ),
        (
            {**PLAIN, "patience": 2, "save_steps": -1},
            "save_steps: -1 with eval_steps 0 leaves the best checkpoint unsaved; take a multiple of eval_steps, or save_steps=0",
        ),
        (
            {**PLAIN, "schedule": "constant"},
            "warmup_steps: 10 does nothing with schedule=constant; take constant_with_warmup, or warmup_steps=0",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the whole message is compared
        from_mapping(values)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "values",
    [
        {"patience": 2, "eval_steps": 4, "save_steps": 8},
        {"patience": 2, "eval_steps": 4},
        {"patience": 2},
        {"save_steps": 6, "eval_steps": 4},
        {"save_steps": -1},
        {"schedule": "constant", "warmup_steps": 0},
        {"schedule": "constant_with_warmup"},
        {"max_grad_norm": 0},
    ],
)
def test_what_goes_together_is_let_through(values: dict[str, Any]) -> None:
    from_mapping({**PLAIN, **values})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.json", "{}", r"got the ending '\.json', expected \.yaml, \.yml or \.toml"),
        ("run.yaml", "", r"got NoneType, expected lines of `key: value` \(the file is empty\)"),
        ("run.yaml", "- base", "got list, expected lines of `key: value`"),
        ("run.yaml", "base: [", "while parsing"),
        ("run.yaml", "base: !!python/tuple [a]\ndata: b", "could not determine a constructor"),
        ("run.toml", "base = ", "Invalid value"),
        ("run.toml", "seed = -3\nbase='a'\ndata='b'", "seed: got -3, expected a whole number, at least 0"),
    ],
)
def test_a_file_that_is_no_config_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as raised:
        load(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no\.toml: cannot be read as a config: No such file"):
        load(tmp_path / "no.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"x\.toml: cannot be read as a config: not UTF-8"):
        load(tmp_path / "x.toml")


@pytest.mark.parametrize("setting", ["lora_r", "", "=3"])
def test_a_setting_without_key_and_value_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=f"--set {setting}: expected key=value"):
        load(None, ["base=a", "data=b", setting])


def test_unknown_hyper_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="no hyper-parameters 'seed'; there are default, seed-project"):
        load(None, ["base=a", "data=b"], "seed")


def test_examples_run() -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_reading_a_config_imports_nothing_heavy() -> None:
    code = "import sys, finetune.config, finetune.presets; print([m for m in ('torch', 'transformers', 'yaml', 'datasets') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_reference_names_every_setting(root: Path) -> None:
    text = (root / "docs/reference/training-config.md").read_text(encoding="utf-8")
    told = [row[:3] for row in regex.findall(r"(?m)^\| `(\w+)` \| (.*?) \| (.*?) \| .* \|$", text)]
    assert told == [(field.name, _told(field.default), LAWS[field.name].expected) for field in dataclasses.fields(Config)]


def _told(default: Any) -> str:
    if default is dataclasses.MISSING:
        return "needed"
    if default is None or default == () or default == "":
        return "–"
    return f"`{json.dumps(default)}`".replace('"', "")


def test_the_reference_names_the_sets_of_hyper_parameters(root: Path) -> None:
    text = (root / "docs/reference/training-config.md").read_text(encoding="utf-8").partition("\n## Hyper-parameters")[2]
    told = dict(regex.findall(r"(?m)^\| `(\w+)` \| `(.*?)` \|$", text))
    assert told == {
        key: ", ".join(value) if isinstance(value, tuple) else json.dumps(value).replace('"', "")
        for key, value in HYPER["seed-project"].items()
    }
