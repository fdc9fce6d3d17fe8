"""cluster.json, and processes told apart by their start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.launcher.record import read_record, start_of, write_record


def test_what_was_written_is_read(tmp_path: Path):
    write_record(tmp_path / "cluster.json", {"name": "demo"})
    write_record(tmp_path / "cluster.json", {"name": "demo", "slot": 1})
    assert read_record(tmp_path / "cluster.json") == {"name": "demo", "slot": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["cluster.json"]


def test_a_record_that_cannot_be_written_leaves_the_old_one_and_no_litter(tmp_path: Path):
    write_record(tmp_path / "cluster.json", {"name": "demo"})
    with pytest.raises(TypeError):
        write_record(tmp_path / "cluster.json", {"name": object()})
    assert read_record(tmp_path / "cluster.json") == {"name": "demo"}
    assert [each.name for each in tmp_path.iterdir()] == ["cluster.json"]


def test_no_file_is_no_record(tmp_path: Path):
    assert read_record(tmp_path / "cluster.json") is None


def test_half_a_file_is_named(tmp_path: Path):
    (tmp_path / "cluster.json").write_text('{"name": ')
    with pytest.raises(ConfigError, match=r"cluster\.json cannot be read: .*; remove it"):
        read_record(tmp_path / "cluster.json")


def test_a_process_has_one_start_for_all_its_life():
    assert start_of(os.getpid()) == start_of(os.getpid()) != ""


def test_a_process_that_has_ended_has_no_start_not_even_before_it_is_reaped():
    process = subprocess.Popen([sys.executable, "-c", ""])
    pidfd = os.pidfd_open(process.pid)
    os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)  # ended, and a zombie still
    assert start_of(process.pid) == ""
    process.wait()
    assert start_of(process.pid) == ""
    os.close(pidfd)


def test_a_title_with_spaces_and_brackets_is_not_taken_for_fields():
    script = (
        "import setproctitle; setproctitle.setproctitle('a) b (c'); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert start_of(process.pid).isdecimal()
