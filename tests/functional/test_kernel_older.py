# SPDX-License-Identifier: BSD-3-Clause
"""Kernel ports on other kernels, under QEMU: Linux before 6.6, which has no tcx, and 6.12, of Debian 12's
packages. User space is a busybox, ip(8), tenon-dataplane and their libraries. Two containers there, and
one on another host by VXLAN. TN_GUEST_KERNEL=BZIMAGE takes a kernel of yours, with all of MODULES built in."""
import glob
import json
import os
import re
import shutil
import subprocess

import pytest

from netlab import DATAPLANE, Lab, why_not  # first: it tells where guest is
import guest
from replaying import config, flow, from_port, output
from tenon import BUILD

UNITS = ["test_ebpf", "test_same_as_switch", "test_share"]
# What their kernels are.
IMAGES = {guest.IMAGE: r"6\.1\.", "linux-image-6.12-cloud-amd64": r"6\.12\."}
# In the order of their loading.
MODULES = ["drivers/net/veth", "drivers/net/tun", "net/sched/sch_ingress", "net/sched/cls_bpf",
           "net/ipv4/udp_tunnel", "net/ipv6/ip6_udp_tunnel", "drivers/net/vxlan/vxlan"]
MEMORY = 512
MB = 8
VNI, HERE, FAR = 100, "198.51.100.2", "198.51.100.1"
VNI6, HERE6, FAR6 = 101, "2001:db8::2", "2001:db8::1"
# name of its host: (address, interface of the switch's host)
CONTAINERS = {"c1": ("10.0.0.1", "veth1"), "c2": ("10.0.0.2", "veth2")}
# What c1 reaches: here, and there by IPv4 and IPv6; where its packets would come up.
WAYS = {"10.0.0.2": "tn1", "10.0.0.10": "tnt50", "10.0.1.11": "tnt50"}
SECONDS = 120


