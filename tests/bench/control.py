# SPDX-License-Identifier: BSD-3-Clause
"""tenond with its data plane, and Open vSwitch with DPDK, as tests/bench/northbound sees them."""
import contextlib
import json
import os
import subprocess
import sys
import time

import engines
from engines import Failed

sys.path.insert(0, os.path.join(engines.TOP, "tests", "functional"))
os.environ["TENON_BUILD"] = engines.BUILD
import tenon  # noqa: E402 (says where the programs are)

LOAD = os.path.join(engines.BUILD, "tests/bench/http_load")
INSTALLED = os.path.join(engines.BUILD, "tests/functional/installed")
TARGETS = [engines.DATAPLANE, "control/tenond", "tests/bench/http_load",
           "tests/functional/installed"]
DEVICE = "of:0000000000000001"
PATIENCE = 60


# --- rules, in both languages -----------------------------------------------------------------

def mac_rule(i):
    mac = "02:00:01:%02x:%02x:%02x" % (i >> 16, i >> 8 & 255, i & 255)
    text = ("table=0,priority=10,in_port=1,dl_dst=%s,actions=set_field:%d->tun_id,output:10"
            % (mac, 1000 + i % 250))
    flow = rule(0, 10, [{"type": "IN_PORT", "port": 1}, {"type": "ETH_DST", "mac": mac}],
                [{"type": "L2MODIFICATION", "subtype": "TUNNEL_ID", "tunnelId": 1000 + i % 250},
                 {"type": "OUTPUT", "port": "10"}])
    return flow, text


def access_rule(i):
    source, destination = "10.%d.%d.%d" % address(i), "10.1%02d.%d.%d" % address(i * 7)
    text = ("table=1,priority=%d,tcp,nw_src=%s,nw_dst=%s,tp_dst=%d,actions=goto_table:2"
            % (100 + i % 50, source, destination, i % 65536))
    flow = rule(1, 100 + i % 50, [{"type": "ETH_TYPE", "ethType": "0x800"},
                                  {"type": "IP_PROTO", "protocol": 6},
                                  {"type": "IPV4_SRC", "ip": source + "/32"},
                                  {"type": "IPV4_DST", "ip": destination + "/32"},
                                  {"type": "TCP_DST", "tcpPort": i % 65536}],
                [{"type": "TABLE", "tableId": 2}])
    return flow, text


def route_rule(i):
    network = "11.%d.%d.0/24" % (i >> 8 & 255, i & 255) if i < 65536 else \
        "12.%d.%d.0/24" % (i >> 8 & 255, i & 255)
    mac = "02:00:02:00:00:%02x" % (i % 64)
    text = ("table=2,priority=24,ip,nw_dst=%s,actions=dec_ttl,set_field:%s->eth_dst,output:10"
            % (network, mac))
    flow = rule(2, 24, [{"type": "ETH_TYPE", "ethType": "0x800"}, {"type": "IPV4_DST", "ip": network}],
                [{"type": "L3MODIFICATION", "subtype": "DEC_TTL"},
                 {"type": "L2MODIFICATION", "subtype": "ETH_DST", "mac": mac},
                 {"type": "OUTPUT", "port": "10"}])
    return flow, text


def address(i):
    return i >> 16 & 63, i >> 8 & 255, i & 255


def rule(table, priority, criteria, instructions):
    return {"tableId": table, "priority": priority, "isPermanent": True,
            "selector": {"criteria": criteria}, "treatment": {"instructions": instructions}}


def rules(first, n):
    """(JSON, ovs-ofctl text) of each: half by MAC, a quarter of access, a quarter of routes."""
    kinds = [mac_rule, access_rule, mac_rule, route_rule]
    return [kinds[i % 4](i) for i in range(first, first + n)]


def compact(document):
    return json.dumps(document, separators=(",", ":"))


# --- Tenon --------------------------------------------------------------------------------------

