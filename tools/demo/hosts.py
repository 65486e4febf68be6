# SPDX-License-Identifier: BSD-3-Clause
"""Two hosts that run Tenon, one that runs the Linux kernel's VXLAN, and two tenants on them.

          hv1 --------+-------- underlay --------+-------- hv2
       198.51.100.1   |         (a bridge)       |   198.51.100.2
     vm, container,   |                          |   vm, container,
     bare metal       +-- far 198.51.100.9 ------+   bare metal
     of each tenant       kernel VXLAN, one VTEP     of each tenant
                          a tenant

Both tenants have the same addresses: a front network 10.0.0.0/24, fd00:0::/64 and a back network
10.0.1.0/24, fd00:0:0:1::/64 with the bare-metal servers, and a router between them.
"""
import json
import os
import subprocess
import time

from endpoint import Machine, Namespace
from lab import Lab

HOSTS = {"hv1": "198.51.100.1", "hv2": "198.51.100.2"}
FAR = "198.51.100.9"
GATEWAY_MAC = "02:00:5e:00:01:01"  # of all gateways of all networks
TENANTS = ["red", "blue"]
VNIS = {("red", "front"): 1001, ("red", "back"): 1002, ("blue", "front"): 2001, ("blue", "back"): 2002}
SUBNETS = {"front": ("10.0.0.%d", "fd00::%x", 0), "back": ("10.0.1.%d", "fd00:0:0:1::%x", 1)}
# (kind, host, network, last byte of its addresses)
PLACES = [("vm", "hv1", "front", 11), ("container", "hv1", "front", 12),
          ("baremetal", "hv1", "back", 13), ("vm", "hv2", "front", 21),
          ("container", "hv2", "front", 22), ("baremetal", "hv2", "back", 23),
          ("remote", "far", "front", 90)]
# Of containers: packets go by the switch's process, or known ones by the kernel.
DATAPATHS = {"hv1": "afxdp", "hv2": "ebpf"}
GUEST_MEMORY = 128
PATIENCE = 30


def network_of(tenant, net):
    return "%s-%s" % (tenant, net)


def port_of(tenant, kind, host, net, last, folder):
    """Of the tenant document; the names are Neutron's."""
    name = "%s-%s-%s" % (tenant, kind, host) if kind != "remote" else tenant + "-far"
    binding = {"kind": kind, "host": host}
    if kind == "vm":
        binding["vhost_socket"] = "%s/%s.sock" % (folder, name)
    elif kind == "container":
        binding["device"] = "c-" + tenant
        binding["datapath"] = DATAPATHS[host]
    elif kind == "baremetal":
        binding["device"] = "nic-" + tenant
    else:
        binding = {"kind": "remote", "vtep": FAR}
    v4, v6, _ = SUBNETS[net]
    return {"id": name, "name": name, "tenant_id": tenant, "network_id": network_of(tenant, net),
            "mac_address": "02:00:00:%02x:%02x:%02x" % (
                TENANTS.index(tenant) + 1, SUBNETS[net][2], last),
            "fixed_ips": [{"ip_address": v4 % last}, {"ip_address": v6 % last}],
            "binding": binding}


def tenant_document(folder, places=PLACES):
    doc = {"hosts": [{"id": h, "vtep_addresses": [a]} for h, a in HOSTS.items()],
           "networks": [], "subnets": [], "routers": [], "ports": []}
    for tenant in TENANTS:
        for net, (v4, v6, _) in SUBNETS.items():
            own = network_of(tenant, net)
            doc["networks"].append({"id": own, "name": own, "tenant_id": tenant,
                                    "vni": VNIS[tenant, net]})
            doc["subnets"] += [
                {"id": own + "-v4", "tenant_id": tenant, "network_id": own,
                 "cidr": v4 % 0 + "/24", "gateway_ip": v4 % 1, "enable_dhcp": True},
                {"id": own + "-v6", "tenant_id": tenant, "network_id": own,
                 "cidr": v6 % 0 + "/64", "gateway_ip": v6 % 1, "enable_dhcp": False}]
        doc["routers"].append({"id": tenant + "-router", "tenant_id": tenant, "interfaces": [
            {"subnet_id": "%s-%s" % (network_of(tenant, net), family)}
            for net in SUBNETS for family in ("v4", "v6")]})
        doc["ports"] += [port_of(tenant, *place, folder) for place in places]
    return doc


