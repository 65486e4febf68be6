# SPDX-License-Identifier: BSD-3-Clause
"""Both daemons in a test's own folder, and a client of tenond's HTTP.

    def test_x(tenon):
        tenon.start()
        assert tenon.client().get("/v1/devices").status == 200

With a lab (netlab.py) they run in the namespace of its switch: Tenon(folder, lab=lab). What the
daemons say is in FOLDER/dataplane.log and FOLDER/tenond.log, and part of every failure here.
"""
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("TENON_BUILD") or \
    os.path.join(os.path.dirname(os.path.dirname(HERE)), "build/opt")
DATAPLANE = os.environ.get("TENON_DATAPLANE") or \
    os.path.join(BUILD, "dataplane/agent/tenon-dataplane")
TENOND = os.path.join(BUILD, "control/tenond")
PATIENCE = 30


class Answer:
    """Of a request: status, headers (names in lower case), body, and json when it is JSON."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return "%d %r %s" % (self.status, self.headers, self.body[:2000].decode(errors="replace"))


class UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket; one connection, kept as long as both ends like."""

    def __init__(self, path, timeout=PATIENCE):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Client:
    """Requests one after another on one connection, which is made anew when it was lost."""

    def __init__(self, connection, headers=None):
        self.connection = connection
        self.headers = headers or {}

    def request(self, method, path, body=None, headers=None):
        """body: text, bytes, or what becomes JSON."""
        send = dict(self.headers)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            send["Content-Type"] = "application/json"
        send.update(headers or {})
        try:
            self.connection.request(method, path, body, send)
            return Answer(self.connection.getresponse())
        except Exception:
            self.connection.close()
            raise

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, body, **kwargs)

    def put(self, path, body=None, **kwargs):
        return self.request("PUT", path, body, **kwargs)

    def patch(self, path, body=None, **kwargs):
        return self.request("PATCH", path, body, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)

    def close(self):
        self.connection.close()


class Daemon:
    """A process that says READY=1 when it serves."""

    def __init__(self, name, command, folder, enter=()):
        self.name, self.command, self.enter = name, [str(c) for c in command], list(enter)
        self.log_path = os.path.join(folder, name + ".log")
        self.notify_path = os.path.join(folder, name + ".notify")
        self.process = self.notes = None

    def log(self):
        try:
            with open(self.log_path) as f:
                return f.read()
        except OSError:
            return ""

    def start(self, ready=True):
        """Returns when it is ready; ready=False: at once."""
        self._close_notes()
        self.notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notes.bind(self.notify_path)
        os.chmod(self.notify_path, 0o777)
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                self.enter + ["setpriv", "--pdeathsig", "KILL"] + self.command,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, NOTIFY_SOCKET=self.notify_path))
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        """Until it tells systemd (us) READY=1; what it told meanwhile."""
        deadline = time.monotonic() + PATIENCE
        ended = os.pidfd_open(self.process.pid)
        told = []
        try:
            while "READY=1" not in told:
                left = max(deadline - time.monotonic(), 0)
                readable, _, _ = select.select([self.notes, ended], [], [], left)
                if self.notes not in readable:
                    raise AssertionError("%s is not ready, status %s\n%s" % (
                        self.name, self.process.poll(), self.log()))
                told += self.notes.recv(4096).decode().split("\n")
        finally:
            os.close(ended)
        return told

    def _close_notes(self):
        if self.notes:
            self.notes.close()
            os.unlink(self.notify_path)
        self.notes = None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit=PATIENCE):
        """Its exit status."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s does not end\n%s" % (self.name, self.log())) from None

    def kill(self):
        """At any instruction."""
        self.process.kill()
        self.process.wait()

    def reload(self):
        """Returns when it has taken the configuration on, or said why not."""
        self.signal(signal.SIGHUP)
        assert "RELOADING=1" in self.wait_ready()

    def stop(self):
        self.signal(signal.SIGTERM)
        status = self.wait()
        assert status == 0, "%s ended with %s\n%s" % (self.name, status, self.log())

    def running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        if self.running():
            self.kill()
        self._close_notes()


class Tenon:
    """tenon-dataplane and tenond, not started yet; config: further keys of tenond's file."""

    def __init__(self, folder, lab=None, document=None, config=None, dataplane_options=()):
        self.folder = str(folder)
        self.socket = os.path.join(self.folder, "tenond.sock")
        self.dataplane_socket = os.path.join(self.folder, "dataplane.sock")
        self.config_path = os.path.join(self.folder, "tenond.json")
        self.clients = []
        self.config = dict(config or {})
        enter = [] if lab is None else lab.enter[:lab.enter.index("setpriv")]
        command = [DATAPLANE, "--no-huge", "--memory", "32", "--sessions", "10000", "--socket",
                   self.dataplane_socket, "--state", os.path.join(self.folder, "dataplane")]
        if document is not None:
            path = os.path.join(self.folder, "site.json")
            with open(path, "w") as f:
                json.dump(document, f)
            command += ["--load", path]
        self.dataplane = Daemon("dataplane", command + list(dataplane_options), self.folder, enter)
        self.tenond = Daemon("tenond", [
            TENOND, "--config", self.config_path, "--socket", self.socket, "--dataplane",
            self.dataplane_socket, "--state", os.path.join(self.folder, "tenond")],
            self.folder, enter)
        self.write_config()

    def write_config(self, **keys):
        """The configuration file with these keys set, for the next start or reload."""
        self.config.update(keys)
        with open(self.config_path, "w") as f:
            json.dump(self.config, f)

    def start(self):
        self.dataplane.start()
        self.tenond.start()
        return self

    def client(self, headers=None):
        """On the Unix socket: an admin's, as who runs the tests owns the daemon."""
        client = Client(UnixConnection(self.socket), headers)
        self.clients.append(client)
        return client

    def log(self):
        return self.dataplane.log() + self.tenond.log()

    def close(self):
        for client in self.clients:
            client.close()
        for daemon in (self.tenond, self.dataplane):
            daemon.close()


@pytest.fixture
def tenon(tmp_path):
    made = Tenon(tmp_path)
    yield made
    made.close()