class Tenon(tenon.Tenon):
    """Fresh, with nothing in it, unless the document says otherwise."""

    def __init__(self, folder, document=None, options=()):
        os.makedirs(folder)
        super().__init__(folder, document=document, dataplane_options=list(options))

    def __enter__(self):
        try:
            self.start()
            self.await_step()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def await_step(self):
        client, end = self.client(), time.monotonic() + PATIENCE
        while True:
            status = client.get("/v1/status").json
            if status["connected"] and not status["pending"]:
                client.close()
                return status
            if time.monotonic() > end:
                raise Failed("tenond is not in step: %s\n%s" % (status, self.log()[-2000:]))
            time.sleep(0.002)

    def load(self, method, path, bodies=None, *arguments):
        """bodies: path of a file with a line a request. The line of http_load."""
        command = [LOAD, self.socket, method, path]
        if bodies:
            command += ["--bodies", bodies]
        return json.loads(engines.run(command + [str(a) for a in arguments], PATIENCE * 4))

    def transaction(self, path):
        return self.load("POST", "/v1/transactions", path)

    def flows(self):
        return self.client().get("/v1/status").json["objects"]["flows"]

    def memory(self):
        """Bytes of tenond that are its own."""
        with open("/proc/%d/smaps_rollup" % self.tenond.process.pid, encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line and "kB" in line)
        return sum(int(lines[k].split()[0]) for k in ("Private_Clean", "Private_Dirty")) * 1024

    def installed(self):
        """What the data plane has: id -> when it was made."""
        text = engines.run([INSTALLED, self.dataplane_socket], PATIENCE, "\n")
        return {f["id"]: f["createdNs"] for f in json.loads(text)["flows"]}


# --- Open vSwitch -------------------------------------------------------------------------------

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"


class OpenVSwitch:
    """With DPDK and one bridge, in a folder and a network namespace of its own."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.environment = dict(os.environ, OVS_RUNDIR=folder, OVS_LOGDIR=folder, OVS_DBDIR=folder)
        self.processes = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *command):
        return engines.run(["nsenter", "--net=" + self.path("net")] + list(command), PATIENCE,
                           env=self.environment)

    def vsctl(self, *arguments):
        return self.run("ovs-vsctl", "--db=unix:" + self.path("db.sock"), *arguments)

    def ofctl(self, *arguments):
        """Seconds that it takes."""
        started = time.monotonic()
        self.run("ovs-ofctl", *arguments)
        return time.monotonic() - started

    def bridge(self):
        return self.path("int.mgmt")

    def flows(self):
        text = self.run("ovs-ofctl", "dump-aggregate", self.bridge())
        return int(text.split("flow_count=")[1])

    def start_one(self, *command):
        log = open(self.path("output"), "a", encoding="ascii")
        self.processes.append(subprocess.Popen(
            ["nsenter", "--net=" + self.path("net"), "setpriv", "--pdeathsig", "KILL"]
            + list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=self.environment))
        log.close()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        open(self.path("net"), "w", encoding="ascii").close()
        engines.run(["unshare", "--net=" + self.path("net"), "ip", "link", "set", "lo", "up"], 10)
        engines.run(["ovsdb-tool", "create", self.path("conf.db"), SCHEMA], 10)
        self.start_one("ovsdb-server", "--remote=punix:" + self.path("db.sock"),
                       "--unixctl=" + self.path("database.ctl"), self.path("conf.db"))
        self.await_file("db.sock")
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   "other_config:dpdk-socket-mem=256",
                   "other_config:dpdk-extra=--no-pci --in-memory --file-prefix=northbound")
        self.start_one(VSWITCHD, "unix:" + self.path("db.sock"),
                       "--unixctl=" + self.path("switch.ctl"), "--log-file=" + self.path("log"))
        self.vsctl("--timeout=30", "add-br", "int", "--", "set", "bridge", "int",
                   "datapath_type=netdev")
        self.ofctl("del-flows", self.bridge())

    def await_file(self, name):
        end = time.monotonic() + 10
        while not os.path.exists(self.path(name)):
            if time.monotonic() > end:
                raise Failed("ovsdb-server does not start")
            time.sleep(0.01)

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        subprocess.run(["umount", self.path("net")], stderr=subprocess.DEVNULL, check=False)
