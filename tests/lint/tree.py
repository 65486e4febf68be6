# SPDX-License-Identifier: BSD-3-Clause
"""What the lint scripts share: the files of the tree, C text without comments, how to complain."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def files():
    """Every file of the tree that git knows or would add, sorted, relative to the top."""
    out = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                          "--exclude-standard"], cwd=TOP, check=True, stdout=subprocess.PIPE).stdout
    names = [n for n in out.decode().split("\0") if n]
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(TOP, n)))


def read(name):
    with open(os.path.join(TOP, name), "rb") as f:
        return f.read().decode("utf-8", "replace")


def is_text(name):
    with open(os.path.join(TOP, name), "rb") as f:
        return b"\0" not in f.read(8192)


def is_c(name):
    return name.endswith((".c", ".h", ".def"))


def is_script(name, kind):
    """kind: "bash" or "python". By name or by the first line."""
    if kind == "python" and name.endswith(".py"):
        return True
    with open(os.path.join(TOP, name), "rb") as f:
        first = f.readline(80)
    if not first.startswith(b"#!"):
        return False
    return (b"python" in first) if kind == "python" else (b"bash" in first or b"/sh" in first)


def without_comments(text, strings=True):
    """C text with comments (and, when asked, string contents) blanked; line numbers stay."""
    def blank(m):
        s = m.group(0)
        if s[0] == "/":
            return re.sub(r"[^\n]", " ", s)
        return s if strings else s[0] + re.sub(r"[^\n]", " ", s[1:-1]) + s[-1]
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, blank, text, flags=re.S)


class Complaints:
    def __init__(self):
        self.n = 0

    def add(self, name, line, text):
        self.n += 1
        print("%s:%d: %s" % (name, line, text))

    def finish(self):
        sys.exit(1 if self.n else 0)