def libraries(programs):
    said = subprocess.run(["ldd"] + programs, check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted(set(re.findall(r"(/\S+) \(0x", said)))


def site():
    ports = [{"number": i, "name": "veth%d" % i, "type": "veth", "options": {"datapath": "ebpf"}}
             for i in (1, 2)]
    ports += [{"number": 50, "name": "underlay", "type": "kernel-underlay",
               "options": {"address": HERE, "address6": HERE6, "uplink": "up0", "guard": True}},
              {"number": 10, "name": "vtep", "type": "vxlan",
               "options": {"local": HERE, "remote": FAR, "vni": VNI}},
              {"number": 11, "name": "vtep6", "type": "vxlan",
               "options": {"local": HERE6, "remote": FAR6, "vni": VNI6}}]
    to = [flow(2, [{"type": "ETH_DST", "mac": mac(n)}], [output(n)]) for n in (1, 2, 10, 11)]
    return config(ports, to + [flow(1, [from_port(n)], [output(o) for o in (1, 2, 10, 11) if o != n])
                               for n in (1, 2, 10, 11)])


def mac(n):
    return "02:00:00:00:00:%02x" % n


def add_files(lab, image):
    """Onto the machine's first file system: archives of it may follow one another. Its modules."""
    _, modules = guest.unpack(image)
    guest.make_initramfs(lab.folder + "/initramfs", modules)
    programs = [DATAPLANE, shutil.which("ip")] + [os.path.join(BUILD, "tests/unit/ebpf", u) for u in UNITS]
    root = lab.folder + "/more"
    # DPDK looks for what its buffers are kept in by itself.
    for path in libraries(programs) + glob.glob("/usr/lib/*/dpdk/pmds-*/librte_mempool_ring.so*"):
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        shutil.copy(path, root + path)
    for path in programs:
        shutil.copy(path, root)
    added = guest.add_modules(root + "/lib", modules, MODULES)
    with open(root + "/site.json", "w") as f:
        json.dump(site(), f)
    names = guest.run("find", ".", "-print0", cwd=root).stdout
    with open(lab.folder + "/initramfs", "ab") as f:
        subprocess.run(["cpio", "--null", "-o", "--quiet", "-H", "newc"], input=names, stdout=f,
                       cwd=root, check=True)
    return added


class Host:
    """The machine as a host of its own."""

    def __init__(self, lab, image):
        modules = add_files(lab, image)
        self.machine = guest.Machine(lab, "older", [], MEMORY, image).booted()
        assert guest.KERNEL in os.environ or re.match(IMAGES[image], self.run("uname -r"))
        for module in modules:
            self.run("insmod /lib/%s.ko" % module)
        self.run("mount -t bpf bpf /sys/fs/bpf; mkdir -p /run /var /dev/shm; ln -s /run /var/run")

    def run(self, command, **options):
        return self.machine.run(command, limit=SECONDS, **options)

    def inside(self, name, command, **options):
        return self.run("nsenter -t $(cat /run/%s) -n %s" % (name, command), **options)

    def namespace(self, name):
        self.run("unshare -n sleep 100000 & echo $! >/run/%s" % name)
        self.run("until [ $(readlink /proc/$(cat /run/%s)/ns/net) != $(readlink /proc/1/ns/net) ];"
                 "do usleep 10000; done" % name)
        self.inside(name, "/ip link set lo up")

    def wire(self, name, device, theirs):
        self.run("/ip link add %s type veth peer name %s && /ip link set %s netns $(cat /run/%s) &&"
                 "/ip link set %s up" % (device, theirs, theirs, name, device))
        self.inside(name, "/ip link set %s up" % theirs)

    def build(self):
        for i, (name, (address, device)) in enumerate(CONTAINERS.items(), 1):
            self.namespace(name)
            self.wire(name, device, "eth0")
            self.inside(name, "/ip link set eth0 address %s mtu 1430" % mac(i))
            self.inside(name, "/ip addr add %s/24 dev eth0" % address)
        self.namespace("far")
        self.wire("far", "up0", "up1")
        for here, far in (HERE + "/24", FAR + "/24"), (HERE6 + "/64", FAR6 + "/64"):
            self.run("/ip addr add %s dev up0" % here)
            self.inside("far", "/ip addr add %s dev up1" % far)
        self.inside("c1", "/ip addr add 10.0.1.1/24 dev eth0")
        self.far_tunnel(10, "id %d local %s remote %s" % (VNI, FAR, HERE), "10.0.0.10")
        self.far_tunnel(11, "id %d udp6zerocsumrx local %s remote %s" % (VNI6, FAR6, HERE6),
                        "10.0.1.11")

    def far_tunnel(self, port, kind, address):
        device = "vx%d" % port
        self.inside("far", "/ip link add %s type vxlan dstport 4789 %s" % (device, kind))
        self.inside("far", "/ip link set %s address %s mtu 1430 up" % (device, mac(port)))
        self.inside("far", "/ip addr add %s/24 dev %s" % (address, device))

    def start(self):
        self.run("/tenon-dataplane --mode kernel --load /site.json --state /run/state --no-socket "
                 ">>/run/log 2>&1 & echo $! >/run/switch")
        self.run("( until [ -e /sys/class/net/tn1 ]; do kill -0 $(cat /run/switch) || exit 1;"
                 "usleep 10000; done )")

    def reaches(self, name, address):
        self.inside(name, "sh -c 'for i in $(seq 60); do ping -c 1 -W 1 %s >/dev/null && exit 0; done;"
                    "cat /run/log; exit 1'" % address)

    def serve(self, name):
        self.run("mkdir -p /www && dd if=/dev/urandom of=/www/blob bs=1M count=%d 2>/dev/null" % MB)
        self.inside(name, "httpd -h /www")

    def fetches(self, name, address):
        """Frames as large as they come, whole and right."""
        got = self.inside(name, "sh -c 'wget -q -O - http://%s/blob | sha256sum'" % address)
        assert got == self.run("sha256sum </www/blob"), self.log()

    def log(self):
        return self.run("cat /run/log")

    def came_up(self, device):
        return int(self.run("cat /sys/class/net/%s/statistics/tx_packets" % device))


@pytest.fixture(scope="module", params=list(IMAGES)[:1 if guest.KERNEL in os.environ else None])
def host(tmp_path_factory, request):
    missing = why_not() or guest.why_not()
    if missing:
        pytest.skip(missing)
    lab = Lab(str(tmp_path_factory.mktemp("older")))
    try:
        yield Host(lab, request.param)
    finally:
        lab.close()


@pytest.mark.parametrize("unit", UNITS)
def test_unit(host, unit):
    """The programs load, and make of packets what they make of them on this machine."""
    out = host.run("/" + unit + " 2>&1; echo status $?")
    assert "status 0" in out, out


def test_containers(host):
    """Known sessions do not come up, of this host and of another; what a process left the next one
    takes over."""
    host.build()
    host.start()
    for name in "c2", "far":
        host.serve(name)
    for address in WAYS:
        host.reaches("c1", address)
    assert "AF_XDP" not in host.log(), host.log()
    for _ in range(2):
        for address, tap in WAYS.items():
            host.reaches("c1", address)
            before = host.came_up(tap)
            out = host.inside("c1", "ping -c 30 -i 0.05 -W 2 " + address)
            assert " 30 packets received" in out, out
            assert host.came_up(tap) - before < 10
            host.fetches("c1", address)
        host.run("kill -9 $(cat /run/switch); wait $(cat /run/switch)", check=False)
        out = host.inside("c1", "ping -c 5 -i 0.05 -W 2 10.0.0.2")
        assert " 5 packets received" in out, out + host.log()
        host.start()
    host.reaches("c1", "10.0.0.2")
