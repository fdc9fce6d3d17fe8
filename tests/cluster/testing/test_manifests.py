"""The objects that a test applies."""

from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ConfigError
from cluster.testing.manifests import read_manifests

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}
TEXT = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"


def documents(what: Any, directory: Path) -> list[Any]:
    return [document for _, document in read_manifests(what, directory)]


def test_objects_come_as_documents_text_or_files(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(TEXT)
    for what in (POD, [POD], iter([POD]), TEXT, "web.yaml", Path("web.yaml")):
        assert documents(what, tmp_path) == [POD]
    assert documents(tmp_path / "web.yaml", Path("/nowhere")) == [POD]


def test_a_file_is_looked_for_in_the_app_directory_then_in_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, current = tmp_path / "app", tmp_path / "current"
    for directory, name in ((app, "first"), (current, "second")):
        directory.mkdir()
        (directory / "web.yaml").write_text(TEXT.replace("web", name))
    monkeypatch.chdir(current)
    assert documents("web.yaml", app)[0]["metadata"]["name"] == "first"
    (app / "web.yaml").unlink()
    assert documents("web.yaml", app)[0]["metadata"]["name"] == "second"
    (current / "web.yaml").unlink()
    with pytest.raises(ConfigError, match=rf"neither {app}/web.yaml nor {current}/web.yaml"):
        documents("web.yaml", app)


def test_lists_and_empty_documents_are_unpacked(tmp_path: Path) -> None:
    text = "---\n---\napiVersion: v1\nkind: List\nitems:\n- " + TEXT.replace("\n", "\n  ")
    assert documents(text, tmp_path) == [POD]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("kind: [\n", "text is not YAML"),
        ("---\n", "there is no object"),
        ([], "there is no object"),
        ({**POD, "apiVersion": ""}, "document is no Kubernetes object: it has no apiVersion"),
        ([POD, {**POD, "metadata": {}}], r"document 2 .* it has no metadata\.name"),
        ([{**POD, "kind": 7}], "document 1 .* it has no kind"),
    ],
)
def test_what_is_no_object_is_said_with_its_place(tmp_path: Path, what: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        documents(what, tmp_path)
