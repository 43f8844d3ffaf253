"""Publishing with the real client: one commit, nothing twice, nothing of somebody else's lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from click.testing import CliRunner
from huggingface_hub import HfApi, constants

from tests.hub.loopback import TOKEN, Hub
from thaiwiki_clean.cli import cli
from thaiwiki_clean.hub import PublishError, publish
from thaiwiki_clean.hub.card import BEGIN, metadata_of
from thaiwiki_clean.pipeline.manifest import Manifest

REPO = "user/wiki"
READ_ONLY = {"info", "tree", "refs", "resolve (HEAD)", "resolve"}


def local(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def data_of(hub: Hub, repo: str = REPO) -> dict[str, bytes]:
    """What the Hub holds, but for its own file and the card, which is merged."""
    return {path: hub.contents[name] for path, name in hub.listing(repo).items() if path not in (".gitattributes", "README.md")}


def without_card(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in local(folder).items() if path != "README.md"}


def said(call: Any, *args: Any, **options: Any) -> str:
    """The one line of a publication that fails."""
    with pytest.raises(PublishError) as caught:
        call(*args, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert TOKEN not in line
    return line


# ---- what gets there


def test_a_new_data_set_holds_the_build(built: Path, hub: Hub, api: HfApi) -> None:
    told = publish(built, REPO, api=api)
    assert data_of(hub) == without_card(built)
    assert told.commit == hub.repos[REPO].head
    assert set(told.sent) == set(local(built))


def test_it_is_one_commit(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    assert hub.requests.count("commit") == 1
    assert len(hub.repos[REPO].messages) == 2  # the first one is the Hub's own


@pytest.mark.parametrize("private", [True, False])
def test_it_is_as_visible_as_asked(built: Path, hub: Hub, api: HfApi, private: bool) -> None:
    told = publish(built, REPO, private=private, api=api)
    assert hub.repos[REPO].private == private
    assert told.notes == ()


def test_it_is_private_unless_said(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    assert hub.repos[REPO].private


def test_the_tag_names_the_commit(built: Path, hub: Hub, api: HfApi) -> None:
    told = publish(built, REPO, tag="v1", api=api)
    assert hub.repos[REPO].tags == {"v1": told.commit}


def test_the_card_is_that_of_the_build_between_its_marks(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    card = hub.content(REPO, "README.md").decode()
    assert card.count(BEGIN) == 1
    assert metadata_of(card) == metadata_of((built / "README.md").read_text("utf-8"))


def test_the_message_is_that_of_the_commit(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, message="ฉบับแรก", api=api)
    assert hub.repos[REPO].messages[-1] == "ฉบับแรก"


# ---- again


def test_again_makes_no_commit_and_sends_nothing(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, tag="v1", api=api)
    hub.requests.clear()
    told = publish(built, REPO, tag="v1", api=api)
    assert (told.commit, told.sent, told.deleted) == (None, (), ())
    assert set(hub.requests) <= READ_ONLY


def test_a_change_is_one_commit_of_what_differs(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    hub.uploaded.clear()
    told = publish(other, REPO, api=api)
    assert data_of(hub) == without_card(other)
    assert len(hub.repos[REPO].messages) == 3
    differ = {path for path, data in local(other).items() if local(built).get(path) != data}
    assert set(told.sent) == differ
    assert "articles/articles-00000-of-00001.parquet" in told.unchanged
    assert {hub.listing(REPO)[path] for path in differ if path.endswith(".parquet")} == set(hub.uploaded)


def test_a_commit_without_its_tag_gets_it_later(built: Path, hub: Hub, api: HfApi) -> None:
    first = publish(built, REPO, api=api)
    told = publish(built, REPO, tag="v1", api=api)
    assert told.commit is None
    assert hub.repos[REPO].tags == {"v1": first.commit}


def test_a_tag_does_not_move(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    first = publish(built, REPO, tag="v1", api=api)
    hub.requests.clear()
    assert "v1 is there already" in said(publish, other, REPO, tag="v1", api=api)
    assert hub.repos[REPO].tags == {"v1": first.commit}
    assert set(hub.requests) <= READ_ONLY


def test_somebody_elses_commit_is_not_run_over(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    hub.before["commit"] = lambda: hub.write(REPO, {"NEWS.md": b"by hand"})
    assert "HTTP 412" in said(publish, other, REPO, api=api)
    assert data_of(hub) == without_card(built) | {"NEWS.md": b"by hand"}
    hub.before.clear()
    publish(other, REPO, api=api)
    assert data_of(hub) == without_card(other) | {"NEWS.md": b"by hand"}


# ---- what others put there


def test_files_of_others_stay_and_old_shards_go_in_the_same_commit(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    old = {f"{folder}-00001-of-00002.parquet": b"old" for folder in ("data/train", "articles/articles", "dropped/dropped")}
    foreign: dict[str, bytes | None] = {
        "LICENSE": b"text",
        "extra/words.csv": b"a,b",
        "data/notes.txt": b"mine",
        "data/old/x.parquet": b"1",
    }
    hub.write(REPO, {**old, **foreign})
    told = publish(other, REPO, api=api)
    assert set(told.deleted) == set(old)
    assert data_of(hub) == without_card(other) | foreign
    assert len(hub.repos[REPO].messages) == 4


def test_what_a_person_wrote_on_the_card_stays(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    card = hub.content(REPO, "README.md").decode()
    mine = card.replace("tags:\n", "tags:\n- mine\n").replace('license: "cc-by-sa-4.0"', "license: cc-by-sa-3.0 # asked a lawyer")
    hub.write(REPO, {"README.md": (mine + "\n## Thanks\nขอบคุณทุกคน\n").encode()})
    publish(other, REPO, api=api)
    now = hub.content(REPO, "README.md").decode()
    assert now.endswith("\n## Thanks\nขอบคุณทุกคน\n")
    assert "license: cc-by-sa-3.0 # asked a lawyer\n" in now
    assert "mine" in metadata_of(now)["tags"]
    assert "--seed 7" not in mine
    assert "--seed 7" in now


def test_a_card_from_before_is_kept_above_ours(built: Path, hub: Hub, api: HfApi) -> None:
    hub.create(REPO)
    hub.write(REPO, {"README.md": b"# My corpus\r\nWritten by hand.\r\n"})
    publish(built, REPO, api=api)
    assert "---\n# My corpus\r\nWritten by hand.\r\n\n" + BEGIN in hub.content(REPO, "README.md").decode()


def test_other_columns_are_refused_before_anything_is_sent(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    card = hub.content(REPO, "README.md").decode()
    hub.write(REPO, {"README.md": card.replace('name: "n_chars"\n    dtype: "int32"', 'name: "n_chars"\n    dtype: "int64"').encode()})
    hub.requests.clear()
    line = said(publish, built, REPO, api=api)
    assert "the columns of articles differ from those there (n_chars is of another type)" in line
    assert "--replace" in line
    assert set(hub.requests) <= READ_ONLY


def test_replace_publishes_other_columns(built: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    hub.write(REPO, {"README.md": b"# gone\n"})
    assert "whose columns the card does not tell" in said(publish, built, REPO, api=api)
    publish(built, REPO, replace=True, api=api)
    assert data_of(hub) == without_card(built)


def test_a_data_set_stays_as_visible_as_it_is(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, private=False, api=api)
    told = publish(other, REPO, private=True, api=api)
    assert not hub.repos[REPO].private
    assert told.notes == ("user/wiki is public already and stays so; that is changed in its settings",)


# ---- pull requests


def test_a_pull_request_leaves_the_main_branch_alone(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    first = publish(built, REPO, api=api)
    told = publish(other, REPO, create_pr=True, api=api)
    assert hub.repos[REPO].head == first.commit
    assert hub.repos[REPO].pulls == [told.commit]
    assert told.url.endswith("/discussions/1")


def test_a_pull_request_needs_a_data_set(built: Path, hub: Hub, api: HfApi) -> None:
    assert "to open a pull request on" in said(publish, built, REPO, create_pr=True, api=api)
    assert hub.repos == {}


def test_a_pull_request_takes_no_tag(built: Path, hub: Hub, api: HfApi) -> None:
    assert "when it is merged" in said(publish, built, REPO, create_pr=True, tag="v1", api=api)
    assert hub.requests == []


# ---- the dry run


def test_a_dry_run_changes_nothing_and_tells_what_would_go(built: Path, other: Path, hub: Hub, api: HfApi) -> None:
    publish(built, REPO, api=api)
    hub.requests.clear()
    told = publish(other, REPO, tag="v2", dry_run=True, api=api)
    assert set(hub.requests) <= READ_ONLY
    done = publish(other, REPO, tag="v2", api=api)
    assert (told.sent, told.deleted, told.unchanged, told.sent_bytes) == (done.sent, done.deleted, done.unchanged, done.sent_bytes)


def test_a_dry_run_needs_no_token(built: Path, hub: Hub) -> None:
    told = publish(built, REPO, dry_run=True, api=HfApi(endpoint=hub.url, token=False))
    assert set(told.sent) == set(local(built))
    assert hub.repos == {}


def test_a_dry_run_works_without_a_network(built: Path) -> None:
    told = publish(built, REPO, dry_run=True, api=HfApi(endpoint="http://127.0.0.1:9", token=TOKEN))
    assert set(told.sent) == set(local(built))
    assert "the connection to http://127.0.0.1:9 failed" in told.notes[0]


# ---- what is refused before the Hub is asked


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


def test_a_folder_without_a_manifest_is_refused(copy: Path, hub: Hub, api: HfApi) -> None:
    (copy / "manifest.json").unlink()
    assert "that is no finished build" in said(publish, copy, REPO, api=api)
    assert hub.requests == []


def test_a_build_at_work_is_refused(copy: Path, hub: Hub, api: HfApi) -> None:
    (copy / ".work").mkdir()
    assert "was not finished" in said(publish, copy, REPO, api=api)
    assert hub.requests == []


@pytest.mark.parametrize("path", ["articles/articles-00000-of-00001.parquet", "README.md"])
def test_a_missing_file_is_refused(copy: Path, hub: Hub, api: HfApi, path: str) -> None:
    (copy / path).unlink()
    assert f"{path} is not the file that the build wrote" in said(publish, copy, REPO, api=api)
    assert hub.requests == []


def test_a_changed_file_is_refused(copy: Path, hub: Hub, api: HfApi) -> None:
    path = copy / "articles/articles-00000-of-00001.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert "is not the file that the build wrote" in said(publish, copy, REPO, api=api)
    assert hub.requests == []


def test_a_build_without_a_row_is_refused(copy: Path, hub: Hub, api: HfApi) -> None:
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    (copy / "manifest.json").write_text(json.dumps(manifest | {"files": {}}), "utf-8")
    assert "without a row" in said(publish, copy, REPO, api=api)
    assert hub.requests == []


def test_files_that_no_build_made_are_not_sent_and_named(copy: Path, hub: Hub, api: HfApi) -> None:
    (copy / "passwords.txt").write_text("1234", "utf-8")
    told = publish(copy, REPO, api=api)
    assert told.notes == ("not sent, no build made them: passwords.txt",)
    assert "passwords.txt" not in hub.listing(REPO)


@pytest.mark.parametrize(
    "name", ["wiki", "", "a/b/c", "user/", "/wiki", "user/วิกิ", "https://huggingface.co/user/wiki", "user/a--b", "u/a.git"]
)
def test_a_name_that_cannot_be_is_refused(built: Path, hub: Hub, api: HfApi, name: str) -> None:
    assert "expected user/name" in said(publish, built, name, api=api)
    assert hub.requests == []


def test_without_a_token_it_says_how_to_get_one(built: Path, hub: Hub) -> None:
    assert "hf auth login" in said(publish, built, REPO, api=HfApi(endpoint=hub.url))
    assert hub.requests == []


def test_a_token_of_the_clients_own_is_taken(built: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    publish(built, REPO, api=HfApi(endpoint=hub.url))
    assert data_of(hub) == without_card(built)


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [
        ('license: "cc-by-sa-4.0"', "license: CC BY-SA", "license: 'CC BY-SA' is no id of the Hub's"),
        ('- "n<1K"', '- "<1K"', "size_categories: '<1K' is none of"),
        ('- "th"', "- no", "language: False is no text"),
        ('path: "data/train-*.parquet"', 'path: "data/lost-*.parquet"', "default reads data/lost-*.parquet"),
    ],
    ids=["licence", "size", "language", "pattern"],
)
def test_a_card_that_the_hub_would_not_take_is_refused(copy: Path, hub: Hub, api: HfApi, was: str, now: str, line: str) -> None:
    text = (copy / "README.md").read_text("utf-8")
    assert was in text
    (copy / "README.md").write_text(text.replace(was, now), "utf-8")
    assert line in said(publish, copy, REPO, dry_run=True, api=api)


# ---- what the Hub says


def test_what_the_hub_says_about_the_card_is_passed_on(built: Path, hub: Hub, api: HfApi) -> None:
    hub.card_warning = "empty or missing yaml"
    assert "empty or missing yaml" in publish(built, REPO, api=api).notes[0]


def test_a_place_that_is_not_ours(built: Path, hub: Hub, api: HfApi) -> None:
    line = said(publish, built, "somebody/wiki", api=api)
    assert line.startswith("somebody/wiki: creating the data set: this token may not do that")
    assert "You don't have the rights" in line


def test_a_token_that_is_not_known(built: Path, hub: Hub) -> None:
    api = HfApi(endpoint=hub.url, token="hf_someOtherToken")
    assert "does not take this token; log in again" in said(publish, built, REPO, api=api)


def test_offline_is_said(built: Path, hub: Hub, api: HfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in said(publish, built, REPO, api=api)


def test_no_network_is_said(built: Path) -> None:
    line = said(publish, built, REPO, api=HfApi(endpoint="http://127.0.0.1:9", token=TOKEN))
    assert "the connection to http://127.0.0.1:9 failed" in line


def test_a_card_that_is_no_text_is_said(built: Path, hub: Hub, api: HfApi) -> None:
    hub.create(REPO)
    hub.write(REPO, {"README.md": b"\xa1\xa2"})
    assert "is not in UTF-8" in said(publish, built, REPO, api=api)


# ---- reading it back, and Xet

READ = """
import json, sys, datasets
out = {}
for name in ("default", "articles", "dropped"):
    for streaming in (False, True):
        loaded = datasets.load_dataset("user/wiki", name, streaming=streaming)
        out[f"{name} {streaming}"] = {split: sum(1 for _ in rows) for split, rows in loaded.items()}
