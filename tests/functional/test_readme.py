# SPDX-License-Identifier: BSD-3-Clause
"""The README says only what is true: its commands are run and their output compared."""
import os
import re
import subprocess

import pytest

from replaying import REPLAY, TOP

with open(TOP + "/README.md") as readme:
    TEXT = readme.read()


def sessions():
    """(command, lines of output) of each ```console block, in order."""
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, rest = re.match(r"((?:.*\\\n)*.*)(\n)?(.*)", part, re.S).groups()
            yield command, rest.rstrip("\n").split("\n") if rest else []


def fits(wanted, got):
    """`...` stands for any lines."""
    pattern = "\n".join(".*" if line == "..." else re.escape(line) for line in wanted)
    return re.fullmatch(pattern, "\n".join(got), re.S) is not None


def run(command):
    path = os.path.dirname(REPLAY) + ":" + os.environ["PATH"]
    done = subprocess.run(["bash", "-c", command], cwd=TOP, env={**os.environ, "PATH": path},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.decode().rstrip("\n").split("\n")
    # How fast it was differs from run to run.
    return [line for line in lines if not re.search(r"million a second$", line)]


def test_examples():
    os.makedirs(TOP + "/build", exist_ok=True)
    seen = 0
    for command, wanted in sessions():
        got = run(command)
        seen += 1
        if wanted:
            assert fits(wanted, got), "$ %s\n%s" % (command, "\n".join(got))
    assert seen >= 5


def test_configurations(tmp_path):
    blocks = re.findall(r"```json\n(.*?)```", TEXT, re.S)
    assert blocks
    for block in blocks:
        path = tmp_path / "config.json"
        path.write_text(block)
        subprocess.run([REPLAY, "--config", str(path), "--check"], check=True)


@pytest.mark.parametrize("name", sorted(set(re.findall(
    r"`((?:dataplane|control|tools|tests|configs)/[\w./-]*)`", TEXT))))
def test_paths_exist(name):
    assert os.path.exists(os.path.join(TOP, name)), name
