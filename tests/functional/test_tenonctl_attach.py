# SPDX-License-Identifier: BSD-3-Clause
"""What vport show tells to type makes a machine of the port."""
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import time

import pytest

from netlab import lab  # noqa: F401
from northbound import Watch
from tenon import Tenon
from test_tenonctl_parse import OK, TENONCTL

NETWORK = {"hosts": [{"id": "h1", "vtep_addresses": ["192.0.2.1"]},
                     {"id": "h2", "vtep_addresses": ["192.0.2.2", "fd01::2"]}],
           "networks": [{"id": "n", "tenant_id": "red", "vni": 700}],
           "subnets": [{"id": "n4", "network_id": "n", "cidr": "10.0.0.0/24"},
                       {"id": "n6", "network_id": "n", "cidr": "fd00::/64"}],
           "routers": [{"id": "r", "tenant_id": "red",
                        "interfaces": [{"subnet_id": "n4"}, {"subnet_id": "n6"}]}]}


class Site(Tenon):
    def __init__(self, folder, lab=None):
        super().__init__(folder, lab=lab, config={"host": "h1"})
        self.start()
        with Watch(self.socket, "?kinds=dataplane&initial=false") as watch:
            if not self.client().get("/v1/health").json["connected"]:
                watch.until(event="CONNECTED")
        path = os.path.join(self.folder, "network.json")
        with open(path, "w") as f:
            json.dump(NETWORK, f)
        self.ctl("apply", path)

    def ctl(self, *words, want=OK):
        done = subprocess.run([TENONCTL, "--socket", self.socket, *words], capture_output=True,
                              text=True, timeout=30)
        assert done.returncode == want, done
        return done.stdout

    def port(self, name, *members):
        self.ctl("vport", "create", name, "network_id=n", *members)

    def typed(self, name):
        """The lines that are to be typed."""
        told = self.ctl("vport", "show", name)
        lines = re.sub(r" \\\n +", " ", told[told.index(":\n") + 2:]).split("\n")
        return [line.strip() for line in lines if line.startswith("  ")]


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def containers(lab, tmp_path):  # noqa: F811
    """c1 and c2, made by what is told of them."""
    site = Site(tmp_path, lab)
    try:
        with Watch(site.socket, "?kinds=port") as watch:
            watch.synced()
            for n in (1, 2):
                # An interface that is not there yet is none of this host: it may be told before.
                site.port("c%d" % n, "binding.kind=container", "binding.host=h2",
                          "binding.device=vc%d" % n)
                for line in site.typed("c%d" % n):
                    lab.run(None, *shlex.split(line))
                site.ctl("vport", "set", "c%d" % n, "binding.host=h1")
                while not watch.line()["object"].get("linkUp"):
                    pass
        yield site
    finally:
        site.close()


def test_containers_are_made_by_what_is_told(containers, lab):  # noqa: F811
    for name in ("c1", "c2"):
        assert json.loads(containers.ctl("--json", "vport", "show", name))["status"] == "ACTIVE"
        lab.ping(name, "10.0.0.1", count=1, wait=30)
        lab.ping(name, "fd00::1", count=1, wait=30)
    ips = json.loads(containers.ctl("--json", "vport", "show", "c2"))["fixed_ips"]
    # The switch asks c2 in the place of c1, whose own pings are answered as before.
    for address in (ip["ip_address"] for ip in ips):
        told = containers.ctl("ping", "c1", address, "--count", "2", "--interval", "30")
        assert "2 sent, 2 answered" in told and "to the port; port c2, network n" in told
        lab.ping("c1", address, count=1, wait=30)


def qmp(path, command, process):
    """What QEMU answers."""
    deadline = time.monotonic() + 60
    while not os.path.exists(path):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(path)
        lines = s.makefile("rw")
        json.loads(lines.readline())  # comes when QEMU has its devices
        for execute in ("qmp_capabilities", command):
            lines.write(json.dumps({"execute": execute}))
            lines.flush()
            answer = json.loads(lines.readline())
    return answer["return"]


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="needs qemu-system-x86_64")
@pytest.mark.parametrize("mode", ["client", "server"])
def test_qemu_takes_what_is_told(site, tmp_path, mode):
    """And it and the switch find each other."""
    path = os.path.join(site.folder, "a,vm.sock")
    site.port("vm:1", "binding.kind=vm", "binding.host=h1", "binding.vhost_mode=" + mode,
              "binding.vhost_socket=" + path)
    command = [line for line in site.typed("vm:1") if line.startswith("qemu-system")][0]
    control = str(tmp_path / "qmp")
    process = subprocess.Popen(
        shlex.split(command.replace("1024", "64")) + [
            "-accel", "tcg", "-S", "-nodefaults", "-display", "none", "-qmp",
            "unix:%s,server=on,wait=off" % control],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        chardevs = qmp(control, "query-chardev", process)
        ours, = [c for c in chardevs if c["label"] == "cn-vm_1"]
        assert "disconnected" not in ours["filename"], ours
    finally:
        process.kill()
        process.communicate()


def test_other_kinds(site):
    site.port("trunk", "binding.kind=baremetal", "binding.host=h2", "binding.device=nic0",
              "binding.vlan=7", "mac_address=02:00:00:00:00:07")
    assert "ip link add link NIC name NIC.7 type vlan id 7" in site.typed("trunk")
    assert "ip link set NIC.7 address 02:00:00:00:00:07 mtu 1450 up" in site.typed("trunk")
    site.port("access", "binding.kind=baremetal", "binding.host=h2", "binding.device=nic1")
    assert "ip route replace default via 10.0.0.1 dev NIC" in site.typed("access")
    site.port("far", "binding.kind=remote", "binding.vtep=192.0.2.9")
    assert site.typed("far") == [
        "ip link add vx700 type vxlan id 700 local 192.0.2.9 dstport 4789",
        "ip link set vx700 mtu 1450 up",
        "bridge fdb append 00:00:00:00:00:00 dev vx700 dst 192.0.2.1",
        "bridge fdb append 00:00:00:00:00:00 dev vx700 dst 192.0.2.2"]
    site.ctl("subnet", "set", "n6", "ipv6_address_mode=slaac")
    site.port("fixed", "fixed_ips=[{\"ip_address\":\"fd00::b\"}]",
              "mac_address=02:00:00:00:00:0b")
    assert re.search("^warning .* make itself fd00::ff:fe00:b, from which port security drops",
                     site.ctl("vport", "show", "fixed"), re.M)
    site.port("loose")
    assert "bound to nothing" in site.ctl("vport", "show", "loose")
    assert json.loads(site.ctl("--json", "vport", "show", "loose"))["status"] == "DOWN"
