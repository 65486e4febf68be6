# SPDX-License-Identifier: BSD-3-Clause
"""Tenon in the place of a Linux host: captures of kernel VXLAN go in, and what the kernel made of
them must come out. tests/data/README.md describes the captures."""
import json
import os
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPLAY = os.environ.get("TENON_REPLAY", TOP + "/build/opt/tools/replay/tenon-replay")
DATA = TOP + "/tests/data/kernel-vxlan"
NETWORKS = {"a": (11, 100, 4), "b": (12, 200, 4), "c": (13, 300, 6)}
TUNNELS = {4: (1, "198.51.100.2", "198.51.100.1"), 6: (2, "2001:db8:ffff::2", "2001:db8:ffff::1")}
MAC_HERE, MAC_THERE = "02:0a:00:00:00:02", "02:0a:00:00:00:01"


def instruction(kind, **values):
    return {"type": kind, **values}


def flow(criteria, instructions):
    return {"priority": 100, "isPermanent": True, "timeout": 0, "selector": {"criteria": criteria},
            "treatment": {"instructions": instructions}}


def configuration():
    """What the kernel's bridges and VXLAN devices were, as flows."""
    ports, flows = [], []
    for version, (number, local, remote) in TUNNELS.items():
        vnis = [vni for _, vni, v in NETWORKS.values() if v == version]
        ports.append({"number": number, "name": "uplink%d" % version, "type": "vxlan",
                      "options": {"local": local, "remote": remote, "vni": "flow", "vnis": vnis,
                                  "udpChecksum": version == 6}})
    for name, (number, vni, version) in NETWORKS.items():
        tunnel = TUNNELS[version][0]
        ports.append({"number": number, "name": name, "type": "pcap"})
        flows.append(flow([{"type": "IN_PORT", "port": tunnel}, {"type": "TUNNEL_ID", "tunnelId": vni}],
                          [instruction("OUTPUT", port=str(number))]))
        flows.append(flow([{"type": "IN_PORT", "port": number}],
                          [instruction("L2MODIFICATION", subtype="TUNNEL_ID", tunnelId=vni),
                           instruction("OUTPUT", port=str(tunnel))]))
    underlay = {"addresses": [{"address": local + ("/24" if v == 4 else "/64"), "mac": MAC_HERE}
                              for v, (_, local, _) in TUNNELS.items()],
                "neighbours": [{"address": remote, "mac": MAC_THERE}
                               for _, _, remote in TUNNELS.values()]}
    return {"device": {"id": "of:00000000000000a1"}, "ports": ports, "underlay": underlay,
            "flows": flows}


def read(path):
    """(nanoseconds, frame) of each record of a pcap file."""
    with open(path, "rb") as f:
        text = f.read()
    magic = int.from_bytes(text[:4], "little")
    unit = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[magic]
    out, at = [], 24
    while at < len(text):
        word = [int.from_bytes(text[at + i:at + i + 4], "little") for i in (0, 4, 8)]
        out.append((word[0] * 10**9 + word[1] * unit, text[at + 16:at + 16 + word[2]]))
        at += 16 + word[2]
    return out


def frames(path):
    return [frame for _, frame in read(path)]


def replay(data, folder):
    config = folder + "/config.json"
    with open(config, "w") as f:
        json.dump(configuration(), f)
    command = [REPLAY, "--config", config, "--out", folder + "/out", "--report",
               folder + "/report.json"]
    for port in ["uplink4", "uplink6"] + list(NETWORKS):
        command += ["--in", "%s=%s/%s-in.pcap" % (port, data, port)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(folder + "/report.json") as f:
        return json.load(f)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("replay"))
    return DATA, folder, replay(DATA, folder)


def in_order(frames):
    return frames


def check_decapsulation(data, folder, name, order=in_order):
    got, want = frames("%s/out/%s.pcap" % (folder, name)), frames("%s/%s-out.pcap" % (data, name))
    assert len(want) > 20
    assert order([f.hex() for f in got]) == order([f.hex() for f in want])


def ip_header(frame):
    return slice(14, 34) if frame[12:14] == b"\x08\x00" else slice(14, 54)


def comparable(frame):
    """A VXLAN frame without what a sender is free to choose: IPv4 identification and the checksum
    over it, IPv6 flow label, UDP source port and the checksum over that."""
    frame = bytearray(frame)
    udp = ip_header(frame).stop
    if udp == 34:
        frame[18:20] = frame[24:26] = b"\0\0"
    else:
        frame[15:18] = bytes([frame[15] & 0xf0]) + b"\0\0"
    frame[udp:udp + 2] = b"\0\0"
    frame[udp + 6:udp + 8] = b"\0\0"
    return bytes(frame)