class Host:
    """A namespace with tenon-dataplane and tenond."""

    OPTIONS = ["--no-huge", "--memory", "64"]

    def __init__(self, site, name, address):
        self.site, self.name, self.address = site, name, address
        self.folder = os.path.join(site.lab.folder, name)
        self.socket = self.folder + "/tenond.sock"
        self.dataplane = self.folder + "/dataplane.sock"
        self.processes = []
        os.makedirs(self.folder)
        with open(self.folder + "/tenond.json", "w") as f:
            json.dump({"host": name}, f)
        with open(self.folder + "/dataplane.json", "w") as f:
            json.dump({"ports": [], "flows": []}, f)

    def inside(self):
        # Not ip netns exec: that one would hide the kernel's BPF file system.
        enter = self.site.lab.enter
        return enter[:enter.index("setpriv")] + [
            "nsenter", "--net=/run/netns/" + self.name, "setpriv", "--pdeathsig", "KILL"]

    def spawn(self, program, *arguments):
        with open("%s/%s.log" % (self.folder, program), "a") as log:
            self.processes.append(subprocess.Popen(
                self.inside() + [self.site.program(program)] + list(arguments),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def start(self):
        self.start_dataplane()
        self.spawn("tenond", "--config", self.folder + "/tenond.json", "--socket", self.socket,
                   "--dataplane", self.dataplane, "--state", self.folder + "/tenond")
        self.wait("tenond", self.socket)

    def start_dataplane(self):
        self.spawn("tenon-dataplane", "--socket", self.dataplane, "--state",
                   self.folder + "/dataplane", "--sessions", "65536", "--max-frame", "9216",
                   *self.OPTIONS)
        self.wait("tenon-dataplane", self.dataplane)

    def log(self, program):
        with open("%s/%s.log" % (self.folder, program), errors="replace") as f:
            return f.read()

    def wait(self, program, path):
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(path):
            assert time.monotonic() < deadline and self.processes[-1].poll() is None, \
                "%s on %s does not serve:\n%s" % (program, self.name, self.log(program))
            time.sleep(0.05)

    def ctl(self, *words, check=True):
        """tenonctl; its output."""
        done = subprocess.run([self.site.program("tenonctl"), "--socket", self.socket] + list(words),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        assert not check or done.returncode == 0, "tenonctl %s on %s: status %d\n%s" % (
            " ".join(words), self.name, done.returncode, done.stdout)
        return done.stdout

    def make_uplink(self):
        """The host's address is on the TAP that stands for the uplink in its kernel."""
        lab = self.site.lab
        self.ctl("port", "add", json.dumps(
            {"number": 1, "name": "up0", "type": "veth", "options": {
                "interface": "up0", "shadow": "uplink"}}))
        deadline = time.monotonic() + PATIENCE
        while "uplink" not in lab.run(self.name, "ip", "link"):
            assert time.monotonic() < deadline, self.log("tenon-dataplane")
            time.sleep(0.05)
        lab.addresses(self.name, "uplink", self.address + "/24")

    def make_nic(self, device, number):
        self.ctl("port", "add", json.dumps(
            {"number": number, "name": device, "type": "veth", "options": {"interface": device}}))


class Site:
    """All of it. programs: where the programs were built; say: told what happens; mtu: of what
    tenants' machines are attached by."""

    def __init__(self, folder, programs, say=lambda text: None, underlay_mtu=1600, mtu=1500,
                 places=PLACES):
        self.programs, self.say, self.underlay_mtu, self.mtu = programs, say, underlay_mtu, mtu
        self.lab = Lab(folder)
        self.hosts = {}
        self.endpoints = []
        self.document = tenant_document(folder, places)

    def program(self, name):
        return self.programs[name]

    def close(self):
        for e in self.endpoints:
            if isinstance(e, Machine):
                e.guest.close()
        self.lab.close()
        for host in self.hosts.values():
            for process in host.processes:
                process.wait()

    def build(self):
        self.make_underlay()
        self.make_endpoints()
        for host in self.hosts.values():
            self.say("%s: tenon-dataplane and tenond" % host.name)
            host.start()
            host.make_uplink()
            for i, tenant in enumerate(TENANTS):
                host.make_nic("nic-" + tenant, 2 + i)
        self.apply(self.document)
        self.prepare_endpoints()

    def apply(self, document):
        """The same declaration on every host: each does its part."""
        path = self.lab.folder + "/tenants.json"
        with open(path, "w") as f:
            json.dump(document, f, indent=2)
        for host in self.hosts.values():
            self.say("tenonctl apply tenants.json (%s)" % host.name)
            host.ctl("apply", path)

    def make_underlay(self):
        lab = self.lab
        mtu = str(self.underlay_mtu)
        lab.ip(None, "link add br0 mtu %s type bridge\nlink set br0 up" % mtu)
        for name in list(HOSTS) + ["far"]:
            lab.host(name)
            lab.wire("to-" + name, name, "up0", self.underlay_mtu)
            lab.ip(None, "link set to-%s master br0" % name)
            lab.ip(name, "link set up0 up")
        lab.addresses("far", "up0", FAR + "/24")
        for name, address in HOSTS.items():
            self.hosts[name] = self.make_host(name, address)

    def make_host(self, name, address):
        return Host(self, name, address)

    def make_endpoints(self):
        for port in self.document["ports"]:
            self.endpoints.append(self.make_endpoint(port))

    def make_endpoint(self, port):
        lab, name, binding = self.lab, port["name"], port["binding"]
        kind, tenant = binding["kind"], port["tenant_id"]
        where = binding.get("host", "far")
        rest = (name, tenant, kind, where, port)
        if kind == "vm":
            return Machine(lab, binding["vhost_socket"], GUEST_MEMORY, *rest)
        lab.host(name)
        if kind == "remote":
            self.make_far_vtep(name, tenant, port)
        else:
            lab.wire(binding["device"], name, "eth0", self.mtu, on=where)
            lab.ip(name, "link set eth0 address %s\nlink set eth0 up" % port["mac_address"])
        return Namespace(lab, name, *rest)

    def make_far_vtep(self, name, tenant, port):
        """The kernel's VXLAN device, moved to where the tenant is; its sockets stay on far. Hosts
        forward from no tunnel into another (split horizon): it is told of other foreign endpoints
        of its network, as of hosts, and sends to them itself."""
        lab = self.lab
        others = [o for o in self.document["ports"] if o is not port and
                  o["network_id"] == port["network_id"]]
        endpoints = {o["name"]: o["binding"].get("vtep") or HOSTS[o["binding"]["host"]]
                     for o in others}
        lab.ip("far", "link add vx-%s type vxlan id %d local %s dstport 4789 nolearning"
               % (tenant, VNIS[tenant, "front"], FAR))
        for address in sorted(set(endpoints.values()) | set(HOSTS.values())):
            lab.run("far", "bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx-" + tenant,
                    "dst", address)
        for other in others:
            lab.run("far", "bridge", "fdb", "append", other["mac_address"], "dev",
                    "vx-" + tenant, "dst", endpoints[other["name"]])
        # Any host routes: one that does not learn is told of one, or each would route its copy.
        lab.run("far", "bridge", "fdb", "append", GATEWAY_MAC, "dev", "vx-" + tenant, "dst",
                min(HOSTS.values()))
        lab.ip("far", "link set vx-%s address %s\nlink set vx-%s netns %s name eth0"
               % (tenant, port["mac_address"], tenant, name))
        lab.ip(name, "link set eth0 mtu %d up" % (self.underlay_mtu - 50))

    def prepare_endpoints(self):
        """Virtual machines and servers ask for their addresses, the others are given them."""
        for e in self.endpoints:
            if isinstance(e, Machine):
                self.say("%s: booting" % e.name)
                e.boot()
        for e in self.endpoints:
            v4, v6 = e.addresses
            gate4, gate6 = self.gateways(e)
            if e.kind in ("vm", "baremetal"):
                e.dhcp()
            else:
                e.run("ip addr add %s/24 dev eth0; ip route add default via %s" % (v4, gate4))
            e.run("ip -6 addr add %s/64 dev eth0; ip -6 route add default via %s"
                  % (v6, gate6))
            e.serve()

    def gateways(self, e):
        net = e.port["network_id"].split("-")[1]
        return SUBNETS[net][0] % 1, SUBNETS[net][1] % 1
