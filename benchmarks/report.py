"""The report in a browser: its size, how soon it is open, what it asks for, what a check of accessibility says.

    python benchmarks/report.py OUT/report.html

Needs Playwright and a Chromium in the PATH; for accessibility axe-core, its ``axe.min.js`` named in AXE (``npm pack axe-core``).
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
ROUNDS = 7


def main(files: list[str]) -> None:
    """Print a table row for every file, width and colour scheme."""
    from playwright.sync_api import sync_playwright

    axe = os.environ.get("AXE")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        print(
            "| file | bytes | pixels | scheme | ms until loaded, median (slowest) | requests | messages | wider than the window | axe violations |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for file in map(Path, files):
            for width in WIDTHS:
                for scheme in SCHEMES:
                    print(f"| {file.name} | {file.stat().st_size:,} | {width} | {scheme} | {_row(browser, file, width, scheme, axe)} |")
        browser.close()


def _row(browser: Any, file: Path, width: int, scheme: str, axe: str | None) -> str:
    seen: dict[str, list[str]] = {"requests": [], "messages": []}
    times = []
    for _ in range(ROUNDS):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.on("request", lambda request: seen["requests"].append(request.url))
        page.on("console", lambda message: seen["messages"].append(message.text))
        began = time.perf_counter()
        page.goto(file.resolve().as_uri())
        times.append(1000 * (time.perf_counter() - began))
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        found = "not checked"
        if axe and len(times) == ROUNDS:
            page.evaluate("document.querySelectorAll('details').forEach(page => page.open = true)")
            page.add_script_tag(path=axe)
            found = ", ".join(v["id"] for v in page.evaluate("axe.run()")["violations"]) or "none"
        context.close()
    outside = [url for url in seen["requests"] if url != file.resolve().as_uri() and not url.startswith("data:")]
    return f"{statistics.median(times):.0f} ({max(times):.0f}) | {len(outside)} | {len(seen['messages'])} | {'yes' if wide else 'no'} | {found}"


if __name__ == "__main__":
    main(sys.argv[1:])
