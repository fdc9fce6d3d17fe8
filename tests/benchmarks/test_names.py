"""What dnsperf says, and which answers count; nothing is asserted of times."""

from pathlib import Path

import pytest

from tests.benchmarks.names import _is_good
from tests.benchmarks.peers.dnsperf import command_line, dnsperf, parse, written

SAID = """DNS Performance Testing Tool
Version 2.10.0

Statistics:

  Queries sent:         41233
  Queries completed:    41200 (99.92%)
  Queries lost:         33 (0.08%)

  Response codes:       NOERROR 41100 (99.76%), SERVFAIL 60 (0.15%), NXDOMAIN 40 (0.10%)
  Average packet size:  request 50, response 66
  Run time (s):         1.000123
  Queries per second:   41194.932823
"""


def test_what_dnsperf_says_becomes_numbers() -> None:
    """What was answered with anything but the address is lost too."""
    ran = parse(SAID, cpu=0.5)
    assert (ran.completed, ran.lost, ran.cpu) == (41200, 33 + 60 + 40, 0.5)
    assert ran.per_second == pytest.approx(41194.93)


def test_words_that_are_no_result_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="no such host"):
        parse("Error: no such host", cpu=0.0)


def test_no_question_leaves_the_machine(tmp_path: Path) -> None:
    questions = written(["a.default.svc.cluster.local", "b"], tmp_path / "questions")
    assert questions.read_text() == "a.default.svc.cluster.local A\nb A\n"
    with pytest.raises(ValueError, match="not of this machine"):
        dnsperf(("192.0.2.1", 53), questions, 1, edns=False)
    with pytest.raises(ValueError, match="too long"):
        dnsperf(("127.0.0.1", 53), questions, 60, edns=False)


def test_edns_is_asked_for() -> None:
    plain, edns = (command_line(("127.0.0.1", 53), "q", 1, edns=each) for each in (False, True))
    assert edns == [*plain, "-e"]
    assert plain[:5] == ["dnsperf", "-s", "127.0.0.1", "-p", "53"]


def test_only_an_address_is_a_good_answer() -> None:
    assert _is_good(bytes((0, 1, 0x85, 0x00, 0, 1, 0, 1)))
    assert not _is_good(bytes((0, 1, 0x85, 0x03, 0, 1, 0, 0)))  # NXDOMAIN
    assert not _is_good(bytes((0, 1, 0x85, 0x00, 0, 1, 0, 0)))  # NODATA
    assert not _is_good(b"")
