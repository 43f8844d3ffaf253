"""The dataset card: what a build made, for the reader of a Hub page. Written from the manifest and the files, never by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean.page import HOSTS
from thaiwiki_clean.reasons import REASONS, VERDICTS

if TYPE_CHECKING:
    import pyarrow as pa

    from thaiwiki_clean.pipeline.manifest import Manifest

__all__ = ["CONFIGS", "LICENSES", "SIZE_CATEGORIES", "card", "metadata", "size_category", "to_yaml"]

#: Folder of a build -> name of the configuration that it is on the Hub.
CONFIGS = {"data": "default", "articles": "articles", "dropped": "dropped"}

#: Size categories that the Hub takes, each with the first row count that is too many for it.
SIZE_CATEGORIES = {
    "n<1K": 10**3,
    "1K<n<10K": 10**4,
    "10K<n<100K": 10**5,
    "100K<n<1M": 10**6,
    "1M<n<10M": 10**7,
    "10M<n<100M": 10**8,
    "100M<n<1B": 10**9,
    "1B<n<10B": 10**10,
    "10B<n<100B": 10**11,
    "100B<n<1T": 10**12,
}

#: Licence ids that the Hub takes and that a text corpus may carry; https://huggingface.co/docs/hub/repositories-licenses
LICENSES = (
    *("apache-2.0", "mit", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "pddl"),
    *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0"),
    *("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "odc-by", "odbl", "gfdl"),
    *("unknown", "other"),
)

_COLUMNS = {
    "id": "id of the page in its source, or one made from its place there",
    "title": "title of the page",
    "source": "wiki that the page is from",
    "url": "address of the page, for attribution",
    "text": "the cleaned text",
    "n_chars": "characters (code points) of the cleaned text",
    "n_chars_raw": "characters of the text as it came",
    "n_words": "words of the text; of the answer, where there is one",
    "cluster": "id of the duplicate cluster: the id of the page of it that is kept; empty when the page is like no other",
    "edits": "what was taken out: `[start, end)` in characters of the raw text, the reason, and the character put in its place, if any",
    "messages": "the prompt of the user and the answer of the assistant",
    "section": "titles of the sections around the answer, the outermost first",
    "kind": "kind of prompt",
    "template": "id of the prompt's template",
    "n_tokens": "tokens of the whole example, stop token included, where a tokenizer was named",
    "shortened": "whether the page goes on after the answer's last sentence",
    "page_id": "id of the page among the articles",
    "reason": "why the page fell",
    "detail": "more about it: the target of a redirect, what was wrong with a row",
    "revision": "id of the revision of the wikitext",
    "timestamp": "time of that revision",
}


def card(folder: Path, manifest: Manifest) -> str:
    """The text of ``README.md`` for the build in ``folder``."""
    return "---\n" + to_yaml(metadata(folder, manifest)) + "---\n\n" + "\n\n".join(_body(folder, manifest)) + "\n"


def metadata(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """The part of the card that the Hub reads."""
    source = manifest.source
    return {
        "pretty_name": "Thai Wikipedia, cleaned" if _wiki(manifest) else "Thai text, cleaned",
        "language": ["th"],
        "license": "cc-by-sa-4.0" if _wiki(manifest) else "unknown",
        "size_categories": [size_category(sum(manifest.examples.values()) or manifest.articles)],
        "task_categories": ["text-generation"],
        "task_ids": ["language-modeling"],
        "multilinguality": ["monolingual"],
        "source_datasets": [source["name"]] if source["kind"] == "hub" else ["original"],
        "tags": ["thai", "wikipedia", "instruction-tuning", "thaiwiki-clean"] if _wiki(manifest) else ["thai", "thaiwiki-clean"],
        "configs": [_config(name, splits, default=n == 0) for n, (name, splits) in enumerate(_splits(manifest).items())],
        "dataset_info": [_info(folder, manifest, name, splits) for name, splits in _splits(manifest).items()],
    }


def _config(name: str, splits: Iterable[str], *, default: bool) -> dict[str, Any]:
    files = [{"split": split, "path": f"{name}/{split if name == 'data' else name}-*.parquet"} for split in splits]
    return {"config_name": CONFIGS[name], **({"default": True} if default else {}), "data_files": files}


def size_category(rows: int) -> str:
    """The Hub's word for so many rows.

    >>> size_category(999), size_category(1000), size_category(196_533)
    ('n<1K', '1K<n<10K', '100K<n<1M')
    """
    return next((name for name, end in SIZE_CATEGORIES.items() if rows < end), "n>1T")


def to_yaml(value: Mapping[str, Any], indent: str = "") -> str:
    """A mapping of plain values, lists and mappings as YAML.

    >>> print(to_yaml({"language": ["th"], "configs": [{"config_name": "default", "default": True}]}), end="")
    language:
    - "th"
    configs:
    - config_name: "default"
      default: true

    Scalars are written as JSON, which YAML reads as it is: no library, and no title that turns into a date.
    """
    return "".join(f"{indent}{line}\n" for line in _yaml_lines(value))


def _yaml_lines(value: Mapping[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield f"{name}:"
            yield from (f"  {line}" for line in _yaml_lines(item))
        elif isinstance(item, list):
            yield f"{name}:"
            for entry in item:
                lines = _yaml_lines(entry) if isinstance(entry, Mapping) else iter([_scalar(entry)])
                yield f"- {next(lines)}"
                yield from (f"  {line}" for line in lines)
        else:
            yield f"{name}: {_scalar(item)}"


# What YAML does not take as it stands, or takes for a line end, even between quotation marks.
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _scalar(value: Any) -> str:
    """A plain value as JSON that is YAML too.

    >>> _scalar("ดาว\\u2028\\x7f")
    '"ดาว\\\\u2028\\\\u007f"'
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _wiki(manifest: Manifest) -> bool:
    """Whether every page is from a Thai Wikimedia project: only then do we know the licence."""
    return set(manifest.wikis) <= set(HOSTS)


