# SPDX-License-Identifier: BSD-3-Clause
"""What goes wrong around tenond: a disk that is full, read-only or damaged, a kernel that changes
its mind ten thousand times."""
import os
import random
import time

import pytest

from netlab import lab  # noqa: F401
from northbound import DEVICE, Watch, flow, from_port, operations
from tenon import Client, Tenon, UnixConnection

FLOWS = "/v1/flows/" + DEVICE
PORT = {"number": 1, "name": "p1", "type": "dpdk", "options": {"devargs": "net_null0,no-rx=1"}}
FAILURE = 1
PATIENCE = 60


class Site(Tenon):
    def __init__(self, folder, lab=None):
        super().__init__(folder, lab=lab)
        self.store = os.path.join(self.folder, "tenond")

    def connect(self):
        """An administrator's client of a daemon that is in step with the data plane."""
        with Watch(self.socket, "?kinds=dataplane&initial=false") as watch:
            client = Client(UnixConnection(self.socket))
            self.clients.append(client)
            if not client.get("/v1/health").json["connected"]:
                watch.until(event="CONNECTED")
        return client

    def begin(self):
        self.start()
        api = self.connect()
        answer = api.put("/v1/config", {"device": {"id": DEVICE}, "ports": [PORT]},
                         headers={"If-Match": "*"})
        assert answer.status == 200, answer
        return api


def flows_of(api):
    """Those that are wanted, and how many the data plane has."""
    flows = api.get("/v1/flows?stats=false").json["flows"]
    assert {f["state"] for f in flows} <= {"ADDED"}
    tables = api.get("/v1/tables").json["tables"]
    assert sum(t["activeEntries"] for t in tables) == len(flows)
    return {f["priority"] for f in flows}


def many(first, n):
    return {"flows": [flow(p, [from_port(1)], 1) for p in range(first, first + n)]}


# --- the store ---

def fill(api, first, n):
    """Adds flows until it is refused: what was acknowledged, and the refusal."""
    done = set()
    while True:
        answer = api.post("/v1/flows", many(first, n))
        if answer.status != 200:
            return done, answer
        done |= set(range(first, first + n))
        first += n
        assert first < 60000, "this disk does not fill"


def test_a_full_disk(lab, tmp_path):  # noqa: F811
    """Nothing is half done, and with room again it goes on."""
    site = Site(tmp_path, lab)
    try:
        os.mkdir(site.store)
        lab.run(None, "mount", "-t", "tmpfs", "-o", "size=1536k", "none", site.store)
        api = site.begin()
        done, answer = fill(api, 1, 500)
        assert answer.status == 507 and "full" in answer.json["detail"], answer
        assert answer.json["title"] == "Insufficient Storage"
        assert done and flows_of(api) == done
        # Others are refused as well, reading goes on, and so does what needs no room.
        network = api.post("/v1/transactions", operations(
            {"op": "add", "network": {"id": "n"}}, {"op": "add", "flow": flow(60001)},
            *({"op": "add", "flow": flow(p)} for p in range(61000, 63000))))
        assert network.status == 507, network
        assert api.get("/v1/networks").json["networks"] == [] and flows_of(api) == done
        # What was acknowledged is there after it was killed; nothing else is.
        site.tenond.kill()
        site.tenond.start()
        api = site.connect()
        assert flows_of(api) == done
        lab.run(None, "mount", "-o", "remount,size=16m", "none", site.store)
        answer = api.post("/v1/flows", many(50000, 500))
        assert answer.status == 200, answer
        done |= set(range(50000, 50500))
        assert api.post("/v1/networks", {"id": "n"}).status == 201
        site.tenond.kill()
        site.tenond.start()
        api = site.connect()
        assert flows_of(api) == done
        assert [n["id"] for n in api.get("/v1/networks").json["networks"]] == ["n"]
    finally:
        site.close()


def files_of(folder):
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            found[name] = f.read()
    return found


def refused(site):
    """What it says when it does not start."""
    site.tenond.start(ready=False)
    assert site.tenond.wait() == FAILURE, site.tenond.log()
    return site.tenond.log()


