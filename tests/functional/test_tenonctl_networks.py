# SPDX-License-Identifier: BSD-3-Clause
"""tenonctl network, subnet, vport, router, host and apply."""
import json
import subprocess

import pytest

from northbound import start
from test_tenonctl_parse import OK, TENONCTL, USAGE


@pytest.fixture
def ctl(tmp_path):
    site = start(tmp_path, host="h1")

    def run(*words, want=OK):
        done = subprocess.run([TENONCTL, "--socket", site.socket, *words], capture_output=True,
                              text=True, timeout=30)
        assert done.returncode == want, done
        return done.stdout + done.stderr
    yield run
    site.close()


def test_a_network_by_commands(ctl):
    ctl("host", "create", "h1", 'vtep_addresses=["192.0.2.1"]')
    ctl("network", "create", "web", "tenant_id=red", "vni=700")
    ctl("subnet", "create", "web4", "network_id=web", "cidr=10.0.0.0/24")
    ctl("vport", "create", "vm1", "network_id=web", "binding.kind=vm", "binding.host=h1",
        "binding.vhost_socket=/tmp/never-vm1.sock")
    ctl("router", "create", "r1", "tenant_id=red", 'interfaces=[{"subnet_id":"web4"}]')
    table = ctl("vport", "list").split("\n")
    assert table[0].split() == ["ID", "NETWORK", "MAC", "ADDRESSES", "KIND", "HOST", "STATUS"]
    assert table[1].split()[0] == "vm1" and "10.0.0.2" in table[1] and "h1" in table[1]
    assert "700" in ctl("network", "list") and "10.0.0.1" in ctl("router", "list")
    ctl("network", "set", "web", "name=Web", "vni=701")
    assert json.loads(ctl("network", "show", "web"))["vni"] == 701
    told = ctl("network", "del", "web", want=1)
    assert 'in use by subnet "web4", port "vm1"' in told
    assert json.loads(ctl("vport", "del", "vm1", "--dry-run"))["total"] > 10
    ctl("vport", "del", "vm1")
    assert "vm1" not in ctl("vport", "list")
    ctl("network", "create", "x", "novalue", want=USAGE)


def test_apply(ctl, tmp_path):
    path = tmp_path / "town.json"
    town = {"hosts": [{"id": "h1", "vtep_addresses": ["192.0.2.1"]}],
            "networks": [{"id": "n"}],
            "subnets": [{"id": "s", "network_id": "n", "cidr": "10.0.0.0/24"}],
            "ports": [{"id": "a", "network_id": "n"}]}
    path.write_text(json.dumps(town))
    for _ in range(2):
        ctl("apply", str(path))
        assert "10.0.0.2" in ctl("vport", "list")
    town["ports"] += [{"id": "b", "network_id": "m"}, {"id": "c", "network_id": "n",
                                                      "fixed_ips": [{"ip_address": "10.0.0.2"}]}]
    path.write_text(json.dumps(town))
    told = ctl("apply", str(path), want=1)
    assert 'no network "m"' in told and 'an address of port "a"' in told
    path.write_text('{"nets": []}')
    assert '"nets"' in ctl("apply", str(path), want=USAGE)
