"""The card on the Hub: our part of it is written anew at every publish, what a person wrote there is kept; and a check before it is sent.

A card is metadata in YAML between two lines of ``---``, and Markdown below. Our Markdown stands between :data:`BEGIN` and :data:`END`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from thaiwiki_clean.card import CONFIGS, SIZE_CATEGORIES

__all__ = ["BEGIN", "END", "LICENSE_IDS", "CardError", "features", "merge_card", "metadata_of", "problems"]

BEGIN = "<!-- thaiwiki-clean: everything from here to the line that says end is written anew at every publish -->"
END = "<!-- thaiwiki-clean: end -->"

_IDS = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0
    bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
    cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
    cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 agpl-3.0
    gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl openrail++ osl-3.0 postgresql ofl-1.1 ncsa
    unlicense zlib pddl lgpl-lr deepfloyd-if-license llama2 llama3 llama3.1 llama3.2 llama3.3 gemma unknown other
"""

#: Licence ids that the Hub takes: https://huggingface.co/docs/hub/repositories-licenses. A user's card may carry any of them.
LICENSE_IDS = frozenset(_IDS.split())

_SIZES = {*SIZE_CATEGORIES, "n>1T"}

# What describes the files: always that of the build. `configs` and `dataset_info` keep the entries of other configurations.
_OURS = ("size_categories", "source_datasets")
_BY_CONFIG = ("configs", "dataset_info")

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_MARKER = re.compile(rf"^(?:{re.escape(BEGIN)}|{re.escape(END)})[ \t]*\r?\n?", re.MULTILINE)
# The innermost pair: a marker that lost its partner is somebody's text.
_PART = re.compile(
    rf"^{re.escape(BEGIN)}[ \t]*\r?$(?:(?!^{re.escape(BEGIN)}[ \t]*\r?$).)*?^{re.escape(END)}(?=[ \t]*\r?$)", re.DOTALL | re.MULTILINE
)
# Where a key of the outermost mapping begins; a comment above it belongs to it.
_KEY = re.compile(r"^(?:#.*\n(?:[ \t]*\r?\n)*)*[A-Za-z_\"'][^\n:]*:(?=[ \t\r]|$)", re.MULTILINE)


class CardError(ValueError):
    """A card that cannot be read, merged or published; the message is one line."""


def merge_card(existing: str, new: str) -> str:
    """The card ``existing`` with our part of it as in ``new``; what a person wrote stays, character for character.

    >>> print(merge_card("# Notes\\nBy hand.\\n", "---\\nlicense: mit\\n---\\n\\n# Made\\n"))
    ---
    license: mit
    ---
    # Notes
    By hand.
    <BLANKLINE>
    <!-- thaiwiki-clean: everything from here to the line that says end is written anew at every publish -->
    <BLANKLINE>
    # Made
    <BLANKLINE>
    <!-- thaiwiki-clean: end -->
    <BLANKLINE>

    In the metadata, lists are joined, and a value that a person changed stays, the licence too; what describes our files is ours.
    Raises CardError where the existing metadata cannot be read, or hold a second default configuration.
    """
    (old_yaml, old_body), (new_yaml, new_body) = _split(existing), _split(new)
    return f"---\n{_merged_yaml(old_yaml, new_yaml)}---\n{_merged_body(old_body, new_body)}"


def _merged_body(old: str, new: str) -> str:
    text = _MARKER.sub("", new).strip("\r\n")
    part = f"{BEGIN}\n\n{text}\n\n{END}"
    if not old.strip() or old.strip() == new.strip():
        return f"\n{part}\n"
    if found := list(_PART.finditer(old)):
        # A second copy of our part, from a page that was pasted twice, goes.
        rest = _PART.sub("", old[found[0].end() :])
        return old[: found[0].start()] + part + rest
    return old.rstrip("\n") + "\n" * max(2, len(old) - len(old.rstrip("\n"))) + part + "\n"


def _merged_yaml(old: str, new: str) -> str:
    there, ours = _load(old), _load(new)
    merged = {name: _merged_value(name, there.get(name), ours.get(name)) for name in {**there, **ours}}
    defaults = [str(config.get("config_name")) for config in _entries(merged.get("configs")) if config.get("default")]
    if len(defaults) > 1:
        raise CardError(f"the card has {len(defaults)} default configurations ({', '.join(defaults)}); unmark the others in its README.md")
    (lead, theirs), (_, written) = _blocks(old), _blocks(new)
    out = [lead]
    for name, value in merged.items():
        block = theirs.get(name, "")
        if name in there and value == there[name]:
            out.append(block)
        else:
            out += [line for line in block.splitlines(keepends=True) if line.startswith("#")]  # above the key: a person's words
            out.append(written[name] if value == ours.get(name) else _dump({name: value}))
    text = "".join(piece if piece.endswith("\n") or not piece else piece + "\n" for piece in out)
    try:
        same = _load(text) == merged
    except CardError:
        same = False
    if not same:
        raise CardError("the metadata of README.md on the Hub cannot be merged as they are written; write each key on a line of its own")
    return text


