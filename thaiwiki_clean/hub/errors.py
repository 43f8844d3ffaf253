"""What can go wrong on the way to the Hub, each in one line: what happened, what it means, what to do. No line ever holds a token."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterator

__all__ = ["PublishError", "failures", "said"]

_AGAIN = "run the same command again, it goes on with what is missing"

_STATUS = {
    400: "the Hub refuses it; mend that and run the same command again",
    401: "the Hub does not take this token; log in again: hf auth login",
    403: "this token may not do that; take one that may write there: hf auth login, or ask the owners with --create-pr",
    404: "no such data set, or none that this token may see; check the name, or: hf auth login",
    409: f"something else is at work there; {_AGAIN}",
    412: "somebody changed the data set meanwhile and nothing of this was published; look at it, then run the same command again",
    413: "the Hub finds it too large",
    429: f"too many requests; wait a while, then {_AGAIN}",
}

# Of the libraries that the client may use for HTTP: their errors have no base in common with anything of Python's.
_HTTP = ("httpx", "httpcore", "requests", "urllib3")

# What the client raises over an answer that is not what it expects: no JSON, or JSON of another kind.
_NO_ANSWER = (json.JSONDecodeError, KeyError, TypeError, AttributeError)

# Xet has one error for all of the network; what came stands in its words.
_XET = re.compile(r"HTTP status \w+ error \((?P<status>\d{3})|error decoding response")


class PublishError(OSError):
    """A failed publication; the message is one line: what happened, what it means, what to do."""


@contextlib.contextmanager
def failures(doing: str, repo: str, endpoint: str, token: str | None = None) -> Iterator[None]:
    """Turns whatever the client raises into a PublishError, and keeps its log of retries quiet: that names signed addresses."""
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(max(level, logging.ERROR))
    try:
        yield
    except PublishError:
        raise
    except Exception as error:  # the client's errors share no base: HTTP, JSON, files, Xet, its own
        raise PublishError(f"{repo}: {doing}: {_redacted(said(error, endpoint), token)}") from error
    finally:
        log.setLevel(level)


def said(error: Exception, endpoint: str) -> str:
    """What to tell a person about an error of the client.

    >>> said(ConnectionResetError("reset by peer"), "https://huggingface.co")  # doctest: +ELLIPSIS
    'the connection to https://huggingface.co failed or broke (ConnectionResetError); run the same command again, it goes on ...'
    """
    chain = list(_chain(error))
    for problem in chain:
        name = type(problem).__name__
        if name == "OfflineModeIsEnabled":
            return "the client is offline, HF_HUB_OFFLINE is set; unset it and run the same command again"
        if (status := getattr(getattr(problem, "response", None), "status_code", None)) is not None:
            return _answered(int(status), _one_line(getattr(problem, "server_message", None) or ""))
        if isinstance(problem, _NO_ANSWER) or name == "FileMetadataError" or "Consistency check failed" in str(problem):
            return _not_the_hub(endpoint)
        if isinstance(problem, ConnectionError) and (found := _XET.search(str(problem))):
            return _answered(int(found["status"]), "") if found["status"] else _not_the_hub(endpoint)
        if type(problem).__module__.split(".")[0].rstrip("0123456789") in _HTTP or isinstance(problem, (ConnectionError, TimeoutError)):
            return f"the connection to {endpoint} failed or broke ({name}); {_AGAIN}"
    return f"{_one_line(str(error))} ({type(error).__name__}); {_AGAIN}"


def _answered(status: int, message: str) -> str:
    told = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    return f"{_STATUS.get(status) or (f'the Hub is in trouble; {_AGAIN}' if status >= 500 else f'the Hub says no; {_AGAIN}')} ({told})"


def _not_the_hub(endpoint: str) -> str:
    return f"what answers at {endpoint} is not the Hub, or not all of it; is there a proxy or a login page in between? Then {_AGAIN}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _one_line(text: str, longest: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[:longest] + "…"


def _redacted(text: str, token: str | None) -> str:
    """The text without tokens, and without the signatures that addresses carry behind their question mark.

    >>> _redacted("PUT https://s3/x?Signature=abc Bearer hf_abcdefgh12 and secret", "secret")
    'PUT https://s3/x?… Bearer hf_… and …'
    """
    if token:
        text = text.replace(token, "…")
    return re.sub(r"hf_\w{8,}", "hf_…", re.sub(r"(https?://[^\s?]*\?)\S+", r"\1…", text))
