# SPDX-License-Identifier: BSD-3-Clause
"""GET /v1/watch: what there is, what changes, going on after a break, slow readers, many readers."""
import json
import threading
import time

import pytest

from northbound import DEVICE, Watch, bucket, flow, group, host, meter, start
from tenon import UnixConnection

FLOWS, GROUPS, METERS = ("/v1/%s/%s" % (kind, DEVICE) for kind in ("flows", "groups", "meters"))


def test_what_there_is_and_what_changes(site, api):
    api.post(FLOWS, flow(1), want=201)
    api.post(GROUPS, group(1, bucket(1)), want=201)
    api.post(METERS, meter(), want=201)
    api.post("/v1/hosts", host(1), want=201)
    with Watch(site.socket) as watch:
        assert watch.response.getheader("content-type") == "application/x-ndjson"
        first = watch.until(event="SYNCED")
        assert [w["event"] for w in first[:-1]] == ["INITIAL"] * 8
        assert [w["kind"] for w in first[:-1]] == ["flow", "group", "meter"] + ["port"] * 4 + [
            "host"]
        path = api.post(FLOWS, flow(2), want=201).headers["location"]
        added = watch.line()
        assert added["event"] == "ADDED" and added["object"]["priority"] == 2
        assert added["seq"] > first[-1]["seq"] and added["time"].endswith("Z")
        told, shown = added["object"], api.get(path).json
        assert dict(told, life=0, lastSeen=0) == dict(shown, life=0, lastSeen=0)
        api.put(path, flow(2, [], 1), want=200)
        api.delete(path, want=204)
        changed, removed = watch.line(), watch.line()
        assert changed["event"] == "MODIFIED" and removed["event"] == "REMOVED"
        assert removed["reason"] == "DELETE"
        assert added["seq"] < changed["seq"] < removed["seq"]


def test_a_flow_that_runs_out_is_told(site, api):
    with Watch(site.socket, "?kinds=flow") as watch:
        watch.synced()
        api.post(FLOWS, flow(1, isPermanent=False, hardTimeout=1), want=201)
        assert watch.line()["event"] == "ADDED"
        removed = watch.line()
        assert removed["event"] == "REMOVED" and removed["reason"] == "HARD_TIMEOUT"
    assert api.get("/v1/flows").json["flows"] == []


def test_choosing(site, api):
    api.post("/v1/flows", {"flows": [flow(1), flow(2, tableId=3)]}, want=200)
    with Watch(site.socket, "?kinds=flow&table=3") as watch:
        assert [w["object"]["priority"] for w in watch.synced()] == [2]
        api.post(FLOWS, flow(4), want=201)
        api.post(GROUPS, group(1, bucket(1)), want=201)
        api.post(FLOWS, flow(5, tableId=3), want=201)
        assert watch.line()["object"]["priority"] == 5
    with Watch(site.socket, "?kinds=host&initial=false") as watch:
        assert watch.synced() == []
        api.post("/v1/hosts", host(1), want=201)
        assert watch.line()["kind"] == "host"
    for query in ("kinds=nonsense", "kinds=flow,,x", "table=255", "since=x", "initial=perhaps",
                  "colour=red"):
        assert api.get("/v1/watch?" + query).status in (400, 404), query


def test_going_on_after_a_break(site, api):
    with Watch(site.socket, "?kinds=flow") as watch:
        since = watch.until(event="SYNCED")[-1]["seq"]
    for n in (1, 2, 3):
        api.post(FLOWS, flow(n), want=201)
    with Watch(site.socket, "?kinds=flow&since=%d" % since) as watch:
        missed = watch.until(event="SYNCED")[:-1]
        assert [(w["event"], w["object"]["priority"]) for w in missed] == [
            ("ADDED", 1), ("ADDED", 2), ("ADDED", 3)]
        api.post(FLOWS, flow(4), want=201)
        assert watch.line()["object"]["priority"] == 4
    with Watch(site.socket, "?kinds=flow&since=%d" % missed[1]["seq"]) as watch:
        assert [w["object"]["priority"] for w in watch.synced()] == [3, 4]
    for too_old in (1, since + 10 ** 9):
        answer = api.get("/v1/watch?since=%d" % too_old, want=410)
        assert str(too_old) in answer.json["detail"]


def test_server_sent_events(site, api):
    """As a browser reads them: ids to go on from, but none in the middle of what there is."""
    api.post("/v1/flows", {"flows": [flow(1), flow(2)]}, want=200)
    headers = {"Accept": "text/event-stream"}

    def events(watch, n):
        found, now = [], {}
        while len(found) < n:
            line = watch.response.readline().decode().rstrip("\n")
            if line:
                key, _, value = line.partition(": ")
                now[key] = value
            else:
                found.append(now)
                now = {}
        return found

    with Watch(site.socket, "?kinds=flow", headers) as watch:
        assert watch.response.getheader("content-type") == "text/event-stream"
        first = events(watch, 3)
        assert [("id" in e, e["event"]) for e in first] == [
            (False, "flow"), (False, "flow"), (True, "SYNCED")]
        assert json.loads(first[0]["data"])["event"] == "INITIAL"
        api.post(FLOWS, flow(3), want=201)
        (added,) = events(watch, 1)
        assert added["id"] == str(json.loads(added["data"])["seq"]) and added["event"] == "flow"
    with Watch(site.socket, "?kinds=flow", dict(headers, **{"Last-Event-ID": first[2]["id"]})) as w:
        again = events(w, 2)
        assert json.loads(again[0]["data"])["object"]["priority"] == 3
        assert again[1]["event"] == "SYNCED"


