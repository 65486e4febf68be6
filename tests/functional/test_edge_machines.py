# SPDX-License-Identifier: BSD-3-Clause
"""Virtual machines beside containers on eBPF ports and bare metal, on one host and one network: on hv1
nothing polls and the uplink is the kernel's, hv2 has a worker and an uplink of its own."""
import json
import os
import re
import signal

import pytest

from test_tenant_traffic import PROGRAMS, ping_all, serve, until  # first: it tells where the demonstration is
import guest
import hosts
import matrix
from edge_hosts import EdgeHost, all_by_ebpf
from endpoint import Machine
from netlab import PYTHON
from process import Process, child_named
from test_kernel_datapath import Pump

MB = 2
MTU = 1450
PATIENCE = 60
FEW = 10  # ARP, neighbour discovery and what else there is beside what is counted
# A page of lines that come one by one, ten a second.
LINES = 50
SPEAK = """
import socket, sys, time
s = socket.create_server((sys.argv[1], 8080))
print("ready", flush=True)
s = s.accept()[0]
s.recv(4096)
print("asked", flush=True)
s.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
for i in range(int(sys.argv[2])):
    s.sendall(b"%d\\n" % i)
    time.sleep(0.1)
"""


class Mixed(hosts.Site):
    HOSTS = {"hv1": EdgeHost, "hv2": hosts.Host}
    KILLED = ["hv1"]
    # Whom red-container-hv1 talks to by the kernel alone, of all hosts on the way.
    KERNELS = ["red-far"]

    def __init__(self, folder, **kwargs):
        super().__init__(folder, PROGRAMS, mtu=MTU, **kwargs)
        self.lab.run(None, "mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
        all_by_ebpf(self.document)

    def make_host(self, name, address):
        return self.HOSTS[name](self, name, address)

    def endpoint(self, name):
        return next(e for e in self.endpoints if e.name == name)

    def dataplane(self, host):
        return Process(child_named(self.hosts[host].processes[0].pid, "tenon-dataplane"))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    yield from serve(Mixed, tmp_path_factory, programs=(), missing=guest.why_not())


def count_frames(town, host):
    """Of each interface of a host, there and back; "workers": of the uplink, what workers had of it."""
    links = json.loads(town.lab.run(host, "ip", "-s", "-j", "link"))
    found = {link["ifname"]: sum(link["stats64"][way]["packets"] for way in ("rx", "tx"))
             for link in links}
    said = json.loads(town.hosts[host].ctl("--json", "stats", "ports"))
    port = next(p for p in said["statistics"][0]["ports"] if p["port"] == 1)
    return dict(found, workers=port["packetsReceived"] + port["packetsSent"])


def goes_on(town, pump, hosts_on_the_way):
    """And the kernels of these hosts do all of it."""
    def by_kernels():
        before = {host: count_frames(town, host) for host in hosts_on_the_way}
        pump.goes_on()
        return all(n - before[host].get(name, 0) < FEW for host in hosts_on_the_way
                   for name, n in count_frames(town, host).items()
                   if re.fullmatch(r"workers|tnt?\d+", name))
    until(by_kernels)


def assert_all_reach(town):
    found = matrix.measure(town.endpoints)
    assert matrix.is_right(town.endpoints, found), "\n" + matrix.table(town.endpoints, found)


def test_who_reaches_whom(town):
    """Every pair of a tenant by IPv4 and IPv6, ping and HTTP; nothing crosses tenants."""
    assert_all_reach(town)


def test_as_large_as_fit_and_larger(town):
    """One packet of the network's MTU, and one of three fragments."""
    for e in town.endpoints:
        e.run("ip link set eth0 mtu %d" % MTU)
    assert not ping_all(town, {4: MTU - 28, 6: MTU - 48})
    assert not ping_all(town, {4: 4000, 6: 4000})


def test_streams_of_all_pairs(town):
    """Each fetches what each other of its tenant has, by IPv4 and IPv6 in turn."""
    sums = {}
    for e in town.endpoints:
        e.run("dd if=/dev/urandom of=%s/blob bs=1M count=%d 2>/dev/null" % (e.folder, MB))
        sums[e.name] = e.run("sha256sum <%s/blob" % e.folder).split()[0]
    for i, e in enumerate(town.endpoints):
        for j, o in enumerate(town.endpoints):
            if o is e or o.tenant != e.tenant:
                continue
            address = o.addresses[(i + j) % 2]
            said = e.run("wget -q -O - http://%s/blob | sha256sum" % (
                "[%s]" % address if ":" in address else address), limit=PATIENCE)
            assert said.split()[0] == sums[o.name], (e.name, o.name, address)


def test_a_machine_is_told_by_dhcp(town):
    e = town.endpoint("red-vm-hv1")
    said = e.run("ip addr flush dev eth0 scope global; udhcpc -q -n -f -t 10 -T 3 -i eth0 -s %s 2>&1;"
                 "ip -4 addr show eth0; ip route" % e.dhcp_script)
    assert "lease of %s obtained from 10.0.0.1" % e.addresses[0] in said, said
    assert "default via 10.0.0.1" in said, said
    e.run("ip -6 addr add %s/64 dev eth0; ip -6 route replace default via fd00::1" % e.addresses[1])


def test_it_sleeps_with_machines(town):
    """Machines that say nothing cost nothing where nothing polls."""
    town.dataplane("hv1").await_idle()


def restart(town, name):
    host = town.hosts[name]
    os.unlink(host.dataplane)  # what says that it serves
    host.start_dataplane()
    host.processes.insert(0, host.processes.pop())


def test_killed_and_back(town):
    """Containers talk on while no data plane is there; the machines live on with their connections, and
    reach and are reached by all when it is there again."""
    container, machine = town.endpoint("red-container-hv1"), town.endpoint("red-vm-hv1")
    far = town.endpoint("red-far")
    pumps = [Pump(town.lab, o.netns, container.netns, o.addresses[0])
             for o in map(town.endpoint, town.KERNELS)]
    speaks = town.lab.start(far.netns, PYTHON, "-c", SPEAK, far.addresses[0], LINES)
    assert speaks.stdout.readline() == "ready\n", speaks.stdout.read()
    machine.begin("wget -q -O - http://%s:8080/" % far.addresses[0])
    assert speaks.stdout.readline() == "asked\n"
    for pump in pumps:
        goes_on(town, pump, town.KILLED)
    for name in town.KILLED:
        os.kill(town.dataplane(name).pid, signal.SIGKILL)
        town.hosts[name].processes.pop(0).wait()
    for pump in pumps:
        pump.goes_on()
    for name in town.KILLED:
        restart(town, name)
    assert machine.end().split() == [str(i) for i in range(LINES)]
    speaks.communicate(timeout=PATIENCE)
    assert_all_reach(town)
    for pump in pumps:
        pump.goes_on()
        pump.close()
    assert all(m.guest.process.poll() is None for m in town.endpoints if isinstance(m, Machine))
    town.dataplane("hv1").await_idle()
