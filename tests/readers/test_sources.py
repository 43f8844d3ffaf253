"""What a source may be, what identifies it, and what is said when it cannot be read."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.readers.reading import raws, said
from thaiwiki_clean.readers import SourceError, open_source, read

ROOT = Path(__file__).parents[2]
LINE = b'{"title": "t", "text": "%s"}\n'


def folder_of(root: Path, *names: str) -> Path:
    """A folder of json lines; every file holds its own name."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(LINE % name.encode())
    return root


def until_damage(source: Path) -> tuple[list[str], str]:
    """The pages before the damage, and what is said about it."""
    pages = []
    try:
        for page in read(str(source)):
            pages.append(page.raw)
    except SourceError as error:
        return pages, str(error)
    return pages, "nothing"


# --------------------------------------------------------------------------- files, folders, globs


def test_a_folder_is_read_to_the_bottom_in_the_order_of_names(tmp_path):
    assert raws(folder_of(tmp_path, "b.jsonl", "a/z.jsonl", "a.jsonl")) == ["a.jsonl", "a/z.jsonl", "b.jsonl"]


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_an_address_of_this_machine_is_a_path(tmp_path, scheme):
    assert raws(f"{scheme}://{folder_of(tmp_path, 'a.jsonl', 'b.jsonl')}/*.jsonl") == ["a.jsonl", "b.jsonl"]


def test_hidden_files_and_settings_in_a_folder_are_no_pages(tmp_path):
    folder_of(tmp_path, "a.jsonl", ".b.jsonl", "_c.jsonl", ".cache/d.jsonl", "info.json", "README.md")
    assert raws(tmp_path) == ["a.jsonl"]


def test_a_glob_reads_what_it_matches(tmp_path):
    folder_of(tmp_path, "a-1.jsonl", "a-2.jsonl", "b.jsonl")
    assert raws(tmp_path / "a-*.jsonl") == ["a-1.jsonl", "a-2.jsonl"]


def test_a_glob_can_go_down(tmp_path):
    folder_of(tmp_path, "x/a.jsonl", "y/z/b.jsonl")
    assert raws(tmp_path / "**/*.jsonl") == ["x/a.jsonl", "y/z/b.jsonl"]


def test_page_ids_are_the_same_by_file_folder_and_glob(tmp_path):
    folder_of(tmp_path, "a.jsonl")
    found = [[page.id for page in read(str(source))] for source in (tmp_path, tmp_path / "a.jsonl", tmp_path / "*.jsonl")]
    assert found == [["a.jsonl:1"]] * 3


def test_page_ids_are_unique_across_files_of_one_name(tmp_path):
    assert [page.id for page in read(str(folder_of(tmp_path, "x/a.jsonl", "y/a.jsonl")))] == ["x/a.jsonl:1", "y/a.jsonl:1"]


def test_shards_sort_in_source_order(tmp_path):
    names = [shard.name for shard in open_source(str(folder_of(tmp_path, "a.jsonl", "a.jsonl !.jsonl", "a/a.jsonl", "ก.jsonl"))).shards]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "names", [("train-00000.jsonl", "test-00000.jsonl"), ("train.jsonl", "test.jsonl"), ("x/train/0.jsonl", "x/test/0.jsonl")]
)
def test_a_split_is_told_by_its_name(names, tmp_path):
    assert raws(folder_of(tmp_path, *names), split="train") == [names[0]]


def test_a_split_is_not_told_by_a_part_of_a_name(tmp_path):
    folder_of(tmp_path, "pretrain.jsonl", "training.jsonl")
    assert said(tmp_path, split="train") == f"{tmp_path}: no file of split 'train' among pretrain.jsonl, training.jsonl"


def test_a_file_of_json_lines_may_be_called_json(tmp_path):
    assert raws(folder_of(tmp_path, "a.json") / "a.json") == ["a.json"]


def test_an_empty_file_has_no_pages(tmp_path):
    for name in ("a.jsonl", "b.csv"):
        (tmp_path / name).touch()
        source = open_source(str(tmp_path / name))
        assert (source.shards, source.rows or 0) == ((), 0)


def test_an_empty_part_of_a_folder_is_no_fault(tmp_path):
    folder_of(tmp_path, "a.jsonl")
    (tmp_path / "b.jsonl").touch()
    assert raws(tmp_path) == ["a.jsonl"]


# --------------------------------------------------------------------------- identity


