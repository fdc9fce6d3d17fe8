"""The workload `http`, also as hashicorp/http-echo."""

import pytest

from node_agent.workloads import http


async def test_one_text_for_every_request(pods):
    await pods.start(http, "-text=hello", "--port", "7000").said("listening on 0.0.0.0:7000")
    assert (await pods.http("/any/path", port=7000))[2] == "hello\n"


@pytest.mark.parametrize(
    ("words", "env", "text"),
    [
        (("-text=a",), {"TEXT": "b"}, "a\n"),
        (("--text", "a"), {}, "a\n"),
        ((), {"ECHO_TEXT": "c", "TEXT": "b"}, "c\n"),
        ((), {"TEXT": "b\n"}, "b\n"),
        ((), {}, "hello from web-1\n"),
    ],
)
async def test_where_the_text_comes_from(pods, words, env, text):
    assert http.text_of(pods.start(http, *words, env=env).ctx) == text


@pytest.mark.parametrize(
    ("image", "words", "env", "port"),
    [
        ("http", (), {}, 8080),
        ("http", ("-listen=:5999",), {}, 5999),
        ("http", ("-listen", "0.0.0.0:81"), {}, 81),
        ("http", (), {"PORT": "82"}, 82),
        ("hashicorp/http-echo:1.0", (), {}, http.HTTP_ECHO_PORT),
        ("docker.io/hashicorp/http-echo", ("--port=83",), {}, 83),
        ("hashicorp/http-echo", ("-listen=:84",), {}, 84),
    ],
)
async def test_where_it_listens(pods, image, words, env, port):
    assert http.port_of(pods.start(http, *words, image=image, env=env).ctx) == port
