"""curl's options (https://curl.se/docs/manpage.html), and the request they ask for."""

import pytest

from cluster.cli.curl_request import SECONDS_DEFAULT, CurlRequest, request_of
from cluster.errors import ConfigError

URL = "http://frontend.shop/cart"
FILES = {"form": b"a=1\r\nb=2\n", "-": b"from standard input\n"}


@pytest.fixture
def asked(options_of):
    def ask(*words: str, url: str = URL) -> CurlRequest:
        return request_of(options_of("curl", url, *words), FILES.__getitem__)

    return ask


def test_without_options_it_is_a_get_with_curls_own_headers(asked):
    request = asked()
    assert (request.url, request.method, request.body) == (URL, "GET", b"")
    assert dict(request.headers) == {"User-Agent": "kubehop", "Accept": "*/*"}
    assert request.timeout_seconds == SECONDS_DEFAULT


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ((), "GET"),
        (("-d", "a=1"), "POST"),
        (("-I",), "HEAD"),
        (("-X", "PUT", "-d", "a=1"), "PUT"),
        (("--request", "DELETE"), "DELETE"),
        (("-d", ""), "POST"),
    ],
)
def test_the_method_follows_from_what_is_sent_unless_it_is_named(asked, words, method):
    assert asked(*words).method == method


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("-d", "a=1"), b"a=1"),
        (("-d", "a=1", "--data", "b=2"), b"a=1&b=2"),
        (("--data", "@form"), b"a=1b=2"),  # line ends go
        (("--data-binary", "@form"), b"a=1\r\nb=2\n"),
        (("--data-raw", "@form"), b"@form"),
        (("-d", "@-"), b"from standard input"),
        (("-d", "b=2", "--data-raw", "@a"), b"b=2&@a"),  # in the order given
        (("--json", '{"a":', "--json", "1}"), b'{"a":1}'),
        (("--json", "@form"), b"a=1\r\nb=2\n"),
        (("-d", "caf\u00e9"), b"caf\xc3\xa9"),
    ],
)
def test_the_body_is_put_together_as_curl_does(asked, words, body):
    assert asked(*words).body == body


@pytest.mark.parametrize(
    ("words", "headers"),
    [
        (("-d", "a=1"), {"Content-Type": "application/x-www-form-urlencoded"}),
        (("--json", "{}"), {"Content-Type": "application/json", "Accept": "application/json"}),
        (("-A", "me"), {"User-Agent": "me"}),
        (("-u", "ada:secret"), {"Authorization": "Basic YWRhOnNlY3JldA=="}),
        (("-H", "X-One: 1", "-H", "X-Two:2"), {"X-One": "1", "X-Two": "2"}),
        (("-H", "X-Empty;"), {"X-Empty": ""}),
        (("-H", "Host: shop.example"), {"Host": "shop.example"}),
        (("-d", "a", "-H", "content-type: text/plain"), {"content-type": "text/plain"}),
    ],
)
def test_headers_are_curls_defaults_and_what_is_given(asked, words, headers):
    assert headers.items() <= dict(asked(*words).headers).items()


def test_a_header_that_is_given_takes_the_place_of_the_default(asked):
    names = [name.lower() for name, _ in asked("-H", "accept: text/html").headers]
    assert names.count("accept") == 1


def test_a_header_without_a_value_takes_the_default_away(asked):
    assert "User-Agent" not in dict(asked("-H", "User-Agent:").headers)


def test_the_same_header_twice_is_sent_twice(asked):
    assert [each for each in asked("-H", "A: 1", "-H", "A: 2").headers if each[0] == "A"] == [
        ("A", "1"),
        ("A", "2"),
    ]


def test_what_is_no_header_is_named(asked):
    with pytest.raises(ConfigError, match=r"-H 'Accept' is no header: write 'NAME: VALUE'"):
        asked("-H", "Accept")


@pytest.mark.parametrize(("text", "seconds"), [("2", 2.0), ("0.5", 0.5), ("3600", 3600.0)])
def test_a_time_limit_is_in_seconds(asked, text, seconds):
    assert asked("-m", text).timeout_seconds == seconds


@pytest.mark.parametrize("text", ["0", "-1", "3601", "soon", "nan", "inf"])
def test_a_time_limit_that_is_none_is_refused(asked, text, capsys):
    with pytest.raises(SystemExit):
        asked(f"--max-time={text}")
    assert f"'{text}' is no number of seconds up to 3600" in capsys.readouterr().err


def test_a_datagram_has_a_body_and_nothing_else(asked):
    request = asked("-d", "now", url="udp://clock.shop:9999")
    assert (request.datagram, request.body) == (True, b"now")
    assert not asked().datagram
    for words in (("-X", "GET"), ("-I",), ("-H", "A: 1")):
        with pytest.raises(ConfigError, match="udp:// sends one datagram"):
            asked(*words, url="udp://clock.shop:9999")
