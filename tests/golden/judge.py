# SPDX-License-Identifier: BSD-3-Clause
"""tshark as a second pair of eyes: no malformed frame, no bad checksum, the expected layers."""
import os
import subprocess
import tempfile

CHECKSUMS = ["ip.checksum.status", "tcp.checksum.status", "udp.checksum.status",
             "icmp.checksum.status", "icmpv6.checksum.status", "sctp.checksum.status"]
BAD = "0"
FIELDS = ["frame.number", "frame.protocols", "_ws.malformed", "udp.srcport"] + CHECKSUMS
# Every checksum is computed; fragments stay fragments.
OPTIONS = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE",
           "sctp.checksum:TRUE", "ip.defragment:FALSE", "ipv6.defragment:FALSE"]
# Ports of the cases that tshark gives to some application.
AS_DATA = ["udp.port==2222,data", "tcp.port==2222,data"]
VXLAN_SPORT_MIN = 49152


def judge(frames):
    """frames: (case, bytes, wanted entry). Returns {case: [complaints]}."""
    complaints = {}
    if not frames:
        return complaints
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "frames.pcap")
        with open(path, "wb") as f:
            f.write(b"\x4d\x3c\xb2\xa1\x02\x00\x04\x00" + b"\0" * 8 + b"\0\0\4\0\1\0\0\0")
            for i, (_, data, _) in enumerate(frames):
                head = (i, 0, len(data), len(data))
                f.write(b"".join(n.to_bytes(4, "little") for n in head) + data)
        command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|"]
        for option in OPTIONS:
            command += ["-o", option]
        for rule in AS_DATA:
            command += ["-d", rule]
        for field in FIELDS:
            command += ["-e", field]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "LC_ALL": "C"})
    lines = done.stdout.decode().splitlines()
    if done.returncode != 0 or len(lines) != len(frames):
        text = done.stderr.decode(errors="replace")
        return {frames[0][0]: ["tshark read %d of %d frames: %s" % (len(lines), len(frames), text)]}
    for (case, data, want), line in zip(frames, lines):
        for text in look(dict(zip(FIELDS, line.split("|"))), want):
            complaints.setdefault(case, []).append("%s: %s" % (text, data.hex()))
    return complaints


def look(fields, want):
    if fields["_ws.malformed"]:
        yield "malformed"
    for name in CHECKSUMS:
        if BAD in fields[name].split(","):
            yield "bad " + name.replace(".status", "")
    wanted = want.get("tree")
    if wanted and not (fields["frame.protocols"] + ":").startswith(wanted + ":"):
        yield "layers %s, not %s" % (fields["frame.protocols"], wanted)
    if "vxlan" in fields["frame.protocols"].split(":"):
        sport = int(fields["udp.srcport"].split(",")[0])
        if sport < VXLAN_SPORT_MIN:
            yield "VXLAN source port %d is not one of the dynamic ports" % sport