def _splits(manifest: Manifest) -> dict[str, list[str]]:
    """Folder -> its splits, of those that have rows."""
    out: dict[str, list[str]] = {}
    for path in manifest.files:
        name, _, file = path.rpartition("/")
        splits = out.setdefault(name, [])
        split = file.split("-")[0] if name == "data" else "train"
        if split not in splits:
            splits.append(split)
    return {name: out[name] for name in CONFIGS if name in out}


def _info(folder: Path, manifest: Manifest, name: str, splits: Iterable[str]) -> dict[str, Any]:
    import pyarrow.parquet as pq

    told, schema = [], None
    download = 0
    for split in splits:
        rows = size = 0
        for path, about in manifest.files.items():
            if path.startswith(f"{name}/{split}-" if name == "data" else f"{name}/"):
                meta = pq.read_metadata(folder / path)
                schema = meta.schema.to_arrow_schema()
                rows += about["rows"]
                download += about["bytes"]
                size += sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
        told.append({"name": split, "num_bytes": size, "num_examples": rows})
    assert schema is not None
    return {
        "config_name": CONFIGS[name],
        "features": [_feature(field) for field in schema],
        "splits": told,
        "download_size": download,
        "dataset_size": sum(split["num_bytes"] for split in told),
    }


def _feature(field: pa.Field) -> dict[str, Any]:
    return {"name": field.name, **_feature_type(field.type)}


def _feature_type(kind: pa.DataType) -> dict[str, Any]:
    """A column's type in the words of the Hub, as ``datasets.Features`` writes it."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        inner = _feature_type(kind.value_type)
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if pa.types.is_struct(kind):
        return {"struct": [_feature(field) for field in kind]}
    names = {"double": "float64", "float": "float32"}
    return {"dtype": names.get(str(kind), str(kind))}


def _body(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The sections of the card, in reading order."""
    wiki, identity = _wiki(manifest), manifest.identity
    yield f"# {'Thai Wikipedia' if wiki else 'Thai text'}, cleaned"
    yield (
        f"{manifest.articles:,} Thai pages and {sum(manifest.examples.values()):,} instruction examples made from them, "
        f"out of {manifest.rows:,} rows of `{manifest.source['name']}`. "
        "What a wiki parser leaves behind is gone: headers, link lists, table debris, empty brackets. "
        "Every character that was taken out has a reason, and every page that fell is there to look at."
    )
    yield "## Load it"
    lines = [
        f'{CONFIGS[name]} = load_dataset("PATH/OR/ID"{"" if name == "data" else f", {name!r}"})'.replace("'", '"')
        for name in _splits(manifest)
    ]
    yield "```python\nfrom datasets import load_dataset\n\n" + "\n".join(lines).replace("default =", "examples =") + "\n```"
    yield "## What is in it"
    yield _table(
        ("configuration", "split", "rows"),
        ((CONFIGS[name], split, f"{_rows(manifest, name, split):,}") for name, splits in _splits(manifest).items() for split in splits),
    )
    yield from _structure(folder, manifest)
    yield "## How it was made"
    yield from _steps(manifest)
    yield "## Statistics"
    yield from _statistics(manifest)
    yield "## Known limits"
    yield from _limits(manifest)
    yield "## Licence and attribution"
    yield (
        "The text is by the contributors of the Thai Wikimedia projects, under [CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/) "
        "(3.0 before June 2023). Attribute every page by its `url`, and say that the text was modified: `edits` says how."
        if wiki
        else "The licence is that of the source, which this build does not know. Set it here before you publish."
    )
    yield "## Provenance"
    words = identity["versions"]["words"]
    facts = {
        "source": f"`{manifest.source['name']}`",
        "revision": f"`{identity['configuration']['revision']}`" if identity["configuration"]["revision"] else "",
        "fingerprint": f"`{manifest.source['fingerprint']}`",
        "thaiwiki-clean": f"{identity['versions']['thaiwiki_clean']}, rules {identity['versions']['rules']}",
        "words": words or "not counted",
        "configuration": f"`{manifest.identity_hash}`",
    }
    yield _table(("", ""), ((name, value) for name, value in facts.items() if value))
    yield f"The same again, byte for byte, with the versions in `manifest.json`:\n\n```\n{manifest.command}\n```"