def test_a_folder_that_is_read_only(lab, tmp_path):  # noqa: F811
    site = Site(tmp_path, lab)
    try:
        os.mkdir(site.store)
        lab.run(None, "mount", "-t", "tmpfs", "-o", "size=8m", "none", site.store)
        api = site.begin()
        assert api.post("/v1/flows", many(1, 100)).status == 200
        site.tenond.kill()
        # The kernel has not closed its files before it is gone wholly.
        lab.run(None, "sh", "-c", "until mount -o remount,ro none %s; do sleep 0.05; done"
                % site.store)
        said = refused(site)
        assert site.store[-60:] in said and ("written" in said or "Read-only" in said), said
        lab.run(None, "mount", "-o", "remount,rw", "none", site.store)
        site.tenond.start()
        assert flows_of(site.connect()) == set(range(1, 101))
    finally:
        site.close()


@pytest.mark.parametrize("where", ["beginning", "middle", "shorter"])
def test_a_damaged_store(tmp_path, where):
    """It says so and does not start; nothing of it is touched, and a copy of it is as good."""
    site = Site(tmp_path)
    try:
        api = site.begin()
        assert api.post("/v1/flows", many(1, 2000)).status == 200
        site.tenond.stop()
        whole = files_of(site.store)
        name, data = max(whole.items(), key=lambda item: len(item[1]))
        hurt = bytearray(data)
        if where == "beginning":
            hurt[:100] = bytes(100)
        elif where == "middle":
            at = len(hurt) // 2
            hurt[at:at + 4096] = random.Random(1).randbytes(4096)
        else:
            del hurt[len(hurt) // 2:]
        path = os.path.join(site.store, name)
        with open(path, "wb") as f:
            f.write(hurt)
        said = refused(site)
        assert "damaged" in said and path[-70:] in said, said
        assert files_of(site.store)[name] == bytes(hurt)
        with open(path, "wb") as f:
            f.write(data)
        site.tenond.start()
        assert flows_of(site.connect()) == set(range(1, 2001))
    finally:
        site.close()


def test_a_log_that_is_damaged(tmp_path):
    """After a kill a commit is in SQLite's log alone, whose end SQLite takes a damaged place for."""
    site = Site(tmp_path)
    try:
        api = site.begin()
        done = set()
        for priority in range(1, 41):
            assert api.post("/v1/flows", many(priority, 1)).status == 200
            done.add(priority)
        site.tenond.kill()
        whole = files_of(site.store)
        name = next(n for n in whole if n.endswith("-wal"))
        path = os.path.join(site.store, name)
        dice = random.Random(2)
        for at in (20, 40, len(whole[name]) // 2, len(whole[name]) - 5):
            hurt = bytearray(whole[name])
            hurt[at] ^= 1 << dice.randrange(8)
            with open(path, "wb") as f:
                f.write(hurt)
            said = refused(site)
            assert "damaged" in said and "commits are there" in said, said
            left = files_of(site.store)
            assert left == dict(whole, **{name: bytes(hurt), "lock": left["lock"]})
        with open(path, "wb") as f:
            f.write(whole[name])
        site.tenond.start()
        assert flows_of(site.connect()) == done
    finally:
        site.close()


# --- netlink ---

PROBES, HOPS = 40, 5
VTEP = "198.51.100.2"


def hop(n):
    return "198.51.100.%d" % (10 + n)


class Kernel:
    """Routes and neighbours as they are to be, changed by many commands of ip(8) at once."""

    def __init__(self, lab, folder, seed):  # noqa: F811
        self.lab, self.path = lab, os.path.join(folder, "batch")
        self.random = random.Random(seed)
        self.macs = {}
        self.routes = {}

    def run(self, lines):
        with open(self.path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return self.lab.start(None, "ip", "-batch", self.path)

    def storm(self, n):
        """n changes of routes that nobody uses, of those that are probed, and of neighbours."""
        lines = []
        for _ in range(n):
            kind = self.random.randrange(4)
            if kind == 0:
                j = self.random.randrange(HOPS)
                self.macs[j] = "02:00:00:00:%02x:%02x" % (self.random.randrange(256), j)
                lines.append("neigh replace %s lladdr %s dev uplink0 nud permanent"
                             % (hop(j), self.macs[j]))
            elif kind == 1:
                k = self.random.randrange(PROBES)
                self.routes[k] = self.random.randrange(HOPS)
                lines.append("route replace 10.99.%d.0/24 via %s" % (k, hop(self.routes[k])))
            else:
                lines.append("route replace 10.98.%d.%d/32 via %s" % (
                    self.random.randrange(16), self.random.randrange(256),
                    hop(self.random.randrange(HOPS))))
        return self.run(lines)


def way(api, k):
    """Where the data plane sends what is for probe k: the MAC address of the next hop."""
    frame = "0200000000%02x020000000001" % k + "88b5" + "00" * 46
    answer = api.post("/v1/trace", {"inPort": 1, "frame": frame})
    assert answer.status == 200, answer
    if not answer.json["outputs"]:
        return answer.json["drops"][0]["reason"]
    digits = answer.json["outputs"][0]["frame"]
    return ":".join(digits[i:i + 2] for i in range(0, 12, 2))


def test_a_storm_of_routes_and_neighbours(lab, tmp_path):  # noqa: F811
    """Requests are answered meanwhile; after it the data plane knows what the kernel knows."""
    site = Site(tmp_path, lab)
    try:
        lab.host("far")
        lab.wire("up0", "far")
        lab.addresses("far", "eth0", "198.51.100.1/24")
        site.start()
        api = site.connect()
        answer = api.put("/v1/config", {
            "device": {"id": DEVICE}, "ports": [
                PORT, {"number": 2, "name": "up0", "type": "veth",
                       "options": {"shadow": "uplink0"}},
                {"number": 10, "name": "vtep", "type": "vxlan",
                 "options": {"local": VTEP, "remote": "flow", "vni": 100}}],
            "flows": [{"priority": 1, "isPermanent": True, "selector": {"criteria": [
                {"type": "ETH_DST", "mac": "02:00:00:00:00:%02x" % k}]},
                "treatment": {"instructions": [
                    {"type": "SET_FIELD", "field": "tun_dst", "value": "10.99.%d.1" % k},
                    {"type": "OUTPUT", "port": "10"}]}} for k in range(PROBES)]},
            headers={"If-Match": "*"})
        assert answer.status == 200, answer
        kernel = Kernel(lab, site.folder, 7)
        lab.addresses(None, "uplink0", VTEP + "/24")
        assert kernel.storm(200).wait(PATIENCE) == 0
        answered = 0
        for _ in range(5):
            storm = kernel.storm(4000)
            while storm.poll() is None or answered % 20:
                answered += 1
                assert api.get("/v1/health").status == 200
                assert api.post(FLOWS, flow(answered + 1, [from_port(2)], 1)).status == 201
            assert storm.wait() == 0, storm.stdout.read()
        # More than its socket holds, of which the kernel then tells nothing but that it was lost.
        lab.run(None, "pkill", "-STOP", "-x", "tenond")
        storm = kernel.storm(8000)
        assert storm.wait(PATIENCE) == 0, storm.stdout.read()
        lab.run(None, "pkill", "-CONT", "-x", "tenond")
        gone = set(random.Random(3).sample(sorted(kernel.routes), 5))
        last = kernel.run("route del 10.99.%d.0/24" % k for k in gone)
        assert last.wait(PATIENCE) == 0
        wanted = {k: "no_route" if k in gone else kernel.macs[j]
                  for k, j in kernel.routes.items()}
        deadline = time.monotonic() + PATIENCE
        while True:
            known = {k: way(api, k) for k in wanted}
            if known == wanted:
                break
            assert time.monotonic() < deadline, {
                k: (known[k], wanted[k]) for k in wanted if known[k] != wanted[k]}
            time.sleep(0.1)
        assert len(wanted) == PROBES and answered >= 100
    finally:
        site.close()