print(json.dumps(out))
"""


def in_a_process(hub: Hub, tmp_path: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    env = {**kept, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_TELEMETRY": "1", **more}
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, env=env, timeout=120)


def expected(folder: Path) -> dict[str, dict[str, int]]:
    manifest = Manifest.read(folder)
    rows = {
        "default": manifest.examples,
        "articles": {"train": manifest.articles},
        "dropped": {"train": sum(manifest.dropped.values())},
    }
    return {f"{name} {streaming}": splits for name, splits in rows.items() for streaming in (False, True)}


def test_load_dataset_reads_it_streaming_too(built: Path, hub: Hub, api: HfApi, tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="the datasets library is an extra")
    publish(built, REPO, api=api)
    done = in_a_process(hub, tmp_path, "-c", READ, HF_HUB_DISABLE_XET="1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected(built)


def test_in_xet_mode_the_same_gets_there(built: Path, other: Path, hub: Hub, api: HfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hf_xet", reason="no Xet on this platform")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    publish(built, REPO, api=api)
    assert data_of(hub) == without_card(built)
    assert {"xorb", "shard"} <= set(hub.requests)
    assert "lfs batch" not in hub.requests
    hub.requests.clear()
    assert publish(built, REPO, api=api).commit is None
    assert set(hub.requests) <= READ_ONLY
    publish(other, REPO, api=api)
    assert data_of(hub) == without_card(other)


def test_what_xet_took_comes_back_through_xet(built: Path, hub: Hub, api: HfApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As bytes, and with load_dataset; streaming reads ranges over HTTP, in Xet mode too."""
    pytest.importorskip("hf_xet", reason="no Xet on this platform")
    pytest.importorskip("datasets", reason="the datasets library is an extra")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    publish(built, REPO, api=api)
    hub.requests.clear()
    fetch = f"import huggingface_hub; print(huggingface_hub.snapshot_download({REPO!r}, repo_type='dataset'))"
    done = in_a_process(hub, tmp_path, "-c", fetch)
    assert done.returncode == 0, done.stderr
    files = {str(path.relative_to(built)): path.read_bytes() for path in built.rglob("*.parquet")}
    assert {name: (Path(done.stdout.strip()) / name).read_bytes() for name in files} == files
    assert {"xet token", "reconstruction", "xorb data"} <= set(hub.requests)
    assert hub.requests.count("resolve") == len(hub.listing(REPO)) - len(files)  # over HTTP came what is no parquet file
    done = in_a_process(hub, tmp_path, "-c", READ)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected(built)


