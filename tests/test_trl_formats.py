"""TRL's trainer takes what a build gives: every form, from the sample, from a table of 2,000 rows, and from a dump."""

from __future__ import annotations

import bz2
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_formats import TO_TRL, tiny_tokenizer
from thaiwiki_clean import samples
from thaiwiki_clean.build import build
from thaiwiki_clean.instruct import KINDS
from thaiwiki_clean.instruct.formats import Example, from_messages

MISSING = [name for name in ("trl", "torch", "transformers", "datasets") if not importlib.util.find_spec(name)]
pytestmark = [
    pytest.mark.slow,  # fifteen trainers, and 2,000 pages: about 80 seconds
    pytest.mark.filterwarnings("ignore"),  # torch's and transformers' own
    pytest.mark.skipif(bool(MISSING), reason=f"the trainer's test needs {', '.join(MISSING)}"),
]
ROWS = 2_000
LONGEST = 1_024  # tokens of the tiny tokenizer, which are bytes: some 330 Thai letters


def _from_sample(folder: Path) -> str:
    return str(samples.path())


def _from_table(folder: Path) -> str:
    """The sample's pages over and over, each with a name of its own: 2,000 rows in the columns of the public data set."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pages = [json.loads(line) for line in samples.path().read_text(encoding="utf-8").split("\n") if line]
    rows = [pages[n % len(pages)] | {"__index_level_0__": n, "title": f"{pages[n % len(pages)]['title']} {n}"} for n in range(ROWS)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "pages.parquet")
    return str(folder / "pages.parquet")


def _from_dump(folder: Path) -> str:
    from xml.sax.saxutils import escape

    pages = [json.loads(line) for line in samples.path().read_text(encoding="utf-8").split("\n") if line]
    with bz2.open(folder / "thwiki-pages-articles.xml.bz2", "wt", encoding="utf-8") as out:
        out.write('<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="th">\n')
        out.write("<siteinfo><sitename>วิกิพีเดีย</sitename><dbname>thwiki</dbname></siteinfo>\n")
        for n, page in enumerate(pages, 1):
            out.write(f"<page><title>{escape(page['title'])}</title><ns>0</ns><id>{n}</id><revision><id>{n}</id>")
            out.write(f'<text xml:space="preserve">{escape(page["text"])}</text></revision></page>\n')
        out.write("</mediawiki>\n")
    return str(folder / "thwiki-pages-articles.xml.bz2")


SOURCES: dict[str, Callable[[Path], str]] = {"sample": _from_sample, "table": _from_table, "dump": _from_dump}


@pytest.fixture(scope="module", params=sorted(SOURCES))
def examples(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    """What a build of the source gives, measured with the tokenizer that will train, and read as a trainer reads it."""
    import datasets

    folder = tmp_path_factory.mktemp(request.param)
    tiny_tokenizer().save_pretrained(folder / "tokenizer")
    build(
        SOURCES[request.param](folder),
        folder / "out",
        engine="serial",
        kinds=tuple(KINDS),
        tokenizer=str(folder / "tokenizer"),
        max_tokens=LONGEST,
        dedup=False,
    )
    rows = datasets.load_dataset(str(folder / "out"), cache_dir=str(folder / "cache"))["train"]
    return [from_messages(row) for row in rows]


@pytest.mark.parametrize("name", sorted(TO_TRL))
def test_trl_trains_on_a_build(name: str, examples: list[Example], tmp_path: Path) -> None:
    """Every example of the build goes in whole, its stop token is trained, and two steps are taken."""
    import datasets
    import torch
    import trl
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    trainer = trl.SFTTrainer(
        model=LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size)),
        args=trl.SFTConfig(
            output_dir=str(tmp_path), max_length=LONGEST, max_steps=2, per_device_train_batch_size=2, use_cpu=True, bf16=False,
            gradient_checkpointing=False, dataloader_pin_memory=False, report_to="none", disable_tqdm=True, save_strategy="no",
        ),
        train_dataset=datasets.Dataset.from_list([TO_TRL[name](example) for example in examples]),
        processing_class=tokenizer,
    )  # fmt: skip
    assert len(trainer.train_dataset) == len(examples) > 20
    stop = tokenizer.eos_token_id
    assert all(row["input_ids"][-1] == stop for row in trainer.train_dataset)
    assert trainer.train().training_loss > 0
