"""What `kubehop curl` puts out, as curl would."""

from dataclasses import replace

import pytest

from cluster.cli.curl_answer import head_of, output_of, variables_of, write_out
from cluster.traffic.response import Response

RESPONSE = Response(
    status=200,
    reason="OK",
    headers=(("Content-Type", "text/plain"), ("X-Twice", "1"), ("X-Twice", "2")),
    body=b"welcome\n",
    flow_ids=("4c1f9a2b7d3e6f80",),
    seconds=0.25,
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"


def test_a_head_is_as_it_came():
    assert head_of(RESPONSE) == HEAD
    assert head_of(replace(RESPONSE, reason="", headers=())) == b"HTTP/1.1 200\r\n\r\n"


@pytest.mark.parametrize(
    ("include", "head_only", "fail", "status", "expected"),
    [
        (False, False, False, 200, b"welcome\n"),
        (True, False, False, 200, HEAD + b"welcome\n"),
        (False, True, False, 200, HEAD),
        (True, True, False, 200, HEAD),
        (False, False, False, 404, b"welcome\n"),
        (False, False, True, 399, b"welcome\n"),
        (False, False, True, 400, b""),
        (True, False, True, 503, b""),
    ],
)
def test_what_goes_to_standard_output(include, head_only, fail, status, expected):
    response = replace(RESPONSE, status=status)
    found = output_of(response, include=include, head_only=head_only, fail=fail)
    assert found.replace(b" %d " % status, b" 200 ") == expected


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("%{http_code}\\n", "200\n"),
        ("%{response_code} %{http_version}", "200 1.1"),
        ("%{content_type} %{size_download}", "text/plain 8"),
        ("%{time_total}\\t%{flow_id}\\r", "0.250000\t4c1f9a2b7d3e6f80\r"),
        ("100%% %{nobody}.", "100% ."),
        ("50% off", "50% off"),
    ],
)
def test_write_out_says_what_it_is_asked_for(template, text):
    assert write_out(template, variables_of(RESPONSE)) == text


def test_an_answer_without_a_flow_or_a_type_has_neither():
    found = variables_of(replace(RESPONSE, flow_ids=(), headers=()))
    assert (found["flow_id"], found["content_type"]) == ("", "")
    assert variables_of(replace(RESPONSE, status=0))["http_code"] == "000"  # as curl has it
