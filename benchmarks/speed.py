"""Speed of cleaning and judging: CPU seconds over the gold pages, by rule, at growing lengths, and on hostile texts.

    python benchmarks/speed.py [--data ../shared/data] [--only pages|rules|lengths|hostile]

CPU time of one process, the best of several passes. Every pass gets new string objects, as a stream would; "first pass" is
the first time that the process sees the pages, when nothing is remembered about their lines. The reference loop (a million
additions) and the naive pipeline (cut at the first boilerplate header, drop lines in equals signs) run in the same minute,
so that their ratios hold on any machine.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from types import FrameType

import thaiwiki_clean as tw
from thaiwiki_clean import rounds
from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.judge import judge
from thaiwiki_clean.rules import RULES, STAGES

PASSES = 7
#: A hostile text may take so many times the time of prose, byte for byte.
ALLOWED = 10
MEGABYTE = 1_000_000

_CUT = re.compile(r"^=+\s*(?:ดูเพิ่ม|อ้างอิง|แหล่งข้อมูลอื่น)\s*=+", re.MULTILINE)
_HEAD = re.compile(r"^\s*={1,6}[^\n]*={1,6}\s*$\n?", re.MULTILINE)


def naive(text: str) -> str:
    """The text up to the first boilerplate header, without lines in equals signs."""
    return _HEAD.sub("", text[: match.start()] if (match := _CUT.search(text)) else text).strip()


def reference() -> None:
    """The fixed piece of work that machines are compared by."""
    total = 0
    for number in range(1_000_000):
        total += number


def anew(texts: Sequence[str]) -> list[str]:
    """The same texts as new objects, whose hashes nobody knows yet."""
    return [("x" + text)[1:] for text in texts]


def varied(text: str, times: int) -> list[str]:
    """The same text so many times, each with a number in front: whole texts that were just seen are remembered, and none may be."""
    return [f"{number} {text}" for number in range(times)]


def cpu(work: Callable[[], object], passes: int = 1) -> float:
    """CPU seconds of the fastest of some passes."""
    best = float("inf")
    for _ in range(passes):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def over(function: Callable[[str], object], texts: Sequence[str], passes: int = PASSES) -> float:
    """CPU seconds of a function over all texts, new objects in every pass."""
    best = float("inf")
    for _ in range(passes):
        fresh = anew(texts)
        start = time.process_time()
        for text in fresh:
            function(text)
        best = min(best, time.process_time() - start)
    return best


def megabytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / MEGABYTE


def pages(texts: list[str], warm_up: list[str], titles: list[str]) -> None:
    """The whole of cleaning and judging, against the reference loop and the naive pipeline."""
    for text in warm_up:  # patterns and vocabulary are read at their first use
        tw.explain(text)
    size = megabytes(texts)
    rows = [("explain, first pass", over(tw.explain, texts, passes=1)), ("explain", over(tw.explain, texts)), ("explain, clean pages", 0.0)]
    clean = [tw.clean(text) for text in texts]
    rows[2] = ("explain, clean pages", over(tw.explain, clean) * size / megabytes(clean))
    cleaned = [clean_page(tw.Page("", title, "", "", text)) for title, text in zip(titles, texts, strict=True)]
    rows.append(("judge, after cleaning", cpu(lambda: [judge(page) for page in cleaned], PASSES)))
    rows.append(("naive pipeline", over(naive, texts)))
    loop = cpu(reference, PASSES)
    made = "source" if str(rounds.__file__).endswith(".py") else "compiled"
    print(f"{len(texts)} pages, {size:.3f} MB of UTF-8; rules: {made}; reference loop {1000 * loop:.1f} ms\n")
    print("| what | CPU MB/s | us a page | time / naive | MB in the time of one reference loop |\n|---|---|---|---|---|")
    for name, seconds in rows:
        print(
            f"| {name} | {size / seconds:.1f} | {1e6 * seconds / len(texts):.0f} | {seconds / rows[-1][1]:.1f} | {size / seconds * loop:.2f} |"
        )


def rules(texts: list[str]) -> None:
    """Every rule alone, on the texts as its stage meets them in the first round."""
    print("\n| rule, alone | us a page | finds something on |\n|---|---|---|")
    total = 0.0
    now = texts
    for stage in STAGES:
        for rule in stage:
            seconds = over(lambda text, rule=rule: list(rule(text)), now, 3)  # type: ignore[misc]
            total += seconds
            hits = sum(1 for text in now if list(rule(text)))
            print(f"| {rule.__name__} | {1e6 * seconds / len(texts):.1f} | {100 * hits / len(texts):.1f} % |")
        now = [tw.explain(text, (*stage,)).text for text in now]
    print(f"| all {len(RULES)} | {1e6 * total / len(texts):.1f} | |")


def prose(texts: list[str], length: int) -> str:
    """About so many bytes of the longer lines of the pages, in paragraphs, each line a little different from all others."""
    out: list[str] = []
    size = 0
    lines = [line for text in texts for line in tw.clean(text).split("\n") if len(line) > 100]
    for number, line in enumerate(cycle(lines)):
        out.append(line if number < len(lines) else f"{line} {number}")
        size += len(line.encode()) + 2
        if size >= length:
            break
    return "\n".join(out)


def lengths(texts: list[str]) -> None:
    print("\n| length of one page | prose, MB/s | gold pages joined, MB/s |\n|---|---|---|")
    joined = "\n".join(texts)
    for length in (1_000, 10_000, 100_000, 1_000_000, 10_000_000):
        row = []
        for text in (prose(texts, length), "".join(islice(cycle(joined), length // 2))):
            times = max(1, 200_000 // length)
            best = float("inf")
            for turn in range(3 if length < MEGABYTE else 1):
                fresh = varied(f"{turn} {text}", times)
                best = min(best, cpu(lambda fresh=fresh: [tw.explain(one) for one in fresh]))  # type: ignore[misc]
            row.append(f"{megabytes([text]) * times / best:.1f}")
        print(f"| {length:,} bytes | {' | '.join(row)} |")


def hostile(size: int = MEGABYTE) -> Iterator[tuple[str, str]]:
    """Texts of about ``size`` bytes that were made to be slow."""
    for piece in (
        "(", "=", " ", "\n", "[", "{", "|", "'", "<", "&", "[[", "{{", "((", "()", "(;", "(; ", "* ", "# ", ": ", ": :", ":: ", "== ", "==\n", "= =", "|-\n", "{|\n", "|a\n",
        "||", "!!", "'''", "~~~~", "----\n", "__", "[http://", "http://", "www.", "//", "&amp;", "&am", "<b", "<b>", "<!--", "<ref>", "<ref ", "<ref>ก</ref>", "]]", "[1]", "[[ก|",
        "[[ไฟล์:", "ไฟล์:ก.jpg|", "thumb", "200px", "1", "a", "ก", "\u200b", "\u00a0", "\r", "\t", "เ", "ํ", "ั", "่", "่ั", "ุ์", "ำ่", "ํา", "\ufffd", "\ud800", "\U0001f469\u200d",
        "0123456789", "ปลาช่อน\n", "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้าน\n", "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้าน", "ดังนี้\n", "หมวดหมู่:ก\n",
    ):  # fmt: skip
        text = piece * (size // len(piece.encode("utf-8", "surrogatepass")))
        yield repr(piece if len(piece) < 24 else piece[:20] + "..."), text
    half = size // 2
    yield "'(' then ')'", "(" * half + ")" * half
    yield "'( ' then ' )'", "( " * (half // 2) + " )" * (half // 2)
    yield "'[[' then ']]'", "[[" * (half // 2) + "]]" * (half // 2)
    yield "'{{' then '}}'", "{{" * (half // 2) + "}}" * (half // 2)
    yield "'<b' then '>'", "<b" * (size // 3) + ">" * (size // 3)
    yield "'<!-' then '- -->'", "<!-" * (size // 8) + "<!-- -->" + "- -->" * (size // 8)
    yield "'<ref>' then '</ref>'", "<ref>" * (size // 11) + "</ref>" * (size // 11)
    yield "'[\\'\\'' nested", "['" * (half // 2) + "]'" * (half // 2)
    yield "'&' then 'amp;'", "&" + "amp;" * (size // 4)
    yield "names, all different", "".join(f"ปลา{number}\n" for number in range(size // 16))
    yield "names with blanks", "".join(f"ปลา {number} \n" for number in range(size // 18))
    yield "names, headers between", "".join(f"ปลา {number}\n== ที่ {number} ==\n" for number in range(size // 44))
    yield "boilerplate headers between names", "".join(f"== อ้างอิง ==\nปลา {number}\n" for number in range(size // 46))
    yield (
        "sections that may go",
        "".join(f"{'=' * (2 + number % 5)} หมายเหตุ {'=' * (2 + number % 5)}\nปลา {number}\n" for number in range(size // 56)),
    )
    yield "bare titles between names", "".join(f"ประวัติ\nปลา {number}\n" for number in range(size // 38))
    yield "announcements, all different", "".join(f"ปลา {number} มีดังนี้\n" for number in range(size // 48))
    yield "table rows, all different", "".join(f"| {number} || ปลา\n" for number in range(size // 24))
    yield "prefixes of one line", "\n".join("ก" * number for number in range(1, int((2 * size / 3) ** 0.5)))
    yield "long lines of digits", "\n".join(str(number) * 40 for number in range(size // 240))


class TooLongError(Exception):
    """A text took longer than anyone would wait."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooLongError


def worst(texts: list[str], only: str = "") -> None:
    """Each hostile text against prose, time per byte."""
    base = prose(texts, MEGABYTE)
    one = min(cpu(lambda text=text: tw.explain(text)) for text in varied(base, 3)) / megabytes([base])  # type: ignore[misc]
    print(
        f"\nProse in one page of 1 MB: {1 / one:.1f} MB/s. Allowed: {ALLOWED} times its time.\n\n| 1 MB of | s a MB | times prose |\n|---|---|---|"
    )
    rows = []
    signal.signal(signal.SIGALRM, _stop)
    for name, text in hostile():
        if only not in name:
            continue
        signal.alarm(60)
        try:
            seconds = cpu(lambda text=text: tw.explain(text)) / megabytes([text])  # type: ignore[misc]
        except TooLongError:
            seconds = float("inf")
        except AssertionError:
            seconds = float("nan")
        finally:
            signal.alarm(0)
        rows.append((seconds / one, name, seconds))
    for ratio, name, seconds in sorted(rows, reverse=True):
        print(f"| {name} | {seconds:.2f} | {ratio:.1f} |")
    print(f"\n{sum(not ratio <= ALLOWED for ratio, _, _ in rows)} of {len(rows)} above {ALLOWED}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--only", choices=("pages", "rules", "lengths", "hostile"))
    parser.add_argument("--text", default="", help="only the hostile texts whose name holds this")
    args = parser.parse_args()
    gold = [json.loads(line) for line in (args.data / "gold_dev.jsonl").open(encoding="utf-8")]
    samples = Path(tw.__file__).parent / "samples/pages.jsonl"
    texts = [page["text"] for page in gold]
    if args.only in (None, "pages"):
        warm_up = [json.loads(line)["text"] or "" for line in samples.open(encoding="utf-8")]
        pages(texts, warm_up, [page["title"] for page in gold])
    if args.only in (None, "rules"):
        rules(texts)
    if args.only in (None, "lengths"):
        lengths(texts)
    if args.only in (None, "hostile"):
        worst(texts, args.text)


if __name__ == "__main__":
    main()