def test_heartbeats_and_limits(tmp_path):
    site = start(tmp_path, limits={"heartbeatSeconds": 1, "watchers": 2})
    try:
        api = site.api()
        with Watch(site.socket, "?kinds=flow&initial=false") as watch:
            watch.synced()
            beat = watch.line()
            assert beat["event"] == "HEARTBEAT" and beat["seq"]
            with Watch(site.socket, "?kinds=flow") as second:
                second.synced()
                answer = api.get("/v1/watch", want=503)
                assert answer.headers["retry-after"] == "1"
        # Who hung up makes room at once, though nothing happened.
        deadline = time.monotonic() + 30
        while api.get("/v1/status").json["watchers"]:
            assert time.monotonic() < deadline
        # What others did is no reason to read it again.
        with Watch(site.socket, "?kinds=group&initial=false") as watch:
            watch.synced()
            api.post(FLOWS, flow(1), want=201)
            since = watch.until(event="HEARTBEAT")[-1]["seq"]
        with Watch(site.socket, "?kinds=flow&since=%d" % since) as watch:
            assert watch.synced() == []
    finally:
        site.close()


def test_who_reads_too_slowly_is_told(tmp_path):
    """PAUSED, then RESUMED with how many were lost; nothing is told twice; others lose nothing."""
    site = start(tmp_path, limits={"watchBytes": 65536})
    try:
        api = site.api()
        with Watch(site.socket, "?kinds=flow") as slow, Watch(site.socket, "?kinds=flow") as quick:
            slow.synced()
            quick.synced()
            seen = []
            reader = threading.Thread(target=lambda: seen.extend(
                quick.until(event="ADDED", kind="flow")[-1]["object"]["priority"]
                for _ in range(6000)))
            reader.start()
            for n in range(60):
                api.post("/v1/flows", {"flows": [flow(n * 100 + i) for i in range(100)]}, want=200)
                # The quick one keeps up; both get the same events.
                deadline = time.monotonic() + 30
                while len(seen) < (n + 1) * 100:
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
            reader.join()
            assert sorted(seen) == list(range(6000))
            got, lost = [], 0
            while len(got) + lost < 6000:
                line = slow.line()
                if line["event"] == "PAUSED":
                    resumed = slow.line()
                    assert resumed["event"] == "RESUMED" and resumed["lost"] > 0
                    lost += resumed["lost"]
                else:
                    got.append(line["object"]["priority"])
            assert lost > 0 and len(set(got)) == len(got) and len(got) + lost == 6000
    finally:
        site.close()


# --- many ---

def busy_client(site, n, rounds, errors):
    try:
        client = site.api()
        for i in range(rounds):
            path = client.post(FLOWS + "?appId=busy%d" % n, flow(n + 1, [
                {"type": "IN_PORT", "port": i + 1}], 2), want=201).headers["location"]
            assert client.get(path, want=200).json["appId"] == "busy%d" % n
            if i % 2:
                client.delete(path, want=204)
    except BaseException as e:  # told by the test, not by a thread
        errors.append(e)


def test_500_watchers_and_50_busy_clients(site, api):
    """Everybody is served, and every watcher told everything."""
    watches, errors, rounds = [], [], 10
    try:
        for _ in range(500):
            watch = Watch(site.socket, "?kinds=flow&initial=false")
            watches.append(watch)
            watch.synced()
        assert api.get("/v1/status").json["watchers"] == 500
        busy = [threading.Thread(target=busy_client, args=(site, n, rounds, errors))
                for n in range(50)]
        for thread in busy:
            thread.start()
        for thread in busy:
            thread.join()
        assert not errors, errors[0]
        assert len(api.get("/v1/flows").json["flows"]) == 50 * rounds // 2
        api.post(FLOWS, flow(60000), want=201)
        told = [len([w for w in watch.until(event="ADDED", kind="flow") if w]) for watch in watches]
        assert told == [1] * 500
        for watch in watches[::50]:
            events = []
            while True:
                line = watch.line()
                events.append(line["event"])
                if line["object"]["priority"] == 60000:
                    break
            assert events.count("ADDED") == 50 * rounds  # with the last, without the first
            assert events.count("REMOVED") == 50 * rounds // 2
    finally:
        for watch in watches:
            watch.close()


def test_how_soon_a_watcher_is_told(site, api, record_property):
    """Measured from before the request to after the line was read; printed, not judged."""
    took = []
    with Watch(site.socket, "?kinds=flow&initial=false") as watch:
        watch.synced()
        for n in range(200):
            connection = UnixConnection(site.socket)
            connection.connect()
            body = json.dumps(flow(n))
            began = time.monotonic()
            connection.request("POST", FLOWS, body, {"Content-Type": "application/json"})
            watch.line()
            took.append((time.monotonic() - began) * 1000)
            connection.getresponse().read()
            connection.close()
    took.sort()
    text = "a change reaches a watcher in ms: median %.2f, 99th %.2f, longest %.2f" % (
        took[100], took[198], took[199])
    record_property("latency", text)
    print(text)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_watch_is_only_read(api, method):
    api.request(method, "/v1/watch", want=405)
