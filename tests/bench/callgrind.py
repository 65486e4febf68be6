# SPDX-License-Identifier: BSD-3-Clause
"""Reads what callgrind counted, by function of the source, and sums it by stage of a packet's way."""
import collections
import os
import re

PROGRAM = "tests/bench/bench_fastpath"
# As --buildtype=release, with the lines of the source; nobody's own flags.
BUILD_OPTIONS = ["-Doptimization=3", "-Ddebug=true", "-Db_ndebug=true", "-Ddataplane=false"]
BUILD_ENVIRONMENT = {"CC": "gcc", "CFLAGS": "", "CPPFLAGS": "", "LDFLAGS": ""}

# The first that fits (file, function). Inlined code is its own function's, not its caller's.
STAGES = [
    ("receive", r"worker\.c", r"tn_worker_burst|set_version|bytes_of"),
    ("receive", r"process\.c|snapshot\.c", r"tn_ingress_refuses|tn_snapshot_port"),
    ("tunnel", r"receive\.c", r"fold16|ip_checksum_ok|peer_slot|plain_ip4|receive_peer|"
                              r"remember_peer|receive_outer|tn_wk_receive_underlay"),
    ("parse", r"core/(parse|cursor|wire|key)\.[ch]|receive\.c", r".*"),
    ("key", r"shape\.[ch]", r".*"),
    ("key", r"session\.h|worker_private\.h", r"tn_session_hash\w*|tn_wk_hash_run|tn_wk_mask_key"),
    ("session", r"session\.[ch]", r".*"),
    ("session", r"worker\.c", r"fetch_entries|verify_entries|usable|hit|forward"),
    ("session", r"worker_private\.h", r"tn_wk_find"),
    ("decide", r"pipeline/.*|table/.*|miss\.c|program_cache\.[ch]|compile\.[ch]|counts\.[ch]", r".*"),
    ("decide", r"worker\.c", r"run_missed"),
    ("transmit", r"worker_private\.h", r"tn_wk_transmit|tn_wk_tx_reserve"),
    ("transmit", r"worker\.c", r"flush_port|tn_worker_flush|tn_wk_tx_full"),
    ("execute", r".*", r".*"),
]
ORDER = ["receive", "tunnel", "parse", "key", "session", "decide", "execute", "transmit"]

HEAD = re.compile(r"(\w+)\s*\([^()]*(\([^()]*\)[^()]*)*\)\s*$")


def functions(path):
    """(first line, last line, name) of each function of a source file in the project's style."""
    found, start, head = [], None, []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("{"):
                name = HEAD.search(" ".join(head))
                start = (number - len(head), name.group(1)) if name else None
            elif line.startswith("}") and start:
                found.append((start[0], number, start[1]))
                start = None
            if line.strip() and not line.startswith(("{", "}", "/", " *", "#")):
                head.append(line.strip())
            else:
                head = []
    return found


class Source:
    """Where a line of a file below `top` belongs."""

    def __init__(self, top):
        self.top, self.files = os.path.realpath(top), {}

    def function(self, path, line):
        """(file below top, function); None: the file is not of the project."""
        known = os.path.isabs(path)
        path = os.path.realpath(path)
        if not known or not path.startswith(self.top + "/"):
            return None
        if path not in self.files:
            self.files[path] = functions(path)
        name = next((n for first, last, n in self.files[path] if first <= line <= last), "?")
        return os.path.relpath(path, self.top), name


def stage(place):
    file, function = place
    return next(name for name, files, names in STAGES
                if re.search("(?:%s)$" % files, file) and re.fullmatch(names, function))


def name_of(names, text):
    """callgrind writes "(7) name" once and "(7)" from then on."""
    found = re.match(r"\((\d+)\)(?: (.*))?$", text)
    if not found:
        return text
    if found.group(2) is not None:
        names[found.group(1)] = found.group(2)
    return names[found.group(1)]


def read(path, program, source):
    """
    {(file, function): instructions} of the program itself, calls left out. What it called in
    libraries is not counted: glibc picks the variant of a function by the processor.
    """
    names = {"ob": {}, "fl": {}, "fn": {}}
    costs = collections.Counter()
    thing, file, home, line, after_call = None, None, None, 0, False
    with open(path, encoding="utf-8", errors="replace") as text:
        for row in text:
            row = row.rstrip("\n")
            key, equals, value = row.partition("=")
            if equals and key in ("ob", "cob"):
                value = name_of(names["ob"], value)
                thing = value if key == "ob" else thing
            elif equals and key in ("fl", "fi", "fe", "cfi", "cfl"):
                value = name_of(names["fl"], value)
                file = file if key in ("cfi", "cfl") else value
                home = value if key == "fl" else home
            elif equals and key in ("fn", "cfn"):
                name_of(names["fn"], value)
            elif key == "calls":
                after_call = True
            elif re.match(r"[0-9+*-]", row):
                words = row.split()
                line = (line if words[0] == "*" else line + int(words[0]) if words[0][0] in "+-"
                        else int(words[0]))
                if after_call or len(words) < 2:
                    after_call = False
                elif thing and os.path.realpath(thing) == program:
                    # A compiler's header is of the file that the function around it is in.
                    place = source.function(file, line) or source.function(home, 0)
                    costs[place or (home, "?")] += int(words[1])
    return costs


def by_stage(costs):
    """Of the data plane alone: the benchmark's own functions are left out."""
    sums = collections.Counter()
    for place, cost in costs.items():
        if place[0].startswith("dataplane/"):
            sums[stage(place)] += cost
    return sums
