# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 of tenond, of tenon-dataplane and of both, at random moments, under load over HTTP.

Several writers, each with flows, groups and meters of its own, send one request after another:
single ones, transactions, replacements of all they own, transactions that are cancelled again. What
was answered must be there afterwards, in the store and in the data plane; a request without an
answer is there wholly or not at all. KILL_SEED repeats a run, KILL_ROUNDS makes it longer.
"""
import http.client
import json
import os
import random
import subprocess
import threading
import time

import pytest

from tenon import BUILD, PATIENCE, Tenon

INSTALLED = os.path.join(BUILD, "tests/functional/installed")
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(1 << 32))
DEVICE = "of:0000000000000001"
WRITERS, SLOTS, MANY = 4, 12, 300
DONE, ACCEPTED, AWAY = (200, 201, 204), 202, 503
# What counts, and what the two of them name in their own way.
NOT_COMPARED = ("life", "packets", "bytes", "lastSeen", "state", "appId", "appCookie", "createdNs",
                "referenceCount", "generation")


def instruction(kind, **keys):
    return dict(keys, type=kind)


class Writer:
    """known: what was acknowledged, by (kind, number). maybe: that, with the request under way."""

    def __init__(self, tenon, number, rng):
        self.tenon, self.number, self.rng = tenon, number, rng
        self.known, self.maybe = {}, None
        self.cookie = 0
        self.undo = None  # (transaction, what was known before it)
        self.restored = set()  # MACs of flows that may have gone and come back
        self.acknowledged = self.accepted = 0
        self.error = None

    # --- what may be wanted ---

    def id(self, slot):
        return 1000 * (self.number + 1) + slot

    def flow(self, slot, value):
        cookie, group, meter = value
        instructions = [] if meter is None else [instruction("METER", meterId=str(meter))]
        instructions.append(instruction("OUTPUT", port=str(1 + cookie % 60)) if group is None
                            else instruction("GROUP", groupId=group))
        return {"priority": 10, "isPermanent": True, "deviceId": DEVICE, "cookie": hex(cookie),
                "appId": self.owner(), "treatment": {"instructions": instructions},
                "selector": {"criteria": [{"type": "ETH_DST", "mac": self.mac(slot)}]}}

    def owner(self):
        return "writer%d" % self.number

    def mac(self, slot):
        return "02:00:00:%02X:%02X:%02X" % (self.number, slot >> 8, slot & 255)

    def group(self, slot, port):
        bucket = {"treatment": {"instructions": [instruction("OUTPUT", port=str(port))]}}
        return {"groupId": self.id(slot), "appCookie": hex(self.id(slot)), "type": "INDIRECT",
                "buckets": [bucket]}

    def meter(self, slot, rate):
        return {"index": self.id(slot), "unit": "KB_PER_SEC",
                "bands": [{"type": "DROP", "rate": rate, "burstSize": 10}]}

    def new_flow(self, state):
        """A value that no flow ever had; of the groups and meters that there are."""
        groups = [self.id(n) for kind, n in state if kind == "group"]
        meters = [self.id(n) for kind, n in state if kind == "meter"]
        self.cookie += 1
        return (self.cookie, self.rng.choice(groups) if groups and self.rng.random() < 0.3 else None,
                self.rng.choice(meters) if meters and self.rng.random() < 0.3 else None)

    def remove(self, state, kind, slot):
        """Flows go along with the group or meter that they use."""
        state.pop((kind, slot), None)
        place = {"group": 1, "meter": 2}.get(kind)
        for key in [k for k, v in state.items() if place and k[0] == "flow" and
                    v[place] == self.id(slot)]:
            del state[key]

    # --- requests: each returns method, path, body, and what is wanted once it was done ---

    def put_flow(self, state):
        slot = self.rng.randrange(SLOTS)
        state["flow", slot] = self.new_flow(state)
        return "POST", "/v1/flows/" + DEVICE, self.flow(slot, state["flow", slot])

    def put_group(self, state):
        slot = self.rng.randrange(4)
        state["group", slot] = self.rng.randrange(1, 60)
        return ("PUT", "/v1/groups/%s/%d" % (DEVICE, self.id(slot)),
                self.group(slot, state["group", slot]))

    def put_meter(self, state):
        slot = self.rng.randrange(4)
        state["meter", slot] = self.rng.randrange(1, 1000)
        return ("PUT", "/v1/meters/%s/%d" % (DEVICE, self.id(slot)),
                self.meter(slot, state["meter", slot]))

    def delete(self, state):
        kind, slot = self.rng.choice(["group", "meter"]), self.rng.randrange(4)
        self.remove(state, kind, slot)
        return "DELETE", "/v1/%ss/%s/%d" % (kind, DEVICE, self.id(slot)), None

    def operation(self, state):
        kind = self.rng.choice(["flow", "flow", "flow", "group", "meter"])
        slot = self.rng.randrange(SLOTS if kind == "flow" else 4)
        there = (kind, slot) in state
        if there and self.rng.random() < 0.3:
            self.remove(state, kind, slot)
            if kind == "flow":
                return {"op": "delete_strict", "flow": {
                    k: v for k, v in self.flow(slot, (0, None, None)).items()
                    if k in ("priority", "isPermanent", "deviceId", "selector")}}
            key = "groupId" if kind == "group" else "index"
            return {"op": "delete", kind: {key: self.id(slot)}}
        value = self.new_flow(state) if kind == "flow" else self.rng.randrange(1, 60)
        state[kind, slot] = value
        return {"op": "modify" if there and kind != "flow" else "add",
                kind: getattr(self, kind)(slot, value)}

    def transaction(self, state):
        return ("POST", "/v1/transactions",
                {"operations": [self.operation(state) for _ in range(self.rng.randrange(1, 13))]})

    def large_transaction(self, state):
        self.cookie += 1
        operations = []
        for slot in range(SLOTS, SLOTS + MANY):
            state["flow", slot] = (self.cookie, None, None)
            operations.append({"op": "add", "flow": self.flow(slot, state["flow", slot])})
        return "POST", "/v1/transactions", {"operations": operations}

    def replace(self, state):
        """About half of its flows stay as they are."""
        for slot in range(SLOTS):
            if self.rng.random() < 0.5:
                continue
            if self.rng.random() < 0.5:
                state["flow", slot] = self.new_flow(state)
            else:
                state.pop(("flow", slot), None)
        flows = [self.flow(n, v) for (kind, n), v in state.items() if kind == "flow"]
        return "PUT", "/v1/flows/%s?appId=%s" % (DEVICE, self.owner()), {"flows": flows}

    def settle(self, state):
        """The transaction before is confirmed or taken back."""
        transaction, before = self.undo
        confirm = self.rng.random() < 0.5
        if not confirm:
            self.restored |= {self.mac(slot) for kind, slot in before if kind == "flow"}
            state.clear()
            state.update(before)
        return ("POST", "/v1/transactions/%s/%s" % (transaction, "confirm" if confirm else "cancel"),
                None)

    # --- at work ---

    def step(self, client):
        before, self.maybe = self.known, dict(self.known)
        unconfirmed = False
        if self.undo:
            make = self.settle
        else:
            make = self.rng.choices(
                [self.put_flow, self.put_group, self.put_meter, self.delete, self.transaction,
                 self.large_transaction, self.replace], [40, 10, 10, 10, 25, 2, 3])[0]
        method, path, body = make(self.maybe)
        if make == self.transaction and self.rng.random() < 0.2:
            body["confirmWithin"] = 3600
            unconfirmed = True
        elif make != self.settle and self.rng.random() < 0.05:
            path += ("&" if "?" in path else "?") + "wait=none"
        answer = client.request(method, path, body)
        if answer.status == AWAY:
            self.maybe = None
            return
        assert answer.status in DONE + (ACCEPTED,), (method, path, body, answer)
        self.acknowledged += 1
        self.accepted += answer.status == ACCEPTED
        self.known, self.maybe, self.undo = self.maybe, None, None
        if unconfirmed and answer.json.get("transaction"):
            self.undo = answer.json["transaction"], before

    def work(self, stop):
        """Until it is told to stop, or tenond ends."""
        client = self.tenon.client()
        try:
            while not stop.is_set():
                self.step(client)
        except (OSError, http.client.HTTPException):
            pass
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error
        client.close()


class Keeper:
    """The processes, the writers, and what is checked."""

    def __init__(self, tenon, rng):
        self.tenon, self.rng = tenon, rng
        self.writers = [Writer(tenon, i, random.Random(rng.random())) for i in range(WRITERS)]
        self.born = {}  # MAC: cookie of its flow and when the data plane made it
        self.with_more = 0
        self.installed = None

    def ask_installed(self):
        if self.installed is None:
            self.installed = subprocess.Popen([INSTALLED, self.tenon.dataplane_socket], text=True,
                                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.installed.stdin.write("\n")
        self.installed.stdin.flush()
        return json.loads(self.installed.stdout.readline())

    def close(self):
        if self.installed:
            self.installed.stdin.close()
            self.installed.wait()
            self.installed.stdout.close()

    # --- load ---

    def begin(self):
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=w.work, args=(self.stop,)) for w in self.writers]
        for thread in self.threads:
            thread.start()

    def acknowledged(self):
        return sum(w.acknowledged for w in self.writers)

    def await_acknowledged(self, more):
        until, end = self.acknowledged() + more, time.monotonic() + PATIENCE
        while self.acknowledged() < until:
            assert time.monotonic() < end and any(t.is_alive() for t in self.threads), \
                self.tenon.log()
            time.sleep(0.001)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        for writer in self.writers:
            if writer.error:
                raise writer.error

    # --- checks ---

    def wanted(self, client):
        return {kind: client.get("/v1/" + kind).json[kind] for kind in ("flows", "groups", "meters")}

    def seen_of(self, writer, wanted):
        """The northbound's objects in the writer's terms."""
        seen = {}
        for flow in wanted["flows"]:
            if flow["appId"] != writer.owner():
                continue
            mac = flow["selector"]["criteria"][0]["mac"].split(":")
            told = {i["type"]: i for i in flow["treatment"]["instructions"]}
            group = int(told["GROUP"]["groupId"]) if "GROUP" in told else None
            meter = int(told["METER"]["meterId"]) if "METER" in told else None
            cookie = int(str(flow["cookie"]), 0)
            assert group is not None or told["OUTPUT"]["port"] == str(1 + cookie % 60), flow
            seen["flow", int(mac[4], 16) << 8 | int(mac[5], 16)] = cookie, group, meter
        for group in wanted["groups"]:
            if int(group["id"]) // 1000 == writer.number + 1:
                bucket = group["buckets"][0]["treatment"]["instructions"][0]
                seen["group", int(group["id"]) % 1000] = int(bucket["port"])
        for meter in wanted["meters"]:
            if int(meter["id"]) // 1000 == writer.number + 1:
                seen["meter", int(meter["id"]) % 1000] = meter["bands"][0]["rate"]
        return seen

    def check_history(self, client):
        """What each writer was told is there, and of what was under way all or nothing."""
        wanted = self.wanted(client)
        for writer in self.writers:
            seen = self.seen_of(writer, wanted)
            if writer.maybe is not None:
                writer.restored |= {writer.mac(slot) for kind, slot in writer.known
                                    if kind == "flow" and
                                    writer.maybe.get((kind, slot)) != writer.known[kind, slot]}
            if writer.maybe is not None and seen == writer.maybe != writer.known:
                self.with_more += 1
                writer.known, writer.undo = seen, None
            assert seen == writer.known, difference(seen, writer.known, writer.maybe)
            if writer.maybe is not None:
                writer.undo = None  # whether it was settled is not known
            writer.maybe = None

    def await_step(self, client):
        end = time.monotonic() + PATIENCE
        while True:
            status = client.get("/v1/status").json
            if status["connected"] and not status["pending"]:
                assert not status["failed"], status
                return
            assert time.monotonic() < end, (status, self.tenon.log())
            time.sleep(0.002)

    def check_installed(self, client, same_process):
        """The data plane has what is wanted, and what it had before was not touched."""
        self.await_step(client)
        wanted, installed = self.wanted(client), self.ask_installed()
        for kind in ("flows", "groups", "meters"):
            assert plain(wanted[kind]) == plain(installed[kind]), kind
        assert {o["state"] for kind in wanted.values() for o in kind} <= {"ADDED"}
        born = {f["selector"]["criteria"][0]["mac"]: (f["cookie"], f["createdNs"])
                for f in installed["flows"]}
        restored = set().union(*(w.restored for w in self.writers))
        if same_process:
            assert not [mac for mac in self.born.keys() & born.keys() - restored
                        if self.born[mac][0] == born[mac][0] and self.born[mac] != born[mac]]
        self.born = born
        for writer in self.writers:
            writer.restored.clear()

    def check(self, same_process):
        client = self.tenon.client()
        self.check_history(client)
        self.check_installed(client, same_process)
        client.close()
        assert "damage" not in self.tenon.log().lower(), self.tenon.log()

    # --- rounds ---

    def pause(self, most):
        time.sleep(self.rng.random() * most)

    def kill_tenond(self):
        self.begin()
        self.await_acknowledged(self.rng.randrange(4, 40))
        self.pause(0.003)
        self.tenon.tenond.kill()
        self.end()
        self.tenon.tenond.start()
        self.check(True)

    def kill_dataplane(self):
        """Under load that goes on while it is away and when it is back."""
        self.begin()
        self.await_acknowledged(self.rng.randrange(4, 40))
        self.pause(0.003)
        self.tenon.dataplane.kill()
        self.pause(0.02)
        self.tenon.dataplane.start()
        self.await_acknowledged(self.rng.randrange(1, 20))
        self.end()
        self.check(False)

    def kill_both(self):
        both = [self.tenon.tenond, self.tenon.dataplane]
        self.begin()
        self.await_acknowledged(self.rng.randrange(4, 40))
        self.pause(0.003)
        self.rng.shuffle(both)
        both[0].kill()
        self.pause(0.01)
        both[1].kill()
        self.end()
        self.rng.shuffle(both)
        for daemon in both:
            daemon.start()
        self.check(False)


def plain(objects):
    """By id, without what is not compared."""
    def strip(o):
        if isinstance(o, dict):
            return {k: strip(v) for k, v in o.items() if k not in NOT_COMPARED}
        return [strip(e) for e in o] if isinstance(o, list) else o
    return {str(o["id"]): strip(o) for o in objects}


def difference(seen, known, maybe):
    def part(a, b):
        return {k: v for k, v in a.items() if b.get(k) != v}
    text = "there, not acknowledged: %s; acknowledged, not there: %s" % (
        part(seen, known), part(known, seen))
    return text if maybe is None else text + "; asked for: %s" % part(maybe, known)


@pytest.mark.parametrize("policy, rounds", [("accept", 160), ("refuse", 60)])
def test_killed_at_any_moment(tmp_path, policy, rounds):
    rounds = int(os.environ.get("KILL_ROUNDS") or rounds)
    rng = random.Random(SEED)
    tenon = Tenon(tmp_path, config={"dataplane": {"whenAway": policy}},
                  dataplane_options=["--memory", "16", "--sessions", "1000"])
    keeper = Keeper(tenon, rng)
    print("KILL_SEED=%d" % SEED)
    try:
        tenon.start()
        for _ in range(rounds):
            rng.choice([keeper.kill_tenond, keeper.kill_dataplane, keeper.kill_both])()
    finally:
        tenon.close()
        keeper.close()
    print("%d rounds, %d acknowledged, %d of them without the data plane, %d found that had no "
          "answer" % (rounds, keeper.acknowledged(), sum(w.accepted for w in keeper.writers),
                      keeper.with_more))
    assert keeper.acknowledged() > 4 * rounds
