# SPDX-License-Identifier: BSD-3-Clause
"""tenond as a process: command line, configuration, reload, signals, one instance a folder."""
import hashlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest

from tenon import TENOND, Client, tenon  # noqa: F401

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECRET = "correct horse battery staple"


def run(*arguments):
    return subprocess.run([TENOND] + [str(a) for a in arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)


def token(name="t", secret=SECRET, role="viewer", **keys):
    return dict(keys, name=name, role=role, sha256=hashlib.sha256(secret.encode()).hexdigest())


def bearer(secret=SECRET):
    return {"Authorization": "Bearer " + secret}


def free_port():
    """One that nobody has now; the next to ask for any gets another."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- command line and file ---

def test_help_and_version():
    assert "--config FILE" in run("--help").stdout
    assert run("--version").stdout.startswith("tenond ")


@pytest.mark.parametrize("arguments, words", [
    (["--nonsense"], "--help"),
    (["word"], "'word'"),
    (["--listen", "0.0.0.0:8181"], "loopback"),
    (["--listen", "8181"], "127.0.0.1:8181"),
    (["--socket", "x" * 108], "107"),
    (["--config", "/no/such/file"], "/no/such/file"),
])
def test_bad_command_lines(arguments, words):
    done = run(*arguments, "--check")
    assert done.returncode == 2 and words in done.stderr, done


def test_the_example_is_good():
    done = run("--config", TOP + "/configs/tenond.json", "--check")
    assert done.returncode == 0 and "good" in done.stdout, done


def test_all_errors_at_once(tmp_path):
    path = tmp_path / "tenond.json"
    path.write_text('{"sockett": {},\n "listen": [{"address": "0.0.0.0", "port": 80}],\n'
                    ' "limits": {"connections": 0}}\n')
    done = run("--config", path, "--check")
    lines = done.stderr.strip().split("\n")
    assert done.returncode == 2 and len(lines) == 3, done
    assert lines[0].startswith("%s:1:13: /sockett: " % path) and '"socket"' in lines[0]
    assert lines[1].startswith("%s:2:" % path) and "not loopback" in lines[1]
    assert lines[2].startswith("%s:3:" % path) and "/limits/connections" in lines[2]


def test_check_looks_at_certificates(tmp_path):
    path = tmp_path / "tenond.json"
    path.write_text(json.dumps({"listen": [{
        "address": "::", "port": 8443, "certificate": str(tmp_path / "none.pem"),
        "key": str(tmp_path / "none.key")}]}))
    done = run("--config", path, "--check")
    assert done.returncode == 2 and "none.pem" in done.stderr, done


# --- life ---

def test_starts_and_stops(tenon):
    tenon.start()
    mode = os.stat(tenon.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    assert tenon.client().get("/v1/health").status == 200
    tenon.tenond.stop()
    assert not os.path.exists(tenon.socket)
    assert tenon.dataplane.running()
    tenon.tenond.start()
    assert tenon.client().get("/v1/health").status == 200


def test_one_instance_a_folder(tenon):
    tenon.start()
    second = run("--state", tenon.folder + "/tenond", "--socket", tenon.folder + "/other.sock")
    assert second.returncode == 3 and str(tenon.tenond.process.pid) in second.stderr, second
    assert tenon.client().get("/v1/health").status == 200


def test_a_killed_one_leaves_nothing_in_the_way(tenon):
    tenon.start()
    tenon.tenond.kill()
    assert os.path.exists(tenon.socket)
    tenon.tenond.start()
    assert tenon.client().get("/v1/health").status == 200


def test_starts_without_a_data_plane(tenon):
    tenon.tenond.start()
    assert tenon.client().get("/v1/health").json["connected"] is False


def test_answers_come_when_they_are_there(tenon):
    """Not with the next tick of a clock, which is a second away: these would take a minute."""
    tenon.start()
    client = tenon.client()
    began = time.monotonic()
    for i in range(60):
        client.post("/v1/hosts", {"mac": "02:00:00:00:00:%02x" % i, "vlan": "None",
                                  "ipAddresses": [], "locations": [{"port": "1"}]})
    assert time.monotonic() - began < 30


def test_keeps_few_privileges(tenon):
    if os.geteuid():
        pytest.skip("needs root to have any")
    tenon.start()
    with open("/proc/%d/status" % tenon.tenond.process.pid) as f:
        status = dict(line.split(":\t", 1) for line in f.read().split("\n") if ":\t" in line)
    assert int(status["CapEff"], 16) & ~(1 << 12) == 0  # CAP_NET_ADMIN
    assert int(status["NoNewPrivs"]) == 1


# --- reload ---

def test_reload_takes_tokens_on(tenon):
    port = free_port()
    tenon.write_config(listen=[{"address": "127.0.0.1", "port": port}], tokens=[token()])
    tenon.start()
    tcp = Client(http.client.HTTPConnection("127.0.0.1", port, timeout=30))
    assert tcp.get("/v1/flows", headers=bearer()).status == 200
    assert tcp.get("/v1/flows", headers=bearer("something else!!")).status == 401
    kept = tcp.connection.sock
    tenon.write_config(tokens=[token(secret="another long secret")])
    tenon.tenond.reload()
    # The same connection, other rights.
    assert tcp.get("/v1/flows", headers=bearer()).status == 401
    assert tcp.get("/v1/flows", headers=bearer("another long secret")).status == 200
    assert tcp.connection.sock is kept
    tcp.close()


def test_reload_refuses_what_is_wrong(tenon):
    tenon.start()
    client = tenon.client()
    tenon.write_config(tokens=[{"name": "x"}])
    tenon.tenond.reload()
    assert '/tokens/0: a token needs "role"' in tenon.tenond.log()
    assert "as it was" in tenon.tenond.log()
    assert client.get("/v1/health").status == 200


def test_reload_says_what_it_leaves(tenon):
    tenon.start()
    tenon.write_config(dataplane={"whenAway": "refuse"}, underlay={"mirror": False})
    tenon.tenond.reload()
    log = tenon.tenond.log()
    assert '"dataplane/whenAway" is taken on at a restart' in log
    assert '"underlay/mirror" is taken on at a restart' in log
    tenon.tenond.signal(signal.SIGTERM)
    assert tenon.tenond.wait() == 0
