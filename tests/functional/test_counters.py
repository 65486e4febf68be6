# SPDX-License-Identifier: BSD-3-Clause
"""Counters from zero again, whatever is started anew or killed afterwards."""
import itertools
import time

import pytest

from northbound import (DEVICE, FRAME, PORTS, Site, Watch, bucket, flow, free_port, from_port,
                        group, secret_of, token)

TOKENS = [token("viewer"), token("red", "operator", tenant="red")]
GROUP = group(7, bucket(2))


@pytest.fixture
def site(tmp_path):
    port = free_port()
    made = Site(tmp_path, config={
        "host": "h1", "tokens": TOKENS, "listen": [{"address": "127.0.0.1", "port": port}]})
    made.port = port
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture
def api(site):
    """An administrator's: from port 1 to a group, and nowhere from the others."""
    client = site.api()
    client.put("/v1/config", {"device": {"id": DEVICE}, "ports": PORTS, "groups": [GROUP]},
               headers={"If-Match": "*"}, want=200)
    add_flow(client)
    return client


def add_flow(api):
    api.post("/v1/flows/" + DEVICE, flow(7, [from_port(1)], treatment={
        "instructions": [{"type": "GROUP", "groupId": 7}]}), want=201)


def send(api, port, n=1):
    """A frame of a stranger into a port, through the tables."""
    for _ in range(n):
        api.post("/v1/packet-out", {"inPort": port, "frame": FRAME, "treatment": {
            "instructions": [{"type": "OUTPUT", "port": "TABLE"}]}}, want=204)


def counted(api):
    """Packets of the flow, the group, its bucket and port 2, lookups of table 0, drops of ports
    and of no network."""
    tables = api.get("/v1/statistics/flows/tables", want=200).json["statistics"][0]["table"]
    ports = api.get("/v1/statistics/ports", want=200).json["statistics"][0]["ports"]
    networks = api.get("/v1/statistics/networks", want=200).json["statistics"][0]["networks"]
    (of_group,) = api.get("/v1/groups", want=200).json["groups"]
    return {"flow": api.get("/v1/flows", want=200).json["flows"][0]["packets"],
            "group": of_group["packets"], "bucket": of_group["buckets"][0]["packets"],
            "sent": next(p["packetsSent"] for p in ports if p["port"] == 2),
            "lookups": next(t["packetsLookedUp"] for t in tables if t["tableId"] == "0"),
            "dropped": sum(sum(p["dropped"].values()) for p in api.get(
                "/v1/ports", want=200).json["ports"]),
            "networks": sum(n["packetsDropped"] for n in networks)}


def of(matched, dropped):
    """What is counted of so many frames."""
    return {"flow": matched, "group": matched, "bucket": matched, "sent": matched,
            "lookups": matched + dropped, "dropped": dropped, "networks": dropped}


def await_counted(api, matched, dropped):
    deadline = time.monotonic() + 30
    while counted(api) != of(matched, dropped):
        assert time.monotonic() < deadline, (counted(api), of(matched, dropped))


def count(api, matched, dropped, before=(0, 0)):
    """That many frames, and that they are counted beside those before."""
    send(api, 1, matched)
    send(api, 3, dropped)
    await_counted(api, before[0] + matched, before[1] + dropped)


def reset(api):
    api.post("/v1/stats/reset", want=204)
    assert counted(api) == of(0, 0)


def restart(site, api, end, *which):
    """end: stop or kill. Returns when they are in step again."""
    api.close()
    with Watch(site.socket, "?kinds=dataplane&initial=false") as watch:
        for daemon in which:
            getattr(getattr(site, daemon), end)()
        if "tenond" not in which:
            watch.until(event="DISCONNECTED")
    for daemon in which:
        getattr(site, daemon).start()
    site.wait_connected()


def test_counters_from_zero_again(site, api):
    for n in (3, 2):
        count(api, n, 1)
        reset(api)
    # A flow of the same id that comes later counts from 0, too, and what was reset before is not
    # taken off what it counts.
    (old,) = api.get("/v1/flows").json["flows"]
    api.delete("/v1/flows/%s/%s" % (DEVICE, old["id"]), want=204)
    add_flow(api)
    count(api, 9, 0)
    for name in ("viewer", "red"):
        site.tcp(site.port, secret_of(name)).post("/v1/stats/reset", want=403)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_kept_by_tenond(site, api, end):
    """As soon as it is acknowledged: nothing is asked for between the answer and the end."""
    count(api, 5, 3)
    for n in (2, 1):
        api.post("/v1/stats/reset", want=204)
        restart(site, api, end, "tenond")
        assert counted(api) == of(0, 0)
        count(api, n, 1)
        restart(site, api, end, "tenond")
        assert counted(api) == of(n, 1)


def test_what_comes_after_a_restart(site, api):
    """Its base went from the store with what it was of."""
    count(api, 5, 3)
    reset(api)
    (old,) = api.get("/v1/flows").json["flows"]
    api.delete("/v1/flows/%s/%s" % (DEVICE, old["id"]), want=204)
    restart(site, api, "kill", "tenond")
    add_flow(api)
    send(api, 1, 6)
    deadline = time.monotonic() + 30
    while counted(api) != dict(of(6, 0), flow=6):
        assert time.monotonic() < deadline, counted(api)


@pytest.mark.parametrize("which", [("dataplane",), ("dataplane", "tenond")],
                         ids=["dataplane", "both"])
@pytest.mark.parametrize("more", [-1, 2])
def test_a_new_data_plane_counts_from_zero(site, api, which, more):
    """Whether it has counted fewer by then than were reset, or more."""
    count(api, 4, 2)
    reset(api)
    restart(site, api, "kill", *which)
    count(api, 4 + more, 2 + more)
    # What counts now is this process's, and is reset and kept like that of the other.
    reset(api)
    count(api, 1, 0)
    restart(site, api, "kill", "tenond")
    assert counted(api) == of(1, 0)
    count(api, 2, 1, before=(1, 0))


def test_away(site, api):
    count(api, 1, 1)
    site.dataplane.kill()
    deadline = time.monotonic() + 30
    while api.post("/v1/stats/reset").status != 503:
        assert time.monotonic() < deadline


def test_two_at_a_time(site, api):
    """Each of many that come together is told when it is kept."""
    for n in range(1, 4):
        count(api, n, n)
        clients = [site.api() for _ in range(5)]
        for c in clients:
            c.connection.request("POST", "/v1/stats/reset")
        statuses = [c.connection.getresponse() for c in clients]
        assert [(a.status, a.read()) for a in statuses] == list(
            itertools.repeat((204, b""), len(clients)))
        assert counted(api) == of(0, 0)
