# SPDX-License-Identifier: BSD-3-Clause
"""Are the frames that came out those that should have? Looked at before anything is timed."""
import struct

import rules

LOCAL = bytes([198, 51, 100, 1])


class Wrong(Exception):
    """An engine did other work than the scenario's."""


def read(path):
    """The frames of a little-endian pcap file; one that is cut off ends with its last whole one."""
    with open(path, "rb") as file:
        data = file.read()
    at, out = 24, []
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        if at + 16 + length <= len(data):
            out.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return out


def checksum_ok(header):
    total = sum(struct.unpack("!%dH" % (len(header) // 2), header))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return total == 0xffff


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def address_bytes(text):
    return bytes(int(x) for x in text.split("."))


def is_encapsulated(outer, vni, remote, mac, first_port):
    """All of the 50 bytes before the inner frame."""
    ip, udp, vxlan = outer[14:34], outer[34:42], outer[42:50]
    return (outer[:12] == mac_bytes(mac) + mac_bytes(rules.UPLINK_MAC)
            and outer[12:15] == b"\x08\x00\x45" and checksum_ok(ip)
            and struct.unpack("!H", ip[2:4])[0] == len(outer) - 14 and ip[9] == 17
            and ip[12:20] == LOCAL + address_bytes(remote)
            and struct.unpack("!HHH", udp[:6])[1:] == (4789, len(outer) - 34)
            and struct.unpack("!H", udp[:2])[0] >= first_port and ip[8] > 0
            and vxlan == struct.pack("!II", 0x08000000, vni << 8))


def repeat(path, to, times):
    """A capture whose frames come so many times."""
    with open(path, "rb") as file:
        data = file.read()
    with open(to, "wb") as file:
        file.write(data[:24] + times * data[24:])


def check(taken, sent, scenario, first_port, once=True, all_of_them=True):
    """
    Every frame that was sent, against what the scenario makes of the capture's: each of them came
    out, and once. Their order across flows is the engine's own affair. Returns how many were checked.
    """
    places = {frame[50:] if scenario.decapsulates else frame: i for i, frame in enumerate(taken)}
    seen = set()
    for number, frame in enumerate(sent):
        inner = frame if scenario.decapsulates else frame[50:]
        place = places.get(inner)
        if place is None or (once and place in seen):
            raise Wrong("frame %d that was sent is none of the capture's, or one of them again: %s"
                        % (number, frame.hex()))
        seen.add(place)
        if scenario.decapsulates:
            continue
        vni, remote, mac = 100, rules.FIXED["remote"], rules.PEER_MAC
        if scenario.tunnel == rules.PER_FLOW:
            vni, remote, mac = rules.mesh_endpoint(place)
        if not is_encapsulated(frame, vni, remote, mac, first_port):
            raise Wrong("frame %d is not encapsulated as it should be: %s" % (number, frame.hex()))
    if not seen or (all_of_them and len(seen) != len(taken)):
        raise Wrong("%d frames came in, %d were sent" % (len(taken), len(seen)))
    return len(sent)


def check_same(taken, sent):
    """Those that came went through unchanged; rings may overflow. Returns how many came."""
    known = set(taken)
    for number, frame in enumerate(sent):
        if frame not in known:
            raise Wrong("frame %d is none of the capture's: %s" % (number, frame.hex()))
    if len(sent) < 1000:
        raise Wrong("of %d frames %d came out" % (len(taken), len(sent)))
    return len(sent)
