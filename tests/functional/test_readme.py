# SPDX-License-Identifier: BSD-3-Clause
"""The README says only what is true: its commands are run and their output compared."""
import os
import re
import signal
import subprocess

import pytest

from replaying import REPLAY, TOP
from tenon import BUILD

with open(TOP + "/README.md") as readme:
    TEXT = readme.read()


def sections():
    """Of each section that has ```console blocks: its title, [(command, lines of output)]."""
    for section in re.split(r"^## ", TEXT, flags=re.M):
        commands = []
        for block in re.findall(r"```console\n(.*?)```", section, re.S):
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, rest = re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n?(.*)", part, re.S).groups()
                commands.append((command, rest.rstrip("\n").split("\n") if rest else []))
        if commands:
            yield section.split("\n")[0], commands


# What differs from run to run.
VARIES = [(r"(duration|idle_age)=\d+", r"\1=N"), (r" for \d+ (s|min)", " for N s")]


def settle(line):
    for pattern, replacement in VARIES:
        line = re.sub(pattern, replacement, line)
    return line


def fits(wanted, got):
    """`...` stands for any lines."""
    pattern = "\n".join(".*" if line == "..." else re.escape(settle(line)) for line in wanted)
    return re.fullmatch(pattern, "\n".join(map(settle, got)), re.S) is not None


class Shell:
    """As one sits before it: what is started in the background goes with it."""

    END = "--- end of what it said ---"

    def __init__(self):
        programs = ["tools/replay", "tools/tenonctl", "control", "dataplane/agent"]
        path = ":".join([os.path.join(BUILD, p) for p in programs] + [os.environ["PATH"]])
        self.bash = subprocess.Popen(
            ["bash"], cwd=TOP, env={**os.environ, "PATH": path}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def run(self, command):
        """The lines that it prints."""
        self.bash.stdin.write("%s\necho '%s'\n" % (command, self.END))
        self.bash.stdin.flush()
        lines = []
        for line in self.bash.stdout:
            if line.rstrip("\n").endswith(self.END):
                # How fast it was differs from run to run.
                return [line for line in lines if not re.search(r"million a second$", line)]
            lines.append(line.rstrip("\n"))
        raise AssertionError("the shell ended at: %s\n%s" % (command, "\n".join(lines)))

    def close(self):
        os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.wait()
        self.bash.stdin.close()
        self.bash.stdout.close()


@pytest.mark.parametrize("title, commands", sections(), ids=[title for title, _ in sections()])
def test_examples(title, commands):
    os.makedirs(TOP + "/build", exist_ok=True)
    shell = Shell()
    try:
        for command, wanted in commands:
            got = shell.run(command)
            assert fits(wanted, got), "$ %s\n%s" % (command, "\n".join(got))
    finally:
        shell.close()


def test_there_are_examples():
    assert [len(commands) for _, commands in sections()] >= [5, 15]
    assert sum(len(wanted) for _, commands in sections() for _, wanted in commands) > 50


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
