"""The workload `udp`."""

import re

from node_agent.workloads import udp


async def test_a_datagram_is_answered_with_pod_client_and_text(pods):
    started = pods.start(
        udp, ports=[{"containerPort": 53}, {"containerPort": 5353, "protocol": "UDP"}]
    )
    await started.said("listening on 0.0.0.0:5353/UDP")
    answer = await pods.udp(b"hello", port=5353)
    assert re.fullmatch(rb"web-1 10\.244\.1\.9:\d+ hello", answer)
    assert await started.end() == 0


def test_without_a_prefix_the_same_bytes_come_back():
    sent = []

    class Transport:
        def sendto(self, data, addr):
            sent.append((data, addr))

    echo = udp.Echo()
    echo.connection_made(Transport())
    echo.datagram_received(b"\x00\xff", ("10.0.0.1", 4))
    assert sent == [(b"\x00\xff", ("10.0.0.1", 4))]
