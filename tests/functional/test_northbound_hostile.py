# SPDX-License-Identifier: BSD-3-Clause
"""Slow, broken, endless and lying clients: each gets an answer or an end, and others are served."""
import json
import os
import random
import socket
import time

import pytest

from northbound import DEVICE, Checked, flow, start
from tenon import UnixConnection

FLOWS = "/v1/flows/" + DEVICE
LIMITS = {"headerSeconds": 2, "bodySeconds": 2, "stallSeconds": 2, "bodyBytes": 100000,
          "bodiesBytes": 300000, "elements": 300, "connectionsPerClient": 200,
          "connections": 200}


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    made = start(tmp_path_factory.mktemp("target"), limits=LIMITS)
    yield made
    made.close()


class Raw:
    """Bytes on a connection."""

    def __init__(self, site):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(site.socket)

    def send(self, data):
        """What the other end takes before it hangs up."""
        try:
            self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def all(self):
        """All that comes until the end."""
        got = b""
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                return got
            if not part:
                return got
            got += part

    def status(self):
        got = self.all()
        return int(got.split(b" ")[1]) if got.startswith(b"HTTP/1.1 ") else None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Anew(Checked):
    """A connection for each request: one that is idle is soon ended here."""

    def request(self, *args, **kwargs):
        try:
            return super().request(*args, **kwargs)
        finally:
            self.close()


@pytest.fixture
def others(target):
    """Are served before and after."""
    client = Anew(UnixConnection(target.socket), target.document)
    client.get("/v1/health", want=200)
    yield client
    client.get("/v1/flows", want=200)


def request(method, path, *headers, body=""):
    return "%s %s HTTP/1.1\r\n%s\r\n%s" % (
        method, path, "".join(h + "\r\n" for h in ("Host: x",) + headers), body)


BROKEN = [
    "\r\n", "GET\r\n\r\n", "GET /v1/flows\r\n\r\n", "GET /v1/flows HTTP/9.9\r\nHost: x\r\n\r\n",
    "\x00\x01\x02\x03\r\n\r\n", "GET /v1/flows HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
    "GET /v1/flows HTTP/1.1\r\n folded\r\n\r\n", "GET " + "/a" * 40000 + " HTTP/1.1\r\n\r\n",
    "GET /v1/flows HTTP/1.1\r\nHost: x\r\nX: " + "y" * 100000 + "\r\n\r\n",
    "GET /v1/flows HTTP/1.1\r\n" + "".join("X%d: y\r\n" % i for i in range(5000)) + "\r\n",
    request("POST", FLOWS, "Content-Length: x"), request("POST", FLOWS, "Content-Length: -1"),
    request("POST", FLOWS, "Content-Length: 99999999999999999999999"),
    request("POST", FLOWS, "Content-Length: 2", "Content-Length: 3", body="{}x"),
    request("POST", FLOWS, "Transfer-Encoding: chunked", body="zz\r\n{}\r\n0\r\n\r\n"),
    request("POST", FLOWS, "Transfer-Encoding: chunked", body="ffffffffffffffffff\r\n"),
    request("POST", FLOWS, "Transfer-Encoding: gzip, chunked", body="0\r\n\r\n"),
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client
]


@pytest.mark.parametrize("data", BROKEN, ids=[str(i) for i in range(len(BROKEN))])
def test_broken_http(target, others, data):
    """An error or an end, never success."""
    with Raw(target) as raw:
        raw.send(data)
        raw.socket.shutdown(socket.SHUT_WR)
        status = raw.status()
        assert status is None or 400 <= status < 600
    assert others.get("/v1/flows").json == {"flows": []}


def test_slow_headers(target, others):
    """A byte at a time: 408 when the time is over, whatever comes meanwhile."""
    began = time.monotonic()
    with Raw(target) as raw:
        while time.monotonic() - began < 20:
            raw.send("G")
            others.get("/v1/health", want=200)
            raw.socket.settimeout(0.2)
            try:
                answer = raw.socket.recv(65536)
                break
            except socket.timeout:
                pass
    assert b" 408 " in answer or answer == b"", answer


def test_slow_bodies(target, others):
    with Raw(target) as raw:
        raw.send(request("POST", FLOWS, "Content-Length: 1000", "Content-Type: application/json"))
        began = time.monotonic()
        answer = b""
        while time.monotonic() - began < 20 and not answer:
            raw.send(" ")
            others.get("/v1/health", want=200)
            raw.socket.settimeout(0.2)
            try:
                answer = raw.socket.recv(65536)
            except socket.timeout:
                pass
    assert b" 408 " in answer, answer
    assert others.get("/v1/flows").json == {"flows": []}


def test_a_connection_that_says_nothing(target, others):
    with Raw(target) as raw:
        assert raw.status() in (408, None)


def test_too_large_bodies(target, others):
    """413, at the latest when too much has come, and before it comes where it is said."""
    with Raw(target) as raw:
        raw.send(request("POST", FLOWS, "Content-Length: 100001", "Connection: close"))
        assert raw.status() == 413
    with Raw(target) as raw:
        raw.send(request("POST", FLOWS, "Content-Length: 100001", "Expect: 100-continue",
                         "Connection: close"))
        assert raw.status() == 413
    with Raw(target) as raw:
        raw.send(request("POST", FLOWS, "Transfer-Encoding: chunked"))
        for _ in range(20):
            raw.send("4000\r\n" + " " * 0x4000 + "\r\n")
        assert raw.status() in (413, None)
    others.post(FLOWS, json.dumps(flow(1)) + " " * 99000, want=201)
    others.delete("/v1/flows/application/org.onosproject.rest", want=204)