def test_the_fingerprint_does_not_depend_on_where_a_source_lies(tmp_path):
    one = folder_of(tmp_path / "one", "a.jsonl", "b/c.jsonl")
    shutil.copytree(one, tmp_path / "two")
    assert open_source(str(one)).fingerprint == open_source(str(tmp_path / "two")).fingerprint


@pytest.mark.parametrize("change", ["bytes", "name", "more"])
def test_the_fingerprint_changes_with(change, tmp_path):
    before = open_source(str(folder_of(tmp_path, "a.jsonl"))).fingerprint
    if change == "bytes":
        (tmp_path / "a.jsonl").write_bytes(LINE % b"b.jsonl")
    elif change == "name":
        (tmp_path / "a.jsonl").rename(tmp_path / "b.jsonl")
    else:
        folder_of(tmp_path, "b.jsonl")
    assert open_source(str(tmp_path)).fingerprint != before


def test_the_name_of_a_source_leads_nowhere_on_this_machine(tmp_path):
    folder_of(tmp_path / "pages", "a.jsonl")
    sources = [tmp_path / "pages", tmp_path / "pages/a.jsonl", tmp_path / "pages/*.jsonl"]
    assert [open_source(str(source)).name for source in sources] == ["pages", "a.jsonl", "*.jsonl"]


def test_messages_and_ids_lead_nowhere_on_this_machine(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINE % b"x" + b"{}\n")
    assert str(tmp_path) not in repr(list(read(str(tmp_path / "a.jsonl"))))


# --------------------------------------------------------------------------- datasets folders


@pytest.fixture
def saved(tmp_path):
    """Two splits as ``DatasetDict.save_to_disk`` lays them out, with a cache beside the pages."""
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for name in ("data-00000-of-00001.arrow", "cache-1.arrow"):
            with pa.OSFile(str(tmp_path / split / name), "wb") as sink, pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])) as out:
                out.write_table(pa.table({"text": [split, name]}), max_chunksize=1)
        (tmp_path / split / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    return tmp_path


def test_a_saved_data_set_is_read_by_its_own_list(saved):
    assert raws(saved) == ["test", "data-00000-of-00001.arrow", "train", "data-00000-of-00001.arrow"]


def test_a_split_of_a_saved_data_set(saved):
    assert raws(saved, split="train") == raws(saved / "train") == ["train", "data-00000-of-00001.arrow"]


def test_a_split_that_was_not_saved(saved):
    assert said(saved, split="dev") == f"{saved.name}: no split 'dev' among train, test"


def test_a_list_of_files_that_cannot_be_read(saved):
    (saved / "dataset_dict.json").write_text("{")
    assert "state.json or dataset_dict.json cannot be read" in said(saved)


def test_a_saved_data_set_of_the_real_library(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.DatasetDict({"train": datasets.Dataset.from_dict({"text": ["ก", "ข"]})}).save_to_disk(tmp_path / "d")
    assert raws(tmp_path / "d") == ["ก", "ข"]


# --------------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("source", ["missing.parquet", "./missing", "missing", "no/such/dir/pages.parquet", "/no/such/*.parquet"])
def test_nothing_there_is_one_line(source):
    assert "readable are .parquet .jsonl" in said(source)


def test_a_folder_without_pages(tmp_path):
    assert said(tmp_path).startswith(f"{tmp_path}: no file to read; readable are")


def test_a_file_of_unknown_kind(tmp_path):
    (tmp_path / "a.xlsx").touch()
    assert said(tmp_path / "a.xlsx").startswith("a.xlsx: a file of unknown kind; readable are")


def test_files_of_several_kinds_are_not_mixed(tmp_path):
    folder_of(tmp_path, "a.jsonl", "a.csv")
    assert said(tmp_path) == f"{tmp_path}: files of several kinds (csv, jsonl), expected one; name them, such as {tmp_path}/*.jsonl"


def test_a_revision_is_for_the_hub(tmp_path):
    assert "a revision ('main') is for data sets of the Hub" in said(folder_of(tmp_path, "a.jsonl"), revision="main")


def test_a_json_array_is_not_json_lines(tmp_path):
    (tmp_path / "a.json").write_text('[{"text": "a"}]\n')
    assert said(tmp_path / "a.json") == "a.json: a JSON array, expected an object a line; turn it: jq -c '.[]' FILE > FILE.jsonl"


def test_a_file_without_any_object(tmp_path):
    (tmp_path / "a.jsonl").write_text("แมว\nหมา\n", "utf-8")
    assert said(tmp_path / "a.jsonl") == "a.jsonl: none of the first 2 lines is a JSON object, expected an object a line"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_utf_16_is_not_utf_8(name, tmp_path):
    (tmp_path / name).write_bytes("text\nแมว\n".encode("utf-16"))
    assert said(tmp_path / name) == f"{tmp_path / name}: UTF-16 text, expected UTF-8; turn it: iconv -f UTF-16 -t UTF-8 FILE"


def test_a_header_that_cannot_be_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'"text"x\na\n')
    assert said(tmp_path / "a.csv").startswith("a.csv: the header: broken csv")


@pytest.fixture
def parquet(tmp_path):
    pq.write_table(pa.table({"text": [str(n) * 100 for n in range(1000)]}), tmp_path / "a.parquet", row_group_size=100, compression="none")
    return tmp_path / "a.parquet"


@pytest.mark.parametrize("keep", [0, 3, 100, 0.5, 0.999])
def test_a_parquet_file_that_was_cut_off(keep, parquet):
    whole = parquet.read_bytes()
    parquet.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else keep])
    line = said(parquet)
    assert line.startswith("a.parquet: parquet that cannot be read (")
    assert line.endswith("); the file is damaged or cut off, fetch it again")


