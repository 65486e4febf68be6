# SPDX-License-Identifier: BSD-3-Clause
"""What a process takes."""
import os
import time

PATIENCE = 60


def child_named(pid, name):
    """That process below another: nsenter forks."""
    while True:
        with open("/proc/%d/comm" % pid) as f:
            if f.read().strip() == name[:15]:
                return pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            pid = int(f.read().split()[0])


class Process:
    def __init__(self, pid):
        self.pid = pid

    def status(self, path, key):
        with open("/proc/%d/%s" % (self.pid, path)) as f:
            return next(int(line.split()[1]) for line in f if line.startswith(key + ":"))

    def rss_kb(self):
        return self.status("status", "VmRSS")

    def threads(self):
        return os.listdir("/proc/%d/task" % self.pid)

    def wakeups(self):
        return sum(self.status("task/%s/status" % t, "voluntary_ctxt_switches")
                   for t in self.threads())

    def await_idle(self, seconds=1, most=10):
        """Until so long it slept but for a few moments: whatever polls never does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            before = self.wakeups()
            time.sleep(seconds)
            woke = self.wakeups() - before
            if woke <= most:
                return
            assert time.monotonic() < deadline, "woke %d times in %d s" % (woke, seconds)
