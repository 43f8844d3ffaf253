"""Addresses that fsspec knows, such as ``s3://bucket/clean``: how they are told from paths, and the file system behind one.

``fsspec`` is loaded when an address is opened, not before.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["address_of", "is_address", "local_path", "open_address", "protocol_of", "told", "trimmed"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(://|::)")  # two letters at least: C:\ is a disk


def is_address(text: str) -> bool:
    r"""Whether this names something for fsspec, and not a path.

    >>> [is_address(text) for text in ("s3://bucket/clean", "simplecache::gs://b/x", "clean/", "C:\\clean", "user/name")]
    [True, True, False, False, False]
    """
    return _SCHEME.match(text) is not None


def local_path(text: str) -> str | None:
    """The path of this machine that an address of fsspec's local files names; None for anything else.

    >>> local_path("file:///data/clean"), local_path("s3://bucket/clean")
    ('/data/clean', None)
    """
    local = re.match(r"(file|local)://", text)
    return text[local.end() :] if local else None


def address_of(path: str | Path) -> str | None:
    """The address that a path was meant to be, for a Path makes one slash of two; None for a true path.

    >>> address_of(Path("s3://bucket/clean")), address_of("clean/")
    ('s3://bucket/clean', None)
    """
    text = str(path)
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+", text)
    return f"{found[1]}://{text[found.end() :]}" if found else None


def trimmed(address: str) -> str:
    """The address without the slashes behind it; those of the protocol stay.

    >>> trimmed("s3://bucket/clean/"), trimmed("memory://")
    ('s3://bucket/clean', 'memory://')
    """
    return re.sub(r"(?<![:/])/+$", "", address)


def protocol_of(address: str) -> str:
    """The protocol that reaches the store; in a chain it is the last.

    >>> protocol_of("S3://bucket/clean"), protocol_of("simplecache::https://host/pages.jsonl")
    ('s3', 'https')
    """
    return [match[1] for match in _SCHEME.finditer(address)][-1].lower()


def open_address(address: str, options: Mapping[str, Any], wrong: type[Exception]) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it.

    Raises ``wrong`` where it cannot be opened, ImportError with what to install when a package is missing.
    """
    try:
        import fsspec
    except ImportError:
        raise ImportError(
            f"{address}: an address needs fsspec: pip install fsspec, and the package of its protocol, such as s3fs"
        ) from None
    try:
        fs, root = fsspec.url_to_fs(address, **options)
    except ImportError as error:
        raise ImportError(f"{address}: {error} (pip install {_package(protocol_of(address), error)})") from None
    except Exception as error:  # an unknown protocol, an option that it has not, credentials
        raise wrong(f"{address} cannot be opened ({_said(error)}); check the address and your credentials for it") from error
    return fs, root.rstrip("/") or root


@contextlib.contextmanager
def told(address: str, how: str, wrong: type[Exception]) -> Iterator[None]:
    """Say in one line, as ``wrong``, what the store said; the errors of its clients share no base."""
    try:
        yield
    except wrong:
        raise
    except Exception as error:
        raise wrong(
            f"{address} cannot be {how} ({_said(error)}); "
            "check the address and your credentials for it, then run the same command again: it goes on where it stopped"
        ) from error


def _said(error: Exception) -> str:
    said = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}{': ' if said else ''}{said}"


def _package(protocol: str, error: ImportError) -> str:
    """What to install for a protocol: fsspec's extra for it, else the module that was missing."""
    from importlib.metadata import metadata

    if protocol in (metadata("fsspec").get_all("Provides-Extra") or ()):
        return f"'fsspec[{protocol}]'"
    return getattr(error.__cause__, "name", None) or "fsspec[full]"
