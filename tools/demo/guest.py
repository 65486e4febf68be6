# SPDX-License-Identifier: BSD-3-Clause
"""Virtual machines under QEMU without hardware help: Debian's cloud kernel and a busybox."""
import glob
import lzma
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time

from lab import HERE, TOP

QEMU = "qemu-system-x86_64"
BUSYBOX = "/bin/busybox"
CACHE = os.path.join(TOP, "build", "guest")
IMAGE = "linux-image-cloud-amd64"  # the package
MEMORY = 256
KERNEL = "TN_GUEST_KERNEL"
# In the order of their loading.
MODULES = ["drivers/virtio/virtio_ring", "drivers/virtio/virtio",
           "drivers/virtio/virtio_pci_legacy_dev", "drivers/virtio/virtio_pci_modern_dev",
           "drivers/virtio/virtio_pci", "net/core/failover", "drivers/net/net_failover",
           "drivers/net/virtio_net"]
BOOT_SECONDS = 240
# Commands come by the second serial line, one a line after its length; what each says ends with its
# status. A serial line has no checksums, and of a busy machine it may lose something.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for module in %s; do insmod /lib/$module.ko; done
sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv6.conf.default.accept_dad=0 \\
    net.ipv6.conf.default.router_solicitations=0
ip link set lo up
exec </dev/ttyS1 >/dev/ttyS1 2>&1
stty raw -echo
echo "<<0>>"
while read -r length line; do
if [ "${#line}" = "$length" ]; then eval "$line" </dev/null; echo "<<$?>>"; else echo "<<lost>>"; fi
done
poweroff -f
"""


def why_not():
    """What is missing on this machine; None: nothing."""
    for program in (QEMU, BUSYBOX, "cpio", "apt-get", "dpkg-deb"):
        if not shutil.which(program):
            return "needs %s" % program
    return None


def run(*command, **kwargs):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **kwargs)


def download(image, folder):
    """The package that this one stands for now, not installed."""
    said = run("apt-cache", "depends", image, text=True).stdout
    package = re.search(r"Depends: (linux-image-\S+-cloud-amd64)", said).group(1)
    run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package, cwd=folder)


def fetch(image, place):
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        try:
            download(image, folder)
        except (subprocess.CalledProcessError, AttributeError):
            run("apt-get", "-qq", "update")  # the lists may be absent or old
            download(image, folder)
        run("dpkg-deb", "-x", glob.glob(folder + "/*.deb")[0], folder + "/system")
        try:
            os.rename(folder + "/system", place)
        except OSError:  # another run was faster
            assert os.path.isdir(place)


def unpack(image=IMAGE):
    """Kernel and modules, once for all tests and runs: (kernel, folder of modules). TN_GUEST_KERNEL
    names another kernel, which has all that is needed built in."""
    place = os.path.join(CACHE, image)
    if os.environ.get(KERNEL):
        return os.environ[KERNEL], None
    if not os.path.isdir(place):
        fetch(image, place)
    return (glob.glob(place + "/boot/vmlinuz-*")[0],
            glob.glob(place + "/lib/modules/*/kernel")[0])


def add_module(path, to):
    """false: the kernel has it built in."""
    if os.path.exists(path):
        shutil.copy(path, to)
    elif os.path.exists(path + ".xz"):
        with lzma.open(path + ".xz") as packed, open(to, "wb") as f:
            shutil.copyfileobj(packed, f)
    else:
        return False
    return True


def add_modules(root, folder, names):
    """Those that the kernel has not built in, into a folder: what they are called there."""
    called = []
    for name in names if folder else ():
        base = os.path.basename(name)
        if add_module("%s/%s.ko" % (folder, name), "%s/%s.ko" % (root, base)):
            called.append(base)
    assert called or not folder, "no modules in " + folder
    return called


def make_initramfs(path, modules):
    with tempfile.TemporaryDirectory() as root:
        for name in ("bin", "lib", "proc", "sys", "dev", "tmp"):
            os.mkdir(os.path.join(root, name))
        shutil.copy(BUSYBOX, root + "/bin/busybox")
        with open(root + "/init", "w") as f:
            f.write(INIT % " ".join(add_modules(root + "/lib", modules, MODULES)))
        os.chmod(root + "/init", stat.S_IRWXU)
        shutil.copy(os.path.join(HERE, "dhcp"), root)
        names = run("find", ".", "-print0", cwd=root).stdout
        with open(path, "wb") as f:
            subprocess.run(["cpio", "--null", "-o", "--quiet", "-H", "newc"], input=names, stdout=f,
                           cwd=root, check=True)


class Machine:
    """One machine in a lab, with an interface for each (socket, MAC, options of the device)."""

    def __init__(self, lab, name, interfaces, memory=MEMORY, image=IMAGE):
        self.lab = lab
        self.name = name
        self.console = "%s/%s.console" % (lab.folder, name)
        control = "%s/%s.control" % (lab.folder, name)
        kernel, modules = unpack(image)
        initramfs = lab.folder + "/initramfs"
        if not os.path.exists(initramfs):
            make_initramfs(initramfs, modules)
        words = [QEMU, "-machine", "q35,accel=tcg", "-cpu", "max", "-m", memory, "-nodefaults",
                 "-display", "none", "-no-reboot", "-object",
                 "memory-backend-memfd,id=mem,size=%dM,share=on" % memory, "-numa",
                 "node,memdev=mem", "-serial", "file:" + self.console, "-chardev",
                 "socket,id=control,path=%s,server=on,wait=off" % control, "-serial",
                 "chardev:control", "-kernel", kernel, "-initrd", initramfs, "-append",
                 "console=ttyS0 loglevel=4 panic=-1 rdinit=/init net.ifnames=0 no_timer_check"]
        for i, (path, mac, options) in enumerate(interfaces):
            words += ["-chardev", "socket,id=c%d,path=%s,server=on,wait=off" % (i, path),
                      "-netdev", "vhost-user,id=n%d,chardev=c%d" % (i, i), "-device",
                      # Without KVM there is no irqfd, which MSI-X of vhost would need.
                      "virtio-net-pci,netdev=n%d,mac=%s,vectors=0%s" % (i, mac, options)]
        self.process = lab.start(None, *words)
        self.said, self.command = b"", None
        self.line = socket.socket(socket.AF_UNIX)
        self.connect(control)

    def connect(self, path):
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            try:
                self.line.connect(path)
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, self.log()
                time.sleep(0.05)

    def log(self):
        said = "" if self.process.poll() is None else self.process.stdout.read()
        if os.path.exists(self.console):
            with open(self.console, errors="replace") as f:
                said += f.read()
        return "%s: %s" % (self.name, said)

    def answer(self, limit):
        """What it says up to the end of a command: (status, text)."""
        deadline = time.monotonic() + limit
        while True:
            found = re.search(rb"<<(\d+|lost)>>\r?\n", self.said)
            if found and found.group(1) == b"lost":
                self.said = self.said[found.end():]
                self.begin(self.command)
                continue
            if found:
                text = self.said[:found.start()].decode(errors="replace").replace("\r", "")
                self.said = self.said[found.end():]
                return int(found.group(1)), text
            self.line.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self.line.recv(65536)
            except TimeoutError:
                more = b""
            assert more, "no answer: %s\n%s" % (self.said, self.log())
            self.said += more

    def booted(self):
        self.answer(BOOT_SECONDS)
        return self

    def begin(self, command):
        self.command = command.strip()
        self.line.sendall(b"%d %s\n" % (len(self.command), self.command.encode()))

    def end(self, check=True, limit=60):
        status, text = self.answer(limit)
        assert not check or status == 0, "%s: status %d\n%s\n%s" % (
            self.name, status, text, self.log())
        return text

    def run(self, command, check=True, limit=60):
        """The output of a command of its shell."""
        self.begin(command)
        return self.end(check, limit)

    def ping(self, address, count=3, wait=30):
        """Waits for the first answer, then each must come."""
        deadline = time.monotonic() + wait
        while " 0% packet loss" not in self.run("ping -c 1 -W 1 %s" % address, check=False):
            assert time.monotonic() < deadline, "%s does not reach %s" % (self.name, address)
        self.run("ping -c %d -i 0.1 -W 5 %s" % (count, address))

    def close(self):
        self.line.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