def test_a_parquet_file_with_a_hole_stops_after_the_pages_before_it(parquet):
    whole = bytearray(parquet.read_bytes())
    group = pq.ParquetFile(parquet).metadata.row_group(5).column(0)
    start = group.dictionary_page_offset or group.data_page_offset
    whole[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    parquet.write_bytes(whole)
    pages, line = until_damage(parquet)
    assert line.startswith("a.parquet: parquet that cannot be read (")
    assert pages == [str(n) * 100 for n in range(len(pages))]
    assert 400 <= len(pages) <= 500


@pytest.mark.parametrize("damage", ["cut", "bits"])
def test_a_damaged_gzip_file_stops_with_one_line(damage, tmp_path):
    rows = b"".join(b'{"text": "%d %s"}\n' % (n, str(n**30).encode()) for n in range(50_000))
    packed = bytearray(gzip.compress(rows))
    if damage == "cut":
        del packed[-20:]
    else:
        packed[len(packed) // 2] ^= 255
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    pages, line = until_damage(tmp_path / "a.jsonl.gz")
    assert line.endswith("; the file is damaged or cut off, fetch it again")
    assert "\n" not in line
    assert 0 < len(pages) <= 50_000


def test_a_file_that_is_not_packed_as_its_name_says(tmp_path):
    folder_of(tmp_path, "a.jsonl.gz")
    assert "fetch it again" in said(tmp_path / "a.jsonl.gz")


@pytest.mark.parametrize("keep", ["batches", 0.5, 5])
def test_an_arrow_file_that_was_cut_off(keep, tmp_path):
    path = tmp_path / "a.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])) as out:
        out.write_table(pa.table({"text": ["ก"] * 100}), max_chunksize=10)
    whole = path.read_bytes()
    path.write_bytes(whole[:-8] if keep == "batches" else whole[: int(keep * len(whole)) if keep < 1 else keep])
    assert said(path).startswith("a.arrow: arrow that cannot be read (")


def test_a_file_that_vanished_between_opening_and_reading(tmp_path):
    from thaiwiki_clean.readers import read_shard

    (shard,) = open_source(str(folder_of(tmp_path, "a.jsonl"))).shards
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(SourceError, match="No such file"):
        list(read_shard(shard))


# --------------------------------------------------------------------------- dumps

DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="th">
  <siteinfo><sitename>วิกิพีเดีย</sitename><dbname>thwiki</dbname><base>https://th.wikipedia.org/wiki/X</base>
    <namespaces><namespace key="0" case="case-sensitive" /></namespaces></siteinfo>
  <page><title>แมว</title><ns>0</ns><id>7</id><revision><id>9</id><text>'''แมว'''เป็นสัตว์</text></revision></page>
</mediawiki>"""


@pytest.mark.parametrize("name", ["thwiki.xml", "deep/thwiki.xml"])
def test_a_dump_is_a_source_like_any_other(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(DUMP, "utf-8")
    source = open_source(str(tmp_path))
    assert (source.kind, [shard.file for shard in source.shards]) == ("dump", [name])
    assert [(page.id, page.title, page.raw) for page in read(str(tmp_path))] == [("7", "แมว", "แมวเป็นสัตว์")]


def test_the_door_opens_without_heavy_libraries():
    code = (
        "import sys, thaiwiki_clean.readers; print([m for m in ('pyarrow', 'huggingface_hub', 'pandas', 'datasets') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"