def _structure(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The columns of each configuration with one row of it."""
    for name in _splits(manifest):
        path = next(path for path in manifest.files if path.startswith(f"{name}/"))
        row = _first_row(folder / path)
        yield f"### {CONFIGS[name]}"
        yield _table(("column", "meaning"), ((f"`{column}`", _COLUMNS[column]) for column in row if column in _COLUMNS))
        if measures := [column for column in row if column not in _COLUMNS]:
            yield f"Measures of repetition, explained in the documentation: {', '.join(f'`{column}`' for column in measures)}."
        yield "```json\n" + json.dumps(_shown(row), ensure_ascii=False, indent=2) + "\n```"


def _first_row(path: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return dict(next(file.iter_batches(batch_size=1)).to_pylist()[0])


def _shown(value: Any, longest: int = 200) -> Any:
    """A row fit for a card: long texts and lists end early, with "…" in place of the rest; floats are rounded."""
    if isinstance(value, str):
        return value if len(value) <= longest else value[:longest] + "…"
    if isinstance(value, list):
        return [_shown(item) for item in value[:3]] + ["…"] * (len(value) > 3)
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _steps(manifest: Manifest) -> Iterator[str]:
    """What was done, in order, with the counts of this run."""
    told = manifest.identity["configuration"]
    yield f"1. **Read** {manifest.rows:,} rows. {manifest.damage['rows']:,} could not be read and are in `dropped` as `bad_row`."
    for line in manifest.damage.get("broken_off", ()):
        yield f"   **The source is damaged, pages are missing**: {line}"
    yield (
        f"2. **Clean** every page with rules that drop a span or fold it into one character; nothing is ever put in. "
        f"{manifest.characters['raw'] - manifest.characters['text']:,} of {manifest.characters['raw']:,} characters went:"
    )
    yield _table(
        ("reason", "edits", "pages", "characters", "what it is"),
        (
            (f"`{name}`", f"{n['edits']:,}", f"{n['pages']:,}", f"{n['characters']:,}", REASONS.get(name, ""))
            for name, n in manifest.edits.items()
        ),
    )
    yield "3. **Judge** whole pages. Those that fell:"
    yield _table(
        ("verdict", "pages", "what it is"), ((f"`{name}`", f"{n:,}", VERDICTS.get(name, "")) for name, n in manifest.dropped.items())
    )
    if told["dedup"]:
        found = manifest.duplicates
        yield (
            f"4. **Deduplicate**, after cleaning: {found['pages']:,} pages say the same or nearly the same as another one, in "
            f"{found['clusters']:,} clusters; of each the longest page is kept."
        )
    else:
        yield "4. Duplicates were **not** looked for."
    unit = f"tokens of `{told['tokenizer']}`" if told["tokenizer"] not in (None, "characters") else told["tokenizer"] or "words"
    yield (
        f"5. **Instruct**: {', '.join(told['kinds'])} prompts; an answer ends where a sentence ends, within {told['max_tokens']:,} {unit}. "
        "Splits go by page family (title without its brackets, redirects, duplicate clusters), so no article stands on two sides."
    )
    if manifest.left_out:
        yield "Examples left out: " + ", ".join(f"{n:,} `{name}`" for name, n in sorted(manifest.left_out.items())) + "."
    if told["evaluation"]:
        yield "Checked against the evaluation sets " + ", ".join(f"`{name}`" for name in told["evaluation"]) + "."


def _statistics(manifest: Manifest) -> Iterator[str]:
    yield _table(
        ("articles", "sum", "p5", "p50", "p95", "p99", "max"),
        (
            ({"n_chars": "characters", "n_words": "words"}[name], *(f"{n:,}" for n in told.values()))
            for name, told in manifest.lengths.items()
        ),
    )
    yield _table(("wiki", "rows read"), ((f"`{name}`" if name else "(not named)", f"{n:,}") for name, n in manifest.wikis.items()))


def _limits(manifest: Manifest) -> Iterator[str]:
    yield (
        "- The rules know forms, not facts: errors, bias and outdated statements of the source are still there.\n"
        "- Prose comes first: where a line could be a sentence it stays, so some lists and captions remain.\n"
        "- Personal names and dates of living people are part of an encyclopedia and were not removed.\n"
        "- Tables, formulas and images are gone with their content; a sentence that pointed to one may now point to nothing.\n"
        "- Answers are pieces of articles, not written for their prompts."
    )
    if manifest.identity["versions"]["words"] is None:
        yield "Words were not counted, so measures that need words are empty and took no part in the verdict `repetitive`."


def _rows(manifest: Manifest, name: str, split: str) -> int:
    return sum(
        about["rows"] for path, about in manifest.files.items() if path.startswith(f"{name}/{split}-" if name == "data" else f"{name}/")
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; "nothing" when it has no rows."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines]) if lines else "(nothing)"
