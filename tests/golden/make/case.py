# SPDX-License-Identifier: BSD-3-Clause
"""One golden case: collects what a script says of it and writes the file."""
import json
import os

import frames

CASES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cases")
made = {}


def inline(value):
    return json.dumps(value, ensure_ascii=False)


def pretty(value, indent=0, width=100):
    """JSON for people: what fits on a line stands on one."""
    pad = "  " * indent
    text = inline(value)
    if not isinstance(value, (dict, list)) or not value or len(pad) + len(text) <= width:
        return text
    if isinstance(value, dict):
        rows = ["%s: %s" % (inline(k), pretty(v, indent + 1, width)) for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        rows = [pretty(v, indent + 1, width) for v in value]
        opening, closing = "[", "]"
    body = (",\n" + pad + "  ").join(rows)
    return "%s\n%s  %s\n%s%s" % (opening, pad, body, pad, closing)


class Case:
    """
    with Case("group/name", "sentence", document(...)) as case:
        case.send(1, packet)            # a frame into port 1
        case.expect(2, packet)          # what port 2 then sends
        case.drop("table_miss")
    """

    def __init__(self, name, says, config):
        self.name = name
        self.body = {"says": says, "config": config, "in": []}
        self.want = {"out": []}
        self.drops = {}

    def send(self, port, packet, at_ms=None, what=None, cut=None):
        """cut: the capture holds only so many bytes of the frame."""
        data = frames.raw(packet)
        entry = {"port": port}
        entry["ms"] = len(self.body["in"]) if at_ms is None else at_ms
        if what or not isinstance(packet, bytes):
            entry["what"] = what or packet.summary()
        entry["frame"] = data[:cut].hex() if cut else data.hex()
        if cut:
            entry["length"] = len(data)
        self.body["in"].append(entry)
        return self

    def expect(self, port, packet, what=None, judge=True, cut=None, mask=()):
        """port: a number, or a list when any of them will do. mask: byte ranges that are free."""
        data = frames.raw(packet)
        text = bytearray((data[:cut] if cut else data).hex(), "ascii")
        for first, last in mask:
            text[int(2 * first):int(2 * last)] = b"." * int(2 * (last - first))
        entry = {"port": port, "frame": text.decode()}
        if cut:
            entry["length"] = len(data)
        if not judge or cut:
            entry["judge"] = False
        elif not isinstance(packet, bytes):
            entry["tree"] = frames.tree(packet)
        if what or not isinstance(packet, bytes):
            entry["what"] = what or packet.summary()
        self.want["out"].append(entry)
        return self

    def drop(self, reason, n=1):
        self.drops[reason] = self.drops.get(reason, 0) + n
        return self

    def packet_in(self, packet, reason, port=1, table=0, max_len=None, **more):
        data = frames.raw(packet)
        entry = {"reason": reason, "port": port, "tableId": table, **more,
                 "frame": (data[:max_len] if max_len else data).hex(), "length": len(data)}
        self.want.setdefault("packetIns", []).append(entry)
        return self

    def flow_counts(self, table, priority, packets, length):
        """length: bytes in all."""
        self.want.setdefault("flows", {})["%d/%d" % (table, priority)] = [packets, length]
        return self

    def group_counts(self, number, packets, length, buckets=None):
        entry = {"packets": packets, "bytes": length}
        if buckets is not None:
            entry["buckets"] = buckets
        self.want.setdefault("groups", {})[str(number)] = entry
        return self

    def meter_counts(self, number, packets, length, bands):
        """bands: [packets, bytes] of each."""
        self.want.setdefault("meters", {})[str(number)] = {"packets": packets, "bytes": length,
                                                           "bands": bands}
        return self

    def removed(self, table, priority, reason):
        self.want.setdefault("removed", []).append(
            {"tableId": table, "priority": priority, "reason": reason})
        return self

    def refused(self, pointer, name):
        """The document is refused at this place with this OpenFlow error (None: another kind)."""
        entry = {"pointer": pointer}
        if name:
            entry["ofName"] = name
        self.body.setdefault("refused", []).append(entry)
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.write()

    def write(self):
        if self.name in made:
            raise ValueError("two cases are called " + self.name)
        if "refused" in self.body:
            del self.body["in"]
        else:
            if self.drops:
                self.want["drops"] = dict(sorted(self.drops.items()))
            self.body["want"] = self.want
        made[self.name] = pretty(self.body) + "\n"