# ---- the command


@pytest.fixture
def typed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command against the Hub on this machine."""
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: HfApi(endpoint=hub.url))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return lambda *args: CliRunner().invoke(cli, ["publish", *map(str, args)])


def test_the_command_publishes(built: Path, hub: Hub, typed: Any) -> None:
    done = typed(built, REPO, "--tag", "v1", "--public")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{hub.url}/datasets/user/wiki: commit {hub.repos[REPO].head[:12]}, tag v1\n")
    assert not hub.repos[REPO].private


def test_the_command_says_that_nothing_changed(built: Path, typed: Any) -> None:
    typed(built, REPO)
    assert "nothing to send, all of it is there" in typed(built, REPO).stdout


def test_the_dry_run_lists_every_file(built: Path, hub: Hub, typed: Any) -> None:
    done = typed(built, REPO, "--dry-run", "--tag", "v1")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{hub.url}/datasets/user/wiki\n")
    assert done.stderr == "dry run: nothing was sent\n"
    assert sorted(re.findall(r"(?m)^  send    (\S+)", done.stdout)) == sorted(local(built))
    assert hub.repos == {}


def test_json_is_one_object(built: Path, hub: Hub, typed: Any) -> None:
    told = json.loads(typed(built, REPO, "--json").stdout)
    assert told["commit"] == hub.repos[REPO].head
    assert sorted(told["sent"]) == sorted(local(built))


def test_a_failure_is_one_line_and_status_1(built: Path, hub: Hub, tmp_path: Path) -> None:
    """In a process of its own: the client's log, bars and warnings are then where a user has them."""
    done = in_a_process(hub, tmp_path, "-m", "thaiwiki_clean", "publish", str(built), "somebody/wiki", HF_HUB_DISABLE_XET="1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"error: somebody/wiki: creating the data set: this token may not do that.*\n", done.stderr)


def test_a_tag_on_a_pull_request_is_wrong_usage(built: Path, typed: Any) -> None:
    assert typed(built, REPO, "--tag", "v1", "--create-pr").exit_code == 2
