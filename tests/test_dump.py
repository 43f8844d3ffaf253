"""Dumps: every page once however the file is cut, damage named, nothing in the XML believed."""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.build import build
from thaiwiki_clean.cli import cli
from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline.manifest import Manifest
from thaiwiki_clean.readers import SourceError, dump_bytes, dump_xml, read_shard
from thaiwiki_clean.readers.dump import dump_shards, read_dump_shard

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="th">
  <siteinfo>
    <sitename>วิกิพีเดีย</sitename>
    <dbname>thwiki</dbname>
    <base>https://th.wikipedia.org/wiki/หน้าหลัก</base>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">พูดคุย</namespace>
      <namespace key="6" case="first-letter">แฟ้มภาพ</namespace>
      <namespace key="14" case="first-letter">หมวดหมู่</namespace>
    </namespaces>
  </siteinfo>
"""
FOOT = "</mediawiki>\n"


def element(number: int, text: str, *, title: str = "", ns: str = "<ns>0</ns>", more: str = "", model: str = "wikitext") -> str:
    return (
        f"  <page>\n    <title>{escape(title or f'หน้า {number}')}</title>\n    {ns}\n    <id>{number}</id>\n{more}    <revision>\n      <id>{number + 1000}</id>\n"
        f"      <timestamp>2026-01-02T03:04:05Z</timestamp>\n      <contributor><username>ก</username><id>99</id></contributor>\n      <model>{model}</model>\n"
        f'      <text bytes="1" xml:space="preserve">{escape(text)}</text>\n    </revision>\n  </page>\n'
    )


def pages_of(path: Path) -> list[Page]:
    return [page for shard in dump_shards(str(path)) for page in read_dump_shard(shard)]


def write(path: Path, elements: Sequence[str], *, packed: Callable[[bytes], bytes] = bytes, foot: str = FOOT) -> Path:
    path.write_bytes(packed((HEAD + "".join(elements) + foot).encode()))
    return path


def multistream(parts: Sequence[bytes]) -> bytes:
    return b"".join(bz2.compress(part) for part in parts)


@pytest.fixture(scope="module")
def long_pages() -> list[str]:
    """Pages that fill several bzip2 blocks: text that does not pack well."""
    state, out = 1, []
    for number in range(300):
        letters = []
        for _ in range(2500):
            state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
            letters.append(chr(0x0E01 + (state >> 33) % 46))
        out.append(element(number, "".join(letters)))
    return out


# --- laws


@settings(max_examples=max(settings().max_examples // 4, 1))
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.integers(40, 3000), st.booleans())
def test_each_page_comes_once_and_in_order_however_the_file_is_cut(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], step: int, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.xml"
    data = (HEAD + "".join(element(number, "ก" * size) for number, size in enumerate(sizes)) + FOOT).encode()
    starts = range(0, len(data), step)
    if packed:
        path.write_bytes(multistream([data[at : at + step] for at in starts]))
        with dump_bytes._mapped(path) as mapped:
            marks = dump_bytes._Marks(mapped, 0)
            places = [marks.block()]
            while (at := marks.block((places[-1] or 0) + 48)) is not None:
                places.append(at)
        ends = [*places[1:], path.stat().st_size * 8]
    else:
        path.write_bytes(data)
        places, ends = list(starts), [*starts[1:], len(data)]
    ids = [record.id for start, stop in zip(places, ends, strict=True) for record in dump_xml.records(path, start or 0, stop or 0)]
    assert ids == [str(number) for number in range(len(sizes))]


@pytest.mark.parametrize("kind", ["xml", "bz2", "multistream", "odd streams", "gz", "zst"])
def test_every_packing_gives_the_same_pages(tmp_path: Path, long_pages: list[str], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump_bytes, "SMALLEST", 1 << 17)
    want = pages_of(write(tmp_path / "plain.xml", long_pages))
    data = (HEAD + "".join(long_pages) + FOOT).encode()
    if kind == "zst":
        packed = _zstd(data)
    else:
        packed = {
            "xml": lambda: data,
            "bz2": lambda: bz2.compress(data),
            "multistream": lambda: multistream(
                [HEAD.encode(), *("".join(long_pages[at : at + 50]).encode() for at in range(0, 300, 50)), FOOT.encode()]
            ),
            "odd streams": lambda: multistream([data[at : at + 77_777] for at in range(0, len(data), 77_777)]),
            "gz": lambda: gzip.compress(data),
        }[kind]()
    path = tmp_path / "packed"
    path.write_bytes(packed)
    shards = dump_shards(str(path))
    assert (len(shards) > 2) == (kind not in ("gz", "zst"))
    assert [page for shard in shards for page in read_shard(shard)] == want
    assert [page.id for page in want] == [str(number) for number in range(300)]


def test_cuts_come_from_the_file_alone(tmp_path: Path, long_pages: list[str]) -> None:
    path = write(tmp_path / "a.xml.bz2", long_pages, packed=bz2.compress)
    assert dump_shards(str(path)) == dump_shards(str(path))


# --- what a page carries, and why it falls


def test_a_page_carries_what_the_dump_says(tmp_path: Path) -> None:
    (page,) = pages_of(
        write(tmp_path / "a.xml", [element(7, "'''กา''' [[แฟ้มภาพ:ก.jpg|thumb|ข]]เป็นนก &lt;5 {{ใคร ๆ}} ที่บินได้", title="กา & นก")])
    )
    assert (page.id, page.title, page.source, page.revision, page.timestamp) == (
        "7",
        "กา & นก",
        "thaiwikipedia",
        "1007",
        "2026-01-02T03:04:05Z",
    )
    assert page.url == "https://th.wikipedia.org/wiki/%E0%B8%81%E0%B8%B2_%26_%E0%B8%99%E0%B8%81"
    assert page.raw == "กา เป็นนก <5 ที่บินได้"
    assert (page.dropped, page.detail) == (None, "damage: 1")


@pytest.mark.parametrize(
    ("page", "dropped", "detail"),
    [
        (element(1, "#เปลี่ยนทาง [[กา]]", more='    <redirect title="กา" />\n'), "redirect", "-> กา"),
        (element(1, "#REDIRECT [[กา]]"), "redirect", "-> กา"),
        (element(1, "ถาม", title="พูดคุย:กา", ns="<ns>1</ns>"), "other_namespace", "1 พูดคุย"),
        (element(1, "ถาม", title="พูดคุย:กา", ns=""), "other_namespace", "1 พูดคุย"),
        (element(1, "{}", model="json"), "other_model", "json"),
        (element(1, "กาอาจหมายถึง\n* [[กา]]\n{{แก้กำกวม}}"), "disambiguation", "disambiguation: {{แก้กำกวม}}"),
        (element(1, "กาอาจหมายถึง\n[[หมวดหมู่:หน้าแก้ความกำกวม]]"), "disambiguation", "disambiguation: [[หน้าแก้ความกำกวม]]"),
        (element(1, "* [[กา]]\n", title="รายชื่อนก"), "list_page", "list_page: title"),
        (
            element(1, ("กาเป็นนกที่ฉลาดและอยู่รวมกันเป็นฝูงใหญ่ตามทุ่งนาและริมน้ำทั่วทุกภาคของประเทศไทยมานานแล้ว " * 3 + "\n") * 2, title="รายชื่อนก"),
            None,
            "list_page: title",
        ),
        (element(1, "กาเป็นนก {{โครงสัตว์}}"), None, "stub: {{โครงสัตว์}}"),
        (element(1, "สวัสดี", title="สตาร์: ภาคหนึ่ง", ns=""), None, ""),
    ],
)
def test_a_page_falls_with_its_reason(tmp_path: Path, page: str, dropped: str | None, detail: str) -> None:
    (got,) = pages_of(write(tmp_path / "a.xml", [page]))
    assert (got.dropped, got.detail) == (dropped, detail)


def test_of_several_revisions_the_last_one_counts(tmp_path: Path) -> None:
    two = element(1, "เก่า").replace("  </page>", "    <revision><id>9</id><text>ใหม่</text></revision>\n  </page>")
    (page,) = pages_of(write(tmp_path / "a.xml", [two]))
    assert (page.raw, page.revision) == ("ใหม่", "9")


@pytest.mark.parametrize("name", ["thwikibooks", "thwiktionary", "thwikisource", "thwikiquote"])
def test_sister_projects_have_their_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text((HEAD + element(1, "กา") + FOOT).replace("thwiki<", f"{name}<"), encoding="utf-8")
    assert pages_of(path)[0].source == "thai" + name.removeprefix("th")


def test_a_dump_of_another_language_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    head = HEAD.replace('xml:lang="th"', 'xml:lang="lo"').replace("thwiki", "lowiki").replace("หมวดหมู่", "ໝວດ")
    path.write_text(head + element(1, "ກາ [[ໝວດ:ນົກ]]") + FOOT, encoding="utf-8")
    (page,) = pages_of(path)
    assert (page.source, page.raw) == ("lowikipedia", "ກາ")


def test_a_dump_without_siteinfo_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<mediawiki>\n" + element(1, "กา") + FOOT, encoding="utf-8")
    assert pages_of(path)[0].raw == "กา"


# --- damage


def _zstd(data: bytes) -> bytes:
    packed: bytes = pytest.importorskip("zstandard").compress(data)
    return packed


@pytest.mark.parametrize("packed", [bytes, bz2.compress, gzip.compress, _zstd], ids=["xml", "bz2", "gz", "zst"])
def test_what_stands_before_a_cut_off_end_is_kept_and_the_end_named(
    tmp_path: Path, long_pages: list[str], packed: Callable[[bytes], bytes]
) -> None:
    path = write(tmp_path / "a.xml", long_pages, packed=packed)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    pages: list[Page] = []
    with pytest.raises(SourceError, match=r"(in|after) page 'หน้า \d+'.* at byte [\d,]+; the [\d,]+ pages before it"):
        pages.extend(page for shard in dump_shards(str(path)) for page in [*_until_error(shard, pages)])
    assert 20 < len(pages) < 300
    assert [page.id for page in pages] == [str(number) for number in range(len(pages))]


def _until_error(shard: object, pages: list[Page]) -> list[Page]:
    for page in read_dump_shard(shard):  # type: ignore[arg-type]
        pages.append(page)
    return []


def test_a_file_that_ends_between_two_pages_is_cut_off_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", [element(1, "ก"), element(2, "ข")], foot="")
    with pytest.raises(SourceError, match=r"the file ends before </mediawiki>, after page 'หน้า 2'"):
        pages_of(path)


def test_a_broken_block_is_named_by_its_byte(tmp_path: Path, long_pages: list[str]) -> None:
    path = write(tmp_path / "a.xml.bz2", long_pages, packed=bz2.compress)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"bzip2 block broken or cut off after page|bzip2 block broken or cut off in page"):
        pages_of(path)


def test_broken_plain_xml_is_named_by_its_very_byte(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", [element(1, "ก"), element(2, "ข" * 500_000 + "\x08"), element(3, "ค")])
    with pytest.raises(SourceError, match=f"in page 'หน้า 2'.* at byte {path.read_bytes().index(8):,};"):
        pages_of(path)


def test_broken_xml_is_named_by_its_page(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", [element(1, "ก"), element(2, "ข").replace("</title>", ""), element(3, "ค")])
    with pytest.raises(SourceError, match=r"broken XML in page .*mismatched tag"):
        pages_of(path)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, long_pages: list[str]) -> Path:
    """A dump in several shards with a broken block in the middle of the second."""
    path = write(tmp_path_factory.mktemp("damaged") / "a.xml.bz2", [element(9000, "#เปลี่ยนทาง [[กา]]"), *long_pages], packed=bz2.compress)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    return path


def test_a_build_of_a_damaged_dump_keeps_what_can_be_read_whoever_works(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump_bytes, "SMALLEST", 1 << 16)
    assert len(dump_shards(str(damaged))) > 2
    one = build(str(damaged), tmp_path / "one", engine="serial", words=None)
    two = build(str(damaged), tmp_path / "two", workers=2, words=None)
    assert one == two
    assert [file.read_bytes() for file in sorted((tmp_path / "one").rglob("*.parquet"))] == [
        file.read_bytes() for file in sorted((tmp_path / "two").rglob("*.parquet"))
    ]
    assert 100 < one.rows < 301
    assert re.fullmatch(r"a\.xml\.bz2: bzip2 block broken or cut off in page 'หน้า \d+' at byte [\d,]+; .*", one.damage["broken_off"][0])
    assert one.damage["rows"] == 0  # a redirect is no row that could not be read
    assert one.damage["broken_off"][0] in (tmp_path / "one" / "README.md").read_text("utf-8")


def test_the_command_keeps_the_pages_before_a_damage_names_it_and_fails_each_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", [element(number, f"กาตัวที่ {number} เป็นนกที่บินไปหาน้ำในทุ่งกว้างทุกวัน") for number in range(9)])
    path.write_bytes(path.read_bytes()[:-500])
    runs = [
        CliRunner().invoke(cli, ["build", str(path), str(tmp_path / "out"), "--words", "none", "--engine", "serial", "--no-dedup"])
        for _ in range(2)
    ]
    for run in runs:
        assert run.exit_code == 1
        (line,) = run.stderr.strip().split("\n")
        assert re.match(r"error: a\.xml: the file ends before </mediawiki>, in page 'หน้า 7' at byte 4,329; the 7 pages before it", line)
    assert runs[0].stdout == runs[1].stdout
    assert Manifest.read(tmp_path / "out").rows == 7


def test_strict_builds_nothing_from_a_damaged_dump(damaged: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="broken or cut off"):
        build(str(damaged), tmp_path / "out", engine="serial", strict=True, words=None)
    assert not (tmp_path / "out" / "manifest.json").exists()


# --- trust


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE mediawiki [<!ENTITY a "กา">]>',
        '<!DOCTYPE mediawiki [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE mediawiki SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    ],
    ids=["entity", "file", "network", "laughs"],
)
def test_declarations_are_refused(tmp_path: Path, prologue: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(prologue + HEAD + element(1, "&a;").replace("&amp;a;", "&a;") + FOOT, encoding="utf-8")
    with pytest.raises(SourceError, match="declared, which no MediaWiki export does"):
        dump_shards(str(path))


def test_an_entity_inside_a_page_is_broken_xml(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", [element(1, "ก"), element(2, "ข").replace("ข", "&laugh;")])
    with pytest.raises(SourceError, match=r"broken XML in page 'หน้า 2'.*undefined entity"):
        pages_of(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04zip", "begins with b'PK"),
        (b"<html></html>", "the first element is <html>"),
        (b"<mediawiki", "not the XML"),
        (b"BZh9", "no bzip2 block"),
    ],
)
def test_what_is_no_dump_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=said) as error:
        dump_shards(str(path))
    assert "\n" not in str(error.value)


def test_a_text_that_is_too_long_falls_and_the_next_page_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump_xml, "MAX_TEXT", 1000)
    path = write(tmp_path / "a.xml", [element(1, "ก" * 5000), element(2, "ข")])
    first, second = pages_of(path)
    assert (first.dropped, second.raw) == ("bad_row", "ข")
    assert [record.text for record in dump_xml.records(path, 0, path.stat().st_size)] == ["", "ข"]  # what is too long is not held
    with pytest.raises(SourceError, match=r"page 'หน้า 1' \(id 1\)"):
        list(read_dump_shard(dump_shards(str(path))[0], True))


def test_one_endless_tag_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump_xml, "MAX_TAG", 1 << 20)
    path = write(tmp_path / "a.xml", [element(1, "ก"), element(2, "ข").replace("<text ", "<text a='" + "x" * (5 << 20) + "' ")])
    with pytest.raises(SourceError, match="a tag longer"):
        pages_of(path)
