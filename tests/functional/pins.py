#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What another version of the data plane would have left in the BPF file system, by bpf(2):

    pins.py layout FILE                 the map pinned there has larger values
    pins.py abi FILE N                  the first word of the map's only element
    pins.py program FILE INTERFACE...   the tc program pinned there, and at these interfaces, is
                                        another: one that drops
"""
import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, MAP_NEXT, PROG_LOAD, OBJ_PIN, OBJ_GET, PROG_ATTACH, OBJ_INFO = \
    0, 1, 2, 4, 5, 6, 7, 8, 15
SCHED_CLS, TCX_INGRESS, MAY_REPLACE = 3, 46, 4
DROP = struct.pack("=BBhi", 0xb7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, data):
    attr = ctypes.create_string_buffer(data, max(len(data), 128))
    done = libc.syscall(SYS_BPF, command, attr, len(attr))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def pointer(buffer):
    return ctypes.cast(buffer, ctypes.c_void_p).value


def file(command, path, fd=0):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(command, struct.pack("=QI", pointer(name), fd))


def info(fd):
    """type, id, size of a key, of a value, elements, flags."""
    said = ctypes.create_string_buffer(256)
    bpf(OBJ_INFO, struct.pack("=IIQ", fd, len(said), pointer(said)))
    return struct.unpack_from("=6I", said)


def replace(path, fd):
    os.unlink(path)
    file(OBJ_PIN, path, fd)


def element(fd, key, value):
    return struct.pack("=IIQQ", fd, 0, pointer(key), pointer(value))


def keys(fd, size):
    key, following = None, ctypes.create_string_buffer(size)
    while True:
        try:
            bpf(MAP_NEXT, element(fd, key, following) if key else
                struct.pack("=IIQQ", fd, 0, 0, pointer(following)))
        except FileNotFoundError:
            return
        key, following = following, ctypes.create_string_buffer(size)
        yield key


def layout(path):
    old = file(OBJ_GET, path)
    kind, _, key_size, size, elements, flags = info(old)
    new = bpf(MAP_CREATE, struct.pack("=5I", kind, key_size, size + 8, elements, flags))
    value = ctypes.create_string_buffer(size + 8)
    for key in keys(old, key_size):
        bpf(MAP_LOOKUP, element(old, key, value))
        bpf(MAP_UPDATE, element(new, key, value))
    replace(path, new)


def abi(path, number):
    fd = file(OBJ_GET, path)
    key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(info(fd)[3])
    bpf(MAP_LOOKUP, element(fd, key, value))
    struct.pack_into("=I", value, 0, number)
    bpf(MAP_UPDATE, element(fd, key, value))


def attach(interface, fd, old):
    """false: the kernel has no tcx."""
    try:
        bpf(PROG_ATTACH, struct.pack("=IIIII", socket.if_nametoindex(interface), fd, TCX_INGRESS,
                                     MAY_REPLACE, old))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False
    return True


def attach_filter(interface, path):
    subprocess.run(["tc", "filter", "replace", "dev", interface, "ingress", "prio", "1", "handle",
                    "0x7e01", "bpf", "direct-action", "pinned", path], check=True)


def program(path, interfaces):
    code, licence = ctypes.create_string_buffer(DROP, len(DROP)), ctypes.create_string_buffer(b"GPL")
    fd = bpf(PROG_LOAD, struct.pack("=IIQQ", SCHED_CLS, 2, pointer(code), pointer(licence)))
    filters = [interface for interface in interfaces
               if not attach(interface, fd, file(OBJ_GET, path))]
    replace(path, fd)
    for interface in filters:
        attach_filter(interface, path)


def main():
    what, path = sys.argv[1:3]
    if what == "layout":
        layout(path)
    elif what == "abi":
        abi(path, int(sys.argv[3]))
    else:
        program(path, sys.argv[3:])


main()
