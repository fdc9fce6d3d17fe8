"""Lines of a container's log."""

from node_agent.kubelet import log_ring
from node_agent.kubelet.log_ring import LINE_CHARS_MAX, LogQuery, LogRing

AT = 1_800_000_000.0


def texts(ring, **query):
    return [line.text for line in ring.select(LogQuery(**query))]


def test_text_becomes_lines_whatever_its_pieces():
    ring = LogRing()
    assert not ring.write("stdout", "one ", AT)
    assert ring.write("stdout", "line\ntwo\nthr", AT)
    ring.write("stdout", "ee\n", AT)
    assert texts(ring) == ["one line\n", "two\n", "three\n"]


def test_streams_do_not_mix_within_a_line():
    ring = LogRing()
    ring.write("stdout", "out", AT)
    ring.write("stderr", "err\n", AT)
    ring.write("stdout", "put\n", AT)
    assert texts(ring) == ["err\n", "output\n"]
    assert texts(ring, stream="Stderr") == ["err\n"]


def test_the_end_of_a_program_ends_its_last_line():
    ring = LogRing()
    ring.write("stderr", "no newline", AT)
    ring.end(AT)
    assert texts(ring) == ["no newline"]


def test_only_line_feeds_end_lines():
    ring = LogRing()
    ring.write("stdout", "50%\r100%\u2028x\n", AT)
    assert texts(ring) == ["50%\r100%\u2028x\n"]


def test_a_line_without_end_is_cut():
    ring = LogRing()
    ring.write("stdout", "x" * (LINE_CHARS_MAX + 5), AT)
    ring.end(AT)
    assert [len(text) for text in texts(ring)] == [LINE_CHARS_MAX, 5]


def test_the_oldest_lines_go_first(monkeypatch):
    monkeypatch.setattr(log_ring, "LINES_MAX", 3)
    ring = LogRing()
    ring.write("stdout", "1\n2\n3\n4\n", AT)
    assert texts(ring) == ["2\n", "3\n", "4\n"]
    assert [line.number for line in ring] == [1, 2, 3]


def test_the_ring_is_bounded_in_size_too(monkeypatch):
    monkeypatch.setattr(log_ring, "RING_CHARS_MAX", 10)
    ring = LogRing()
    ring.write("stdout", "12345\n12345\n", AT)
    assert texts(ring) == ["12345\n"]


def test_tail_and_since():
    ring = LogRing()
    for number in range(5):
        ring.write("stdout", f"{number}\n", AT + number)
    assert texts(ring, tail_lines=2) == ["3\n", "4\n"]
    assert texts(ring, tail_lines=0) == []
    assert texts(ring, since=AT + 3) == ["3\n", "4\n"]


def test_a_follower_reads_on_from_where_it_was():
    ring = LogRing()
    ring.write("stdout", "1\n2\n", AT)
    seen = ring.next_number
    ring.write("stdout", "3\n", AT)
    assert [line.text for line in ring.after(seen, LogQuery())] == ["3\n"]


def test_time_stamps_are_those_of_the_container_runtime():
    ring = LogRing()
    ring.write("stdout", "hello\n", AT)
    assert next(iter(ring)).render(timestamps=True) == "2027-01-15T08:00:00.000000000Z hello\n"
