"""What a container's end says about itself."""

from node_agent.kubelet.termination_message import (
    LOG_BYTES_MAX,
    LOG_LINES_MAX,
    MESSAGE_BYTES_MAX,
    tail,
    termination_message,
)

FALLBACK = {"terminationMessagePolicy": "FallbackToLogsOnError"}


def test_a_good_end_says_nothing():
    assert termination_message(FALLBACK, 0, failure="", log="all is well\n") == ""


def test_a_program_that_failed_says_why():
    failure = "Traceback (most recent call last):\nValueError: no such cart\n"
    message = termination_message({}, 1, failure=failure, log="noise\n")
    assert message == failure.strip()


def test_of_a_long_traceback_the_end_counts():
    failure = "frame\n" * 5000 + "ValueError: at last"
    message = termination_message({}, 1, failure=failure, log="")
    assert len(message) == MESSAGE_BYTES_MAX
    assert message.endswith("ValueError: at last")


def test_an_exit_code_alone_says_nothing_by_default():
    assert termination_message({}, 3, failure="", log="the disk is full\n") == ""


def test_the_log_speaks_where_the_policy_wants_it():
    assert termination_message(FALLBACK, 3, failure="", log="full\n") == "full\n"


def test_of_a_log_the_last_lines_and_bytes_count():
    lines = "".join(f"{number}\n" for number in range(200))
    message = termination_message(FALLBACK, 3, failure="", log=lines)
    assert message.splitlines() == [str(number) for number in range(200 - LOG_LINES_MAX, 200)]
    wide = termination_message(FALLBACK, 3, failure="", log="x" * 5000)
    assert len(wide) == LOG_BYTES_MAX


def test_no_character_is_cut_in_half():
    assert tail("ab\u20ac\u20ac", 4) == "\u20ac"


def test_what_was_written_for_it_counts_before_all_else():
    said = termination_message(FALLBACK, 1, failure="why", log="log\n", written="because")
    assert said == "because"
    assert termination_message({}, 0, failure="", log="", written="well done") == "well done"