def test_too_many_elements(target, others):
    few = {"flows": [flow(i) for i in range(300)]}
    assert others.put(FLOWS + "?appId=a&dryRun=true", few, want=200).json["total"] == 300
    few["flows"].append(flow(300))
    answer = others.put(FLOWS + "?appId=a&dryRun=true", few, want=413)
    assert "over 300 elements" in answer.json["errors"][0]["detail"], answer


def test_what_is_refused_needs_no_body(target, others):
    with Raw(target) as raw:
        raw.send(request("POST", "/v1/nothing", "Content-Length: 5", "Expect: 100-continue",
                         "Connection: close"))
        assert raw.status() == 404


def test_many_large_bodies_at_once(target, others):
    """No more is kept than the limit of all: others get 503 and may try again."""
    raws = [Raw(target) for _ in range(8)]
    for raw in raws:
        raw.send(request("POST", FLOWS, "Content-Length: 100000", "Connection: close"))
        raw.send(" " * 60000)
    others.get("/v1/health", want=200)
    for raw in raws:
        raw.send(" " * 40000)
    statuses = [raw.status() for raw in raws]
    for raw in raws:
        raw.close()
    assert 503 in statuses and set(statuses) <= {400, 503, 408}, statuses


def test_who_takes_no_answer(target, others):
    """Many requests, nothing read: the connection ends, and nothing grows with it."""
    with Raw(target) as raw:
        raw.socket.setblocking(False)
        text = request("GET", "/v1/openapi.json").encode()
        began = time.monotonic()
        ended = False
        while time.monotonic() - began < 25 and not ended:
            try:
                raw.socket.send(text * 50)
            except BlockingIOError:
                time.sleep(0.05)
            except (BrokenPipeError, ConnectionResetError):
                ended = True
            others.get("/v1/health", want=200)
        assert ended


def test_requests_in_a_row_without_waiting(target, others):
    """Pipelined: answered one after another."""
    with Raw(target) as raw:
        raw.send(request("GET", "/v1/health") * 50 +
                 request("GET", "/v1/health", "Connection: close"))
        assert raw.all().count(b"HTTP/1.1 200 OK") == 51


def test_too_many_connections(target, others):
    """One more is told so, and when some end there is room again."""
    raws = []
    try:
        for _ in range(200):
            raws.append(Raw(target))
        with Raw(target) as one_more:
            answer = one_more.all()
        assert b" 503 " in answer and b"Retry-After" in answer
    finally:
        for raw in raws:
            raw.close()
    deadline = time.monotonic() + 30
    while True:
        with Raw(target) as raw:
            raw.send(request("GET", "/v1/health", "Connection: close"))
            if raw.status() == 200:
                break
        assert time.monotonic() < deadline


def test_clients_that_leave_at_any_moment(target, others):
    """In the middle of a request, of an answer, of a change: nothing stays behind."""
    random.seed(1)
    body = json.dumps({"flows": [flow(i) for i in range(100)]})
    whole = request("POST", "/v1/flows?appId=leaving", "Content-Type: application/json",
                    "Content-Length: %d" % len(body), body=body).encode()
    before = len(os.listdir("/proc/%d/fd" % target.tenond.process.pid))
    for _ in range(200):
        with Raw(target) as raw:
            raw.send(whole[:random.randrange(len(whole) + 1)])
    for _ in range(50):
        with Raw(target) as raw:
            raw.send(request("GET", random.choice(["/v1/openapi.json", "/v1/watch", "/v1/config"])))
    others.delete("/v1/flows/application/leaving", want=204)
    deadline = time.monotonic() + 30
    while len(os.listdir("/proc/%d/fd" % target.tenond.process.pid)) > before:
        assert time.monotonic() < deadline


def test_bodies_that_nest_and_repeat(target, others):
    for body in ("[" * 50000, '{"a":' * 10000, '{"flows":[' + "[" * 17, "[" + "1," * 40000,
                 '{"flows":[' + "{}," * 30000 + "{}]}", '"' + "x" * 90000 + '"',
                 '{"' + "k" * 90000 + '":1}', "9" * 90000, "-" * 90000, '{"priority":1e999}',
                 json.dumps({"k%d" % i: i for i in range(5000)})):
        for path in (FLOWS, "/v1/flows", "/v1/transactions"):
            answer = others.post(path, body)
            assert answer.status in (400, 413, 422), answer
            assert len(answer.body) < 1 << 20


def test_answers_are_no_place_for_bytes_of_clients(target, others):
    """What is quoted from a request is valid JSON in the answer, and never a header."""
    for path in ("/v1/%ff%fe", "/v1/%22%3Cscript%3E", "/v1/%0d%0aX:%20y", "/v1/flows?%ff=1",
                 "/v1/ports/%e2%82", "/v1/tables/%0a", "/v1/flows/application/%0d%0aX?limit=1"):
        answer = others.get(path)
        assert answer.json is not None and "x" not in answer.headers
    connection = UnixConnection(target.socket)
    connection.connect()
    connection.sock.sendall(b"GET /v1/flows HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe"
                            b"\r\nConnection: close\r\n\r\n")
    assert connection.sock.recv(4096).startswith(b"HTTP/1.1 401 ")
    connection.close()
