"""Data sets on the Hub, without a network: what is chosen, what identifies it, and what is said when it is out of reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from thaiwiki_clean.readers import SourceError, hub, open_source, read

huggingface_hub = pytest.importorskip("huggingface_hub")
V3 = "pythainlp/thai-wiki-dataset-v3"
SHA = "0123456789abcdef0123456789abcdef01234567"


# --------------------------------------------------------------------------- ids and files


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (V3, (V3, "")),
        (V3 + "/", (V3, "")),
        ("wikimedia/wikipedia/20231101.th", ("wikimedia/wikipedia", "20231101.th")),
        ("hf://datasets/wikimedia/wikipedia/20231101.th/a.parquet", ("wikimedia/wikipedia", "20231101.th/a.parquet")),
        ("v3", None),
        ("data/pages.parquet", None),
        ("a/b/pages.jsonl.gz", None),
        ("./a/b", None),
        ("/a/b", None),
        ("../a", None),
        ("~/a", None),
        ("", None),
    ],
)
def test_what_is_a_hub_id(source, found):
    assert hub.hub_id(source) == found


@pytest.mark.parametrize(
    ("there", "inside", "split", "chosen"),
    [
        (["README.md", "data/train-00000-of-00001-ab.parquet"], "", None, ["data/train-00000-of-00001-ab.parquet"]),  # v3
        (["b.parquet", "a.parquet", "a.csv", "info.json", ".b.parquet"], "", None, ["a.parquet", "b.parquet"]),
        (["data/test-0.parquet", "data/train-0.parquet"], "", "train", ["data/train-0.parquet"]),
        (["train/0.parquet", "test/0.parquet"], "", "test", ["test/0.parquet"]),
        (["20231101.th/train-0.parquet", "20231101.en/train-0.parquet"], "20231101.th", None, ["20231101.th/train-0.parquet"]),
        (["20231101.th/train-0.parquet", "20231101.th.x/a.parquet"], "20231101.th/", None, ["20231101.th/train-0.parquet"]),
        (["th/a.parquet", "th/b.parquet"], "th/a*", None, ["th/a.parquet"]),
        (["a.jsonl", "b.csv"], "", None, ["a.jsonl"]),
    ],
)
def test_which_files_are_read(there, inside, split, chosen):
    assert [file.name for file in hub.choose(there, V3, inside, split)] == chosen


@pytest.mark.parametrize(
    ("there", "inside", "split", "line"),
    [
        (["README.md"], "", None, f"{V3}: no parquet, jsonl or csv files; the Hub may have made some: try revision refs/convert/parquet"),
        (
            ["a.parquet"],
            "x",
            None,
            f"{V3}: no parquet, jsonl or csv files under 'x'; the Hub may have made some: try revision refs/convert/parquet",
        ),
        (["en/a.parquet", "th/a.parquet"], "", None, f"{V3}: 2 configurations (en, th), expected one; add it: {V3}/th"),
        (["a.parquet"], "", "train", f"{V3}: no file of split 'train' among a.parquet"),
    ],
)
def test_what_cannot_be_chosen_is_one_line(there, inside, split, line):
    with pytest.raises(SourceError) as error:
        hub.choose(there, V3, inside, split)
    assert str(error.value) == line


# --------------------------------------------------------------------------- a client of our own


@pytest.fixture
def client(monkeypatch, tmp_path):
    """A Hub of one data set with two files; ``asked`` says what was asked of it."""
    folder = tmp_path / SHA
    (folder / "data").mkdir(parents=True)
    for name in ("train", "test"):
        (folder / f"data/{name}.jsonl").write_text(json.dumps({"title": name, "text": "ก"}) + "\n", "utf-8")
    state = SimpleNamespace(asked=[], error=None, sha=SHA, folder=folder)

    def dataset_info(self, repo, revision=None):
        state.asked.append((repo, revision))
        if state.error:
            raise state.error
        return SimpleNamespace(
            sha=state.sha, siblings=[SimpleNamespace(rfilename=name) for name in ("README.md", "data/train.jsonl", "data/test.jsonl")]
        )

    def snapshot_download(repo, *, repo_type, revision, allow_patterns):
        state.asked.append((repo, repo_type, revision, allow_patterns))
        return str(folder)

    def no_tree(*args, **kwargs):
        raise RuntimeError("nothing noted")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub, "get_cached_repo_tree", no_tree, raising=False)
    monkeypatch.chdir(tmp_path)
    return state


def test_pages_of_the_hub_are_called_by_their_file_there(client):
    assert [(page.id, page.title) for page in read(V3)] == [("data/test.jsonl:1", "test"), ("data/train.jsonl:1", "train")]


def test_only_what_is_read_is_fetched(client):
    open_source(V3, split="train", revision="v1")
    assert client.asked == [(V3, "v1"), (V3, "dataset", "v1", ["data/train.jsonl"])]


def test_the_commit_is_part_of_the_fingerprint(client):
    before = open_source(V3).fingerprint
    client.folder.rename(client.folder.with_name("f" * 40))
    client.folder, client.sha = client.folder.with_name("f" * 40), "f" * 40
    huggingface_hub.snapshot_download = lambda *args, **kwargs: str(client.folder)  # monkeypatch puts the real one back
    assert open_source(V3).fingerprint != before


def test_the_split_is_part_of_the_fingerprint(client):
    assert open_source(V3, split="train").fingerprint != open_source(V3).fingerprint


def test_the_name_is_the_id(client):
    assert open_source(V3).name == V3


def test_what_lies_here_goes_before_the_hub(client, tmp_path):
    (tmp_path / V3).mkdir(parents=True)
    (tmp_path / V3 / "a.jsonl").write_text('{"text": "local"}\n')
    assert [page.raw for page in read(V3)] == ["local"]


def test_a_data_set_that_changes_while_it_is_fetched_is_refused(client):
    client.sha = "f" * 40
    with pytest.raises(SourceError, match="changed while it was fetched; run it again"):
        open_source(V3)


def test_a_file_that_did_not_come_is_not_passed_over(client):
    (client.folder / "data/test.jsonl").unlink()
    with pytest.raises(SourceError, match=r"1 files are missing after the download, such as data/test.jsonl"):
        open_source(V3)


def answer(name: str, status: int) -> Exception:
    import httpx2

    kind = getattr(huggingface_hub.errors, name)
    return kind("many\nlines", response=httpx2.Response(status, request=httpx2.Request("GET", "https://hub.invalid")))


@pytest.mark.parametrize(
    ("name", "status", "line"),
    [
        (
            "RepositoryNotFoundError",
            401,
            f"{V3}: no such file, folder or data set on the Hub, or a private one; check the name, or: hf auth login",
        ),
        ("GatedRepoError", 403, f"{V3}: access is by request; ask for it on its page, then: hf auth login"),
        ("RevisionNotFoundError", 404, f"{V3}: no revision 'v9' on the Hub; look at its branches and tags"),
        ("HfHubHTTPError", 503, f"{V3}: the Hub answered 503 at revision 'v9'; try again later"),
    ],
)
def test_what_the_hub_answers_is_one_line(name, status, line, client):
    client.error = answer(name, status)
    with pytest.raises(SourceError) as error:
        open_source(V3, revision="v9")
    assert str(error.value) == line


def test_a_cache_does_not_speak_for_a_hub_that_answered(client, monkeypatch):
    monkeypatch.setattr(
        huggingface_hub, "get_cached_repo_tree", lambda *args, **kwargs: [SimpleNamespace(path="data/train.jsonl")], raising=False
    )
    client.error = answer("RepositoryNotFoundError", 404)
    with pytest.raises(SourceError, match="no such file, folder or data set on the Hub"):
        open_source(V3)


def test_what_the_client_noted_is_read_when_the_hub_is_out_of_reach(client, monkeypatch):
    monkeypatch.setattr(
        huggingface_hub, "get_cached_repo_tree", lambda *args, **kwargs: [SimpleNamespace(path="data/train.jsonl")], raising=False
    )
    client.error = ConnectionError("no route")
    assert [page.title for page in read(V3)] == ["train"]


@pytest.mark.parametrize("kind", [ConnectionError, TimeoutError, OSError])
def test_no_network_is_one_line_that_says_what_to_do(kind, client):
    client.error = kind("no\nroute")
    with pytest.raises(SourceError) as error:
        open_source(V3)
    assert str(error.value) == (
        f"{V3}: no such file or folder, and the Hub cannot be reached ({kind.__name__}: no route); where there is a network: "
        f"hf download {V3} --repo-type dataset --local-dir FOLDER; then read FOLDER"
    )


def test_without_the_client_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'thaiwiki-clean\[hub\]'"):
        open_source(V3)


# --------------------------------------------------------------------------- the real client, offline


def offline(home: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """What a fresh process without a network says about v3; the client reads its settings when it is imported."""
    code = f"from thaiwiki_clean.readers import *\ntry: print([p.raw for p in read({V3!r})])\nexcept SourceError as error: print(error)"
    settings = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **settings}, cwd=home, capture_output=True, text=True, encoding="utf-8"
    )


def test_the_real_client_offline_says_one_line(tmp_path, root):
    done = offline(tmp_path, root)
    assert done.stdout.startswith(f"{V3}: no such file or folder, and the Hub cannot be reached (OfflineModeIsEnabled: ")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def cache(home: Path, *listed: str) -> None:
    """A cache that holds one file of a data set, and the client's own list of all."""
    folder = home / "hub" / f"datasets--{V3.replace('/', '--')}"
    for path, text in {
        "refs/main": SHA,
        f"snapshots/{SHA}/a.jsonl": '{"text": "cached"}\n',
        f"trees/{SHA}.json": json.dumps({"format_version": 1, "files": {name: {"size": 1, "blob_id": "0" * 40} for name in listed}}),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.mark.skipif(not hasattr(huggingface_hub, "get_cached_repo_tree"), reason="this client keeps no list of what it fetched")
def test_a_whole_cache_is_read_offline(tmp_path, root):
    cache(tmp_path, "a.jsonl", "README.md")
    assert offline(tmp_path, root).stdout == "['cached']\n"


@pytest.mark.skipif(not hasattr(huggingface_hub, "get_cached_repo_tree"), reason="this client keeps no list of what it fetched")
def test_half_a_cache_is_refused_offline(tmp_path, root):
    cache(tmp_path, "a.jsonl", "b.jsonl")
    done = offline(tmp_path, root)
    assert "the Hub cannot be reached (IncompleteSnapshotError: " in done.stdout
    assert done.stdout.count("\n") == 1
