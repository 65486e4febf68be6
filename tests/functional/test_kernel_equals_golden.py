# SPDX-License-Identifier: BSD-3-Clause
"""Golden cases with the kernel's programs beside the exact engine: what the kernel can do it does to
the byte as the cases want it, what it cannot it sends up as it came."""
import os
import sys

import pytest

from netlab import why_not
from replaying import TOP

sys.path.insert(0, os.path.join(TOP, "tests", "golden"))
import golden  # noqa: E402

KERNEL = os.path.join(os.environ.get("TENON_BUILD", TOP + "/build/opt"),
                      "tests/golden/replay_through_kernel")
# Of what tunnels and groups of receivers make more than one frame of, the kernel does nothing.
GROUPS = ("action/", "learn/", "match/", "pipeline/", "set/")


def test_golden_cases(tmp_path, monkeypatch):
    missing = why_not()
    if missing:
        pytest.skip(missing)
    done = str(tmp_path / "frames")
    monkeypatch.setenv("TENON_KERNEL_FRAMES", done)
    cases = [n for n in golden.case_names()
             if n.startswith(GROUPS) and "refused" not in golden.load(n)]
    assert len(cases) > 200
    wrong = [(name, error) for name, error, _ in
             golden.run_cases([KERNEL], cases, False, os.cpu_count()) if error]
    assert not wrong, wrong
    assert os.path.getsize(done) > 200
