"""The documents: their code runs, their links lead somewhere, and every name, rule, reason, verdict and column has its place."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import regex

import thaiwiki_clean as tw
from thaiwiki_clean.edits import Edit
from thaiwiki_clean.page import Page
from thaiwiki_clean.reasons import VERDICTS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
IDS = [page.relative_to(DOCS).as_posix() for page in PAGES]
#: Documents that are read in the repository and are no part of the site.
BESIDE = sorted([*ROOT.glob("*.md"), *(ROOT / "benchmarks").rglob("*.md"), *(ROOT / "thaiwiki_clean").rglob("*.md")])


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


# --------------------------------------------------------------------------- code


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_fenced_examples_run(page: Path) -> None:
    outcome = doctest.testfile(str(page), module_relative=False)
    assert outcome.failed == 0


def blocks(text: str) -> list[str]:
    """The Python blocks that are no doctests."""
    return [block for block in regex.findall(r"(?ms)^```python\n(.*?)^```", text) if ">>>" not in block]


def test_python_blocks_parse() -> None:
    broken = []
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            try:
                compile(block, str(page), "exec")
            except SyntaxError as error:
                broken.append(f"{page.name}: {error}")
    assert broken == []


def asserting() -> list[tuple[str, str]]:
    return [
        (name, block)
        for name, page in zip(IDS, PAGES, strict=True)
        for block in blocks(page.read_text(encoding="utf-8"))
        if "assert " in block
    ]


@pytest.mark.parametrize(("name", "block"), asserting(), ids=[name for name, _ in asserting()])
def test_what_a_block_asserts_is_true(name: str, block: str) -> None:
    exec(compile(block, name, "exec"), {})


def needs_training() -> None:
    missing = [name for name in ("trl", "torch", "transformers", "peft", "datasets", "bitsandbytes") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"training needs {', '.join(missing)}")


@pytest.mark.filterwarnings("ignore")  # torch's and transformers' own
@pytest.mark.slow  # most of it is importing torch and the trainer
def test_what_fine_tune_says_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file, Python block and command of `python -m finetune` in the order of the page, on a small model and small data."""
    needs_training()
    from click.testing import CliRunner

    from finetune.cli import main
    from finetune.tiny import make_tiny

    monkeypatch.chdir(tmp_path)
    page = text_of("how-to/fine-tune.md").partition("## With plain TRL")[0]
    make_tiny("typhoon-7b", tmp_path / "scb10x" / "typhoon-7b")  # in the place where the page's name of the base leads
    small_data(tmp_path / "clean")
    small_data(tmp_path / "other", " และมีคนเลี้ยงมานาน")
    typed = []
    for kind, block in regex.findall(r"(?ms)^```(yaml|python|console)\n(.*?)^```", page):
        if kind == "yaml":
            (tmp_path / "run.yaml").write_text(block, encoding="utf-8")
        elif kind == "python":
            exec(compile(block, "fine-tune.md", "exec"), {})
        else:
            for line in regex.findall(r"(?m)^\$ python -m finetune (.*)$", block):
                done = CliRunner().invoke(main, [*line.split(), *QUICK.get(line.split()[0], ())])
                assert done.exit_code == 0, f"{line}: {done.output}{done.exception}"
                typed.append(line.split()[0])
    assert sorted(set(typed)) == ["compare", "generate", "measure", "merge", "preflight", "train"]
    assert (tmp_path / "comparison" / "comparison.html").exists()
    assert (tmp_path / "merged" / "model.safetensors").exists()
    assert set(section_rows(page, "4. Train")) >= {"run.json", "adapter_model.safetensors", "record.json", "training_answers.jsonl"}
    assert [name for name in section_rows(page, "4. Train") if not (tmp_path / "runs" / "clean-0" / name).exists()] == []


#: What makes a command of the page quick; the page says the rest.
QUICK = {
    "train": ("--quiet", "--set", "device=cpu", "--set", "gradient_checkpointing=false"),
    "generate": ("--max-new-tokens", "8"),
    "merge": ("--max-new-tokens", "8"),
    "compare": ("--draws", "100"),
}


