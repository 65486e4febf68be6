/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loaded before a program (LD_PRELOAD): kills it instead of the Nth change that it makes to what
 * outlives it in the kernel: bpf(2) that writes, and files of the BPF file system. KILL_AT=N.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#define BPFFS "/sys/fs/bpf/"

static void changes(void)
{
	static unsigned n;
	const char *at = getenv("KILL_AT");

	if (at && __atomic_add_fetch(&n, 1, __ATOMIC_RELAXED) == (unsigned)atoi(at))
		kill(getpid(), SIGKILL);
}

static bool is_change(long command)
{
	switch (command) {
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_OBJ_PIN:
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
	case BPF_LINK_CREATE:
		return true;
	}
	return false;
}

/* What it stands before; a function pointer of any type comes out of the same word. */
#define NEXT(name)                                          \
	__extension__({                                     \
		__typeof__(&name) found;                    \
		*(void **)&found = dlsym(RTLD_NEXT, #name); \
		found;                                      \
	})

/* Both libbpf and Tenon call bpf(2) by it. */
long syscall(long number, ...)
{
	long a[6];
	va_list args;

	va_start(args, number);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && is_change(a[0]))
		changes();
	return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void changes_file(const char *path)
{
	if (!strncmp(path, BPFFS, strlen(BPFFS)))
		changes();
}

int rename(const char *from, const char *to)
{
	changes_file(from);
	return NEXT(rename)(from, to);
}

int unlink(const char *path)
{
	changes_file(path);
	return NEXT(unlink)(path);
}

int rmdir(const char *path)
{
	changes_file(path);
	return NEXT(rmdir)(path);
}

int mkdir(const char *path, mode_t mode)
{
	changes_file(path);
	return NEXT(mkdir)(path, mode);
}
