"""Texts made at random of signs and words said over and over: whether one is slow, raises, or is not clean when it has been cleaned.

    python benchmarks/fuzz.py [--seconds 60] [--seed 0]

A text is a head, a unit of one to four pieces said 30 or 60 times, and a tail. Patterns that double their time with every word, and
rules that uncover work for each other without end, show here and on no real page. Prints each text that is at fault as
``(head, unit, times, tail)`` and what is wrong with it, and exits with status 1 when there is one.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from types import FrameType

import thaiwiki_clean as tw
from thaiwiki_clean.vocabulary import terms

#: CPU seconds; a text has 4,000 characters at most.
SLOW, HOPELESS = 0.1, 8
SIGNS = """thumb left 250px upright=1 style= class="a" colspan=2 = == === ( ) [ ] [[ ]] {{ }} { } | || |} {| |- ! !! ; , : * # - – • … ' '' "
< > <br> <ref> </ref> <!-- --> & &amp; &nbsp; http://a.b // / www. mailto: . 1 12 2547 พ.ศ. ดู IPA ↑ ^ ก กา ำ ่ ์ ุ ๆ ฯ a A é 北 __NOTOC__ {{{1}}} ISBN alt=""
ได้แก่ ดังนี้ คือ เป็น มี อาจหมายถึง หมายถึง รายชื่อ บทความนี้ โครง ต่อมา ใน และ หรือ ซึ่ง ที่ จาก ว่า redirect #REDIRECT เปลี่ยนทาง""".split()  # noqa: SIM905  (a table of signs, not a list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    pieces = [*SIGNS, " ", "  ", "\t", "\n", "\u200b", "\u00a0", *(row[0] for row in terms("sections")[:20])]
    end, tried, faults = time.monotonic() + given.seconds, 0, 0
    signal.signal(signal.SIGALRM, give_up)

    def some(least: int, most: int) -> str:
        return "".join(draw.choices(pieces, k=draw.randint(least, most)))

    while time.monotonic() < end:
        head, unit, times, tail = some(0, 3), some(1, 4), draw.choice((30, 60)), some(0, 3)
        tried += 1
        if fault := wrong_with(head + unit * times + tail):
            faults += 1
            print(f"{fault}: {(head, unit, times, tail)!r}", flush=True)
    print(f"{tried:,} texts, {faults} at fault")
    sys.exit(1 if faults else 0)


def wrong_with(text: str) -> str:
    """What is wrong with the cleaning of a text, or nothing."""
    start = time.process_time()
    signal.alarm(HOPELESS)
    try:
        done = tw.explain(text)
        spent = time.process_time() - start
        if tw.explain(done.text).edits:
            return "not clean when cleaned"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:100]
    finally:
        signal.alarm(0)
    return f"{spent:.1f} s" if spent > SLOW else ""


def give_up(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {HOPELESS} s")


if __name__ == "__main__":
    main()