def section_rows(text: str, title: str) -> list[str]:
    """The files that the table of a section names."""
    cells = [row[0] for row in table(section(text, title))]
    return [name for cell in cells for name in regex.findall(r"[\w.]+\.(?:jsonl|json|svg|safetensors)", cell)]


@pytest.mark.filterwarnings("ignore")  # torch's and transformers' own
@pytest.mark.slow  # most of it is importing torch and the trainer
def test_the_plain_way_of_fine_tune_trains_and_asks_a_small_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_training()
    monkeypatch.chdir(tmp_path)
    small_model(tmp_path / "base")
    small_data(tmp_path / "clean")
    code = "\n".join(blocks(text_of("how-to/fine-tune.md").partition("## With plain TRL")[2]))
    for came, goes in (
        ('"Qwen/Qwen2.5-0.5B-Instruct"', '"base"'),
        (
            'SFTConfig("tuned", ',
            'SFTConfig("tuned", use_cpu=True, bf16=False, gradient_checkpointing=False, max_steps=1, report_to="none", ',
        ),
        ("max_new_tokens=512", "max_new_tokens=8"),
    ):
        assert came in code, f"fine-tune.md does not say {came} any more"
        code = code.replace(came, goes)
    exec(compile(code, "fine-tune.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "'share_keeps_stop': 1.0" in printed
    assert regex.search(r"stopped: (True|False)\nsaid again: [\d.]+", printed)
    assert (tmp_path / "tuned" / "adapter_model.safetensors").exists()


def small_model(folder: Path) -> None:
    """A random model of two layers whose tokens are bytes, with a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|end|>", pad_token="<|pad|>")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=2048, **sizes)).save_pretrained(folder)


def small_data(folder: Path, more: str = "") -> None:
    """The instruction data of a build, without the build; no title stands in two splits."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from thaiwiki_clean.instruct.formats import Example, to_messages
    from thaiwiki_clean.pipeline.published import EXAMPLES, SPLITS

    words = iter(("แมว", "หมา", "ช้าง", "เสือ", "ลิง", "กวาง", "หมี", "กระต่าย", "กระรอก"))
    (folder / "data").mkdir(parents=True)
    for split in SPLITS:
        rows = [
            to_messages(Example(f"{word}คืออะไร", f"{word}เป็นสัตว์เลี้ยงลูกด้วยนมที่พบได้ในป่า{more}", id=word, title=word))
            for word in (next(words), next(words), next(words))
        ]
        pq.write_table(pa.Table.from_pylist(rows, EXAMPLES), folder / "data" / f"{split}-00000-of-00001.parquet")


# --------------------------------------------------------------------------- links

_CODE = regex.compile(r"(?ms)^[ ]*(`{3,}).*?^[ ]*\1[ ]*$|`[^`\n]+`")
_LINK = regex.compile(r"\]\((?!https?://|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can lead to: its headings, as the site names them, and the names of the reference."""
    text = page.read_text(encoding="utf-8")
    headings = regex.findall(r"(?m)^#+[ ]+(.+?)[ ]*$", regex.sub(r"(?ms)^```.*?^```", "", text))
    return {slug(heading) for heading in headings} | set(named(text))


def slug(heading: str) -> str:
    """What Python-Markdown makes of a heading."""
    words = regex.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return regex.sub(r"[\s-]+", "-", regex.sub(r"[^\w\s-]", "", words.encode("ascii", "ignore").decode()).strip().lower())


def named(text: str) -> list[str]:
    """The Python names that a page has a place for."""
    return regex.findall(r"(?m)^::: ([\w.]+)$", text)


@pytest.mark.parametrize("page", [*PAGES, *BESIDE], ids=[*IDS, *(page.relative_to(ROOT).as_posix() for page in BESIDE)])
def test_links_lead_to_a_place_that_is_there(page: Path) -> None:
    broken = []
    for file, anchor in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        target = (page.parent / file) if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}" if anchor else file)
    assert broken == []


def test_the_navigation_names_every_page_once() -> None:
    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [page for item in (entry.values() if isinstance(entry, dict) else entry) for page in pages(item)]

    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(pages(site["nav"])) == sorted(IDS)


def test_the_index_leads_to_every_page() -> None:
    index = text_of("index.md") + text_of("reference/api.md").replace("](api/", "](reference/api/")
    assert [name for name in IDS if name != "index.md" and f"({name})" not in index] == []


# --------------------------------------------------------------------------- names

#: name in the reference -> page that has its place.
NAMED = {name: page for page in PAGES for name in named(page.read_text(encoding="utf-8"))}
MODULES = sorted({name.rpartition(".")[0] for name in NAMED} - {"thaiwiki_clean._version"})


def value(name: str) -> Any:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def test_every_name_of_the_package_has_its_place() -> None:
    on_the_page = {name.rpartition(".")[2]: name for name, page in NAMED.items() if page.name == "api.md"}
    assert [name for name in tw.__all__ if name not in on_the_page] == []
    assert [name for name in tw.__all__ if value(on_the_page[name]) is not getattr(tw, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_in_the_reference_is_there_with_all_its_names(module: str) -> None:
    if module == "thaiwiki_clean.pandas" and not importlib.util.find_spec("pandas"):
        pytest.skip("pandas is an extra")
    imported = importlib.import_module(module)
    there = [value(name) for name in NAMED if name.rpartition(".")[2] in imported.__all__]
    assert [name for name in imported.__all__ if not any(getattr(imported, name) is one for one in there)] == []


def test_the_modules_for_pipelines_and_tests_are_in_the_reference() -> None:
    assert {f"thaiwiki_clean.{name}" for name in ("pandas", "arrow", "testing", "instruct.formats", "marks")} <= set(MODULES)


# --------------------------------------------------------------------------- rules, reasons, columns


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    found = regex.search(rf"(?ms)^(##+) {regex.escape(title)}\n(.*?)(?=^#{{2,3}} |\Z)", text)
    assert found, f"no heading {title!r}"
    return found[2]


def table(text: str) -> list[list[str]]:
    """The rows of the tables of a text whose first cell is code, or code that leads somewhere; there the code alone."""
    rows = [[cell.strip() for cell in regex.split(r"(?<!\\)\|", line)[1:-1]] for line in text.split("\n") if regex.match(r"\| \[?`", line)]
    return [[regex.sub(r"^\[|\]\(.*\)$", "", row[0]).strip("`"), *row[1:]] for row in rows]


def test_every_rule_and_every_reason_has_its_section() -> None:
    headings = regex.findall(r"(?m)^#{2,4} `(\w+)`[ ]*$", text_of("reference/rules.md"))
    assert [name for name in [rule.__name__ for rule in tw.RULES] + list(tw.REASONS) if name not in headings] == []


def test_every_reason_stands_with_its_sentence() -> None:
    assert [tuple(row) for row in table(text_of("reference/reasons.md")) if len(row) == 2] == list(tw.REASONS.items())


def test_every_verdict_stands_with_its_sentence() -> None:
    rows = table(section(text_of("reference/reasons.md"), "Verdicts on pages"))
    assert [(name, says) for name, says, *_ in rows] == list(VERDICTS.items())


def test_instruction_data_knows_kinds_reasons_and_forms() -> None:
    from thaiwiki_clean.instruct import KINDS, LEFT_OUT
    from thaiwiki_clean.instruct.formats import FORMATS

    text = text_of("reference/instruction-data.md")
    told = {title: {row[0] for row in table(section(text, title))} for title in ("Kinds of prompt", "Left out, with a reason", "Forms")}
    assert told["Kinds of prompt"] == set(KINDS)
    assert told["Left out, with a reason"] == set(LEFT_OUT)
    assert told["Forms"] == {f"to_{name}" for name in FORMATS}


def arrow(kind: Any) -> str:
    """A type of Arrow in the words of the page."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return f"list of {'struct' if pa.types.is_struct(kind.value_type) else kind.value_type}"
    return str(kind)


@pytest.mark.parametrize(("title", "schema"), [("articles", "ARTICLES"), ("dropped", "DROPPED"), ("data", "EXAMPLES")])
def test_the_columns_are_those_of_the_files(title: str, schema: str) -> None:
    from thaiwiki_clean.pipeline import published

    columns = [(field.name, arrow(field.type)) for field in getattr(published, schema)]
    assert [(name, kind) for name, kind, _ in table(section(text_of("reference/page-schema.md"), title))] == columns


def test_the_fields_of_an_edit_are_those_of_the_files() -> None:
    from thaiwiki_clean.pipeline.shards import EDITS

    told = [(name, kind) for name, kind, _ in table(section(text_of("reference/page-schema.md"), "edits"))]
    assert told == [(field.name, arrow(field.type)) for field in EDITS.value_type]
    assert [name for name, _ in told] == list(Edit._fields)


def test_the_manifest_and_the_page_are_described_field_by_field() -> None:
    from dataclasses import fields

    from thaiwiki_clean.pipeline.manifest import Manifest

    for title, record in (("manifest.json", Manifest), ("Page", Page)):
        told = [name for row in table(section(text_of("reference/page-schema.md"), title)) for name in regex.split(r"`?, `?", row[0])]
        assert told == [field.name for field in fields(record)], title


def test_what_stands_in_a_built_folder_is_what_the_page_says(tmp_path: Path) -> None:
    pages = [
        {"title": word, "text": f"{word}เป็นสัตว์เลี้ยงลูกด้วยนมที่คนเลี้ยงไว้ในบ้านมานานหลายพันปี", "source": "thaiwikipedia"} for word in ("แมว", "หมา")
    ]
    (tmp_path / "pages.jsonl").write_text("\n".join(json.dumps(page) for page in pages), encoding="utf-8")
    from thaiwiki_clean.build import build

    build(str(tmp_path / "pages.jsonl"), tmp_path / "out", engine="serial", words=None)
    told = {row[0].rstrip("/") for row in table(text_of("reference/page-schema.md").partition("\n## ")[0])}
    assert {path.name for path in (tmp_path / "out").iterdir()} <= told


def test_the_index_names_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {row[0] for row in table(section(text_of("index.md"), "Install"))} == set(extras)


# --------------------------------------------------------------------------- finetune


def finetune_commands() -> dict[str, Any]:
    from finetune.cli import COMMANDS

    return {name: getattr(importlib.import_module(module), command) for name, (module, command, _) in COMMANDS.items()}


@pytest.mark.parametrize("name", finetune_commands())
def test_every_option_of_a_finetune_command_is_told_and_none_that_is_not_there(name: str) -> None:
    import click

    told = {
        flag
        for row in table(section(text_of("reference/finetune-command-line.md"), name))
        for flag in regex.findall(r"--?[a-z][a-z-]*", row[0])
    }
    options = [param for param in finetune_commands()[name].params if isinstance(param, click.Option)]
    assert told == {flag for option in options for flag in (*option.opts, *option.secondary_opts)}


def test_the_finetune_commands_are_listed_with_what_they_do() -> None:
    from finetune.cli import COMMANDS

    listed = {row[0]: row[1] for row in table(text_of("reference/finetune-command-line.md").partition("\n## ")[0])}
    assert {name: says.rstrip(".?").lower() for name, says in listed.items()} == {
        name: says.rstrip(".?").lower() for name, (_, _, says) in COMMANDS.items()
    }


def test_the_sizes_of_the_experiment_are_those_that_it_has() -> None:
    from finetune.experiment import SIZES

    told = {row[0]: [int(cell) for cell in row[2:6]] for row in table(section(text_of("how-to/run-the-experiment.md"), "Sizes"))}
    assert told == {name: [size.n_train, size.n_held_out, size.seeds, size.max_answer] for name, size in SIZES.items()}


def test_the_arms_of_the_experiment_are_those_that_it_has() -> None:
    from finetune.arms import GROUPS, MAIN

    text = section(text_of("how-to/run-the-experiment.md"), "The arms")
    assert [row[0] for row in table(text)] == ["base", *MAIN, "without_GROUP", "without_RULE"]
    assert [f"`{name}`" for name in GROUPS if f"`{name}`" not in text] == []