def _merged_value(name: str, there: Any, ours: Any) -> Any:
    if name in _BY_CONFIG:
        mine = {"default", *CONFIGS.values()}
        kept = [entry for entry in _entries(there) if entry.get("config_name", "default") not in mine]
        return [*_entries(ours), *kept]
    if name in _OURS:
        return ours if ours is not None else there
    if there is None or (name == "license" and there == "unknown"):
        return ours if ours is not None else there
    if isinstance(ours, list):
        held = there if isinstance(there, list) else [there]
        more = [item for item in ours if item not in held]
        return [*held, *more] if more else there
    return there


def _entries(value: Any) -> list[dict[str, Any]]:
    """The entries of ``configs`` or ``dataset_info``, which may be one mapping where there is one configuration."""
    found = [value] if isinstance(value, Mapping) else value or []
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise CardError("configs and dataset_info of a card must be lists of mappings; mend them in its README.md")
    return [dict(entry) for entry in found]


def _split(card: str) -> tuple[str, str]:
    """The metadata and the body of a card.

    >>> _split("---\\nlicense: mit\\n---\\n# Title\\n"), _split("# Title")
    (('license: mit\\n', '# Title\\n'), ('', '# Title'))
    """
    found = _FRONT.match(card)
    return (found[1], card[found.end() :]) if found else ("", card)


def _blocks(text: str) -> tuple[str, dict[str, str]]:
    """What stands above the first key, and key -> its lines, as they are written."""
    starts = [match.start() for match in _KEY.finditer(text)]
    pieces = [text[start:end] for start, end in zip(starts, [*starts, len(text)][1:], strict=True)]
    blocks: dict[str, str] = {}
    for piece in pieces:
        for name in _load(piece):
            blocks[name] = piece
    return text[: starts[0]] if starts else text, blocks


def _load(text: str) -> dict[str, Any]:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError("publishing needs the Hub client: pip install 'thaiwiki-clean[hub]'") from error
    try:
        value = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # the same in C where it was built, ten times as fast
    except (yaml.YAMLError, ValueError) as error:
        raise CardError(f"the metadata of a README.md are no YAML ({' '.join(str(error).split())[:120]}); mend them there") from None
    if value is not None and not isinstance(value, dict):
        raise CardError("the metadata of a README.md are no mapping of names to values; mend them there")
    return value or {}


def _dump(value: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10**6)
    return text


def metadata_of(card: str) -> dict[str, Any]:
    """The metadata of a card; empty when it has none."""
    return _load(_split(card)[0])


def features(metadata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Configuration -> column -> its type, as the card tells it.

    >>> features({"dataset_info": {"features": [{"name": "id", "dtype": "string"}]}})
    {'default': {'id': {'dtype': 'string'}}}
    """
    return {
        str(info.get("config_name", "default")): {
            str(column.get("name")): {name: value for name, value in column.items() if name != "name"}
            for column in info.get("features") or ()
        }
        for info in _entries(metadata.get("dataset_info"))
    }


def problems(metadata: Mapping[str, Any], files: Iterable[str]) -> list[str]:
    """What the Hub, or ``load_dataset``, would not take in these metadata; ``files`` are the paths that will be there.

    >>> problems({"license": "CC BY-SA 4.0", "size_categories": ["1K<n<10K"]}, [])
    ["license: 'CC BY-SA 4.0' is no id of the Hub's, such as cc-by-sa-4.0"]
    """
    return list(_problems(metadata, sorted(files)))


def _problems(metadata: Mapping[str, Any], files: list[str]) -> Iterator[str]:
    for name in ("license", "size_categories", "language", "tags", "task_categories", "task_ids", "multilinguality", "source_datasets"):
        for value in _values(metadata.get(name)):
            if isinstance(value, (bool, int, float, datetime.date)) or not isinstance(value, str):
                # YAML takes no for a truth value and 2024-01-01 for a date: `language: no` is Norwegian only in quotation marks.
                yield f"{name}: {value!r} is no text; put it in quotation marks"
            elif name == "license" and value not in LICENSE_IDS:
                yield f"license: {value!r} is no id of the Hub's, such as cc-by-sa-4.0"
            elif name == "size_categories" and value not in _SIZES:
                yield f"size_categories: {value!r} is none of {', '.join(sorted(_SIZES))}"
            elif name == "language" and not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*|code|multilingual", value):
                yield f"language: {value!r} is no language code, such as th"
    if not isinstance(metadata.get("pretty_name", ""), str):
        yield f"pretty_name: {metadata['pretty_name']!r} is no text; put it in quotation marks"
    if metadata.get("license") == "other" and not metadata.get("license_name"):
        yield "license: other needs a license_name"
    names = [config.get("config_name", "default") for config in _entries(metadata.get("configs"))]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"configs: {name} is there twice"
    for config in _entries(metadata.get("configs")):
        if (config_name := config.get("config_name", "default")) in CONFIGS.values():  # of others we do not know the files
            for file in _values(config.get("data_files")):
                for pattern in _values(file.get("path") if isinstance(file, Mapping) else file):
                    if not any(fnmatchcase(path, str(pattern)) for path in files):
                        yield f"configs: {config_name} reads {pattern}, and no such file will be there"


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
