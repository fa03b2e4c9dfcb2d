"""Packets of this machine's own loopback, where this process may capture them."""

import socket
import threading
import time

import pytest

from edgewright.tools.errors import EdgewrightError
from edgewright.tools.sensing.network import Network

SECRET = b"what was said in confidence"
#: Lower than any that the system gives the sender: the lower one counts as the server's.
PORT = 9


def test_live_packets_are_captured_where_that_is_permitted():
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW):
            pass
    except OSError:
        pytest.skip("this process may not capture packets")

    read = threading.Event()

    def talk() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            while not read.is_set():
                sending.sendto(SECRET, ("127.0.0.1", PORT))
                time.sleep(0.05)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        window = Network("live:lo").read(1.0)
    finally:
        read.set()
        thread.join()
    ours = [flow for flow in window.values.flows if flow.port == PORT]
    assert ours
    assert sum(map(abs, ours[0].sizes)) >= 3 * (28 + len(SECRET))
    with pytest.raises(EdgewrightError) as raised:
        Network("live:nothing0").read(0.1)
    assert raised.value.info().code == "unknown_interface"
