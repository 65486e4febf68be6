#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tcx.py INTERFACE: how many programs are at its way in, by tcx (BPF_PROG_QUERY of bpf(2)); before Linux
6.6 how many filters of ours."""
import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
PROG_QUERY, TCX_INGRESS = 16, 46

attr = ctypes.create_string_buffer(
    struct.pack("=IIII", socket.if_nametoindex(sys.argv[1]), TCX_INGRESS, 0, 0), 64)
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(SYS_BPF, PROG_QUERY, attr, 64) < 0:
    if ctypes.get_errno() == errno.EINVAL:
        filters = subprocess.run(["tc", "filter", "show", "dev", sys.argv[1], "ingress"], text=True,
                                 stdout=subprocess.PIPE, check=True).stdout
        print(filters.count(" handle 0x7e01 "))
        sys.exit(0)
    if ctypes.get_errno() != errno.ENOENT:  # there were never any
        sys.exit(os.strerror(ctypes.get_errno()))
print(struct.unpack_from("=I", attr, 24)[0])
