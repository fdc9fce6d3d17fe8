"""Where the example application is found."""

import shutil
import tomllib
from pathlib import Path

import pytest

from cluster.cli.demo import application
from cluster.cli.demo.application import MANIFEST, examples_directory
from cluster.errors import ConfigError


def test_beside_the_sources(tmp_path: Path) -> None:
    manifest = tmp_path / "examples" / MANIFEST
    manifest.parent.mkdir(parents=True)
    manifest.touch()
    assert examples_directory(tmp_path) == tmp_path / "examples"
    assert (examples_directory() / MANIFEST).is_file()


class Installed:
    """A file of an installation, as importlib.metadata tells it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.parts = path.parts

    def locate(self) -> Path:
        return self._path


def test_where_the_installation_has_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = tmp_path / "share" / "kubehop" / "examples" / MANIFEST
    manifest.parent.mkdir(parents=True)
    manifest.touch()

    class Distribution:
        files = (Installed(tmp_path / "bin" / "kubehop"), Installed(manifest))

    monkeypatch.setattr(application, "distribution", lambda name: Distribution)
    assert examples_directory(tmp_path) == tmp_path / "share" / "kubehop" / "examples"


def test_what_is_nowhere_is_an_error_that_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise application.PackageNotFoundError(name)

    monkeypatch.setattr(application, "distribution", missing)
    with pytest.raises(ConfigError, match=f"looked in {tmp_path}/examples"):
        examples_directory(tmp_path)


def test_an_installation_is_built_also_after_the_examples_have_run(tmp_path: Path) -> None:
    sources = Path(__file__).parents[4]
    packed = tomllib.loads((sources / "pyproject.toml").read_text())["tool"]["setuptools"]
    shutil.copytree(sources / "examples", tmp_path / "examples")
    (tmp_path / "examples" / "shop" / "__pycache__").mkdir(exist_ok=True)
    chosen = [
        found
        for patterns in packed["data-files"].values()
        for pattern in patterns
        for found in tmp_path.glob(pattern)
    ]
    assert tmp_path / "examples" / MANIFEST in chosen
    assert all(each.is_file() for each in chosen)  # setuptools copies no directory, it fails