def is_vxlan(frame):
    udp = ip_header(frame).stop
    protocol = frame[23] if udp == 34 else frame[20]
    return frame[12:14] in (b"\x08\x00", b"\x86\xdd") and protocol == 17 and \
        frame[udp + 2:udp + 4] == (4789).to_bytes(2, "big")


def vni_of(frame):
    at = ip_header(frame).stop + 8 + 4
    return int.from_bytes(frame[at:at + 3], "big")


def check_encapsulation(data, folder, version, order=in_order):
    """In each network the kernel's order; between networks its clocks may have swapped two."""
    name = "uplink%d" % version
    got = frames("%s/out/%s.pcap" % (folder, name))
    want = [f for f in frames("%s/%s-out.pcap" % (data, name)) if is_vxlan(f)]
    assert len(want) > 20
    for vni in sorted({vni_of(f) for f in want} | {vni_of(f) for f in got}):
        ours = [comparable(f).hex() for f in got if vni_of(f) == vni]
        kernels = [comparable(f).hex() for f in want if vni_of(f) == vni]
        assert order(ours) == order(kernels), "VNI %d" % vni


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_guest_gets_what_the_kernel_gave_it(done, name):
    data, folder, _ = done
    check_decapsulation(data, folder, name)


@pytest.mark.parametrize("version", [4, 6])
def test_underlay_gets_what_the_kernel_sent(done, version):
    data, folder, _ = done
    check_encapsulation(data, folder, version)


def test_everything_else_is_a_counted_drop(done):
    """The network that nobody has here, and what the underlay's hosts said to one another."""
    data, _, report = done
    unknown = plain = 0
    for version in (4, 6):
        for frame in frames("%s/uplink%d-in.pcap" % (data, version)):
            if not is_vxlan(frame):
                plain += 1
            elif vni_of(frame) == 999:
                unknown += 1
    assert unknown > 0 and plain > 0
    drops = {d["reason"]: d["packets"] for d in report["drops"]}
    assert drops == {"vxlan_unknown_vni": unknown, "not_tunnelled": plain}


def test_tshark_finds_nothing_wrong(done):
    """Every checksum that Tenon wrote or carried, over both underlays."""
    _, folder, _ = done
    bad = " || ".join(["_ws.malformed"] + ["%s.checksum.status == 0" % p for p in
                                           ("ip", "udp", "tcp", "icmp", "icmpv6")])
    for port in ("uplink4", "uplink6", "a", "b", "c"):
        command = ["tshark", "-n", "-r", "%s/out/%s.pcap" % (folder, port), "-Y", bad]
        for p in ("ip", "udp", "tcp"):
            command += ["-o", p + ".check_checksum:TRUE"]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert out.stdout.decode() == "", port


def test_entropy_of_the_source_port(done):
    """Flows spread over source ports, one flow stays on one, all in the dynamic range."""
    _, folder, _ = done
    ports = {}
    for frame in frames(folder + "/out/uplink4.pcap"):
        inner = frame[50:]
        if inner[12:14] == b"\x08\x00" and inner[23] in (6, 17) and not (inner[20] & 0x3f | inner[21]):
            ports.setdefault(inner[23:24] + inner[26:38], set()).add(int.from_bytes(frame[34:36], "big"))
    assert len(ports) > 3
    assert all(len(p) == 1 for p in ports.values())
    assert all(49152 <= min(p) for p in ports.values())
    assert len(set.union(*ports.values())) > len(ports) // 2


def test_a_capture_made_now(tmp_path):
    """The same with frames that this machine's kernel makes at this moment. On a busy machine its
    timers may pass two frames of one instant to two captures in different order."""
    data = str(tmp_path / "data")
    os.mkdir(data)
    made = subprocess.run([TOP + "/tests/data/capture-kernel-vxlan", data], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    text = made.stdout.decode()
    if made.returncode == 77:
        pytest.skip(text.strip().split("\n")[-1])
    assert made.returncode == 0, text
    folder = str(tmp_path)
    replay(data, folder)
    for name in NETWORKS:
        check_decapsulation(data, folder, name, sorted)
    for version in TUNNELS:
        check_encapsulation(data, folder, version, sorted)
