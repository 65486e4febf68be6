/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/eal.h"

#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "dataplane/core/view.h"

/* Rings, device structures and what the allocator loses, beside the packet buffers. */
#define OTHER_MEMORY_MB 32u
#define CACHE		256u
#define LCORES_TEXT	4096u

/*
 * Large buffers of a worker: two bursts of them, so that a guest that sends nothing but large
 * frames never waits, and as many copies. The library may write one byte behind a buffer (the
 * second one of a checksum that a guest puts across its end), so there is room for it.
 */
#define LARGE_A_WORKER 128u
#define LARGE_ROOM     65535u
#define LARGE_SLACK    64u
#define LARGE_MB       9u /* of all of them */
#define ARGUMENTS      12

/* Bytes in free hugepages of any size. */
static uint64_t free_hugepages(void)
{
	DIR *dir = opendir("/sys/kernel/mm/hugepages");
	uint64_t bytes = 0;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		unsigned long long kb, n;
		char path[320];
		FILE *f;

		if (sscanf(d->d_name, "hugepages-%llukB", &kb) != 1)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages",
			d->d_name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%llu", &n) == 1)
			bytes += n * kb * 1024;
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return bytes;
}

static bool is_worker_core(const struct tn_agent_options *o, unsigned core)
{
	for (unsigned i = 0; i < o->n_workers && !o->kernel_mode; i++) {
		if (o->worker_core[i] == core)
			return true;
	}
	return false;
}

/* "0@(0,2,3)": the main thread may run where no worker does, if there is such a core. */
static void main_cores(const struct tn_agent_options *o, char *text, size_t size)
{
	cpu_set_t set;
	size_t at;

	CPU_ZERO(&set);
	(void)sched_getaffinity(0, sizeof(set), &set);
	for (int pass = 0; pass < 2; pass++) {
		const char *comma = "";

		at = (size_t)snprintf(text, size, "0@(");
		for (unsigned i = 0; i < CPU_SETSIZE && at < size - 8; i++) {
			if (!CPU_ISSET(i, &set) || (!pass && is_worker_core(o, i)))
				continue;
			at += (size_t)snprintf(text + at, size - at, "%s%u", comma, i);
			comma = ",";
		}
		snprintf(text + at, size - at, ")");
		if (*comma)
			return;
	}
}

static bool use_hugepages(const struct tn_agent_options *o, unsigned mb)
{
	uint64_t free_mb = free_hugepages() >> 20;

	if (!o->huge)
		return false;
	if (free_mb >= mb)
		return true;
	tn_agent_say("ordinary pages are used: %u MB of hugepages are wanted and %llu MB are free; "
		     "with them (sysctl vm.nr_hugepages=%u) packets of many flows cost less, as "
		     "fewer addresses miss the processor's translation cache",
		mb, (unsigned long long)free_mb, mb / 2);
	return false;
}

/* EAL wants them writable. */
struct arguments {
	int n;
	char *v[ARGUMENTS + 1]; /* the last one stays NULL */
	char text[ARGUMENTS][LCORES_TEXT + 16];
};

static void TN_PRINTF(2, 3) add(struct arguments *args, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args->text[args->n], sizeof(args->text[0]), fmt, ap);
	va_end(ap);
	args->v[args->n] = args->text[args->n];
	args->n++;
}

int tn_eal_start(const struct tn_agent_options *o, bool pci)
{
	unsigned mb = o->memory_mb + OTHER_MEMORY_MB + o->n_workers * LARGE_MB;
	char lcores[LCORES_TEXT];
	struct arguments args = {0};

	main_cores(o, lcores, sizeof(lcores));
	add(&args, "tenon-dataplane");
	add(&args, "--lcores=%s", lcores);
	add(&args, "--file-prefix=tenon");
	add(&args, "--no-telemetry");
	add(&args, "--log-level=error");
	add(&args, "-m");
	add(&args, "%u", mb);
	if (!pci)
		add(&args, "--no-pci");
	/* Nothing is left in the file system, whatever the end. */
	if (use_hugepages(o, mb)) {
		add(&args, "--in-memory");
	} else {
		add(&args, "--no-huge");
		add(&args, "--no-shconf");
	}
	(void)rte_openlog_stream(stderr);
	rte_log_set_global_level(RTE_LOG_ERR);
	if (rte_eal_init(args.n, args.v) >= 0)
		return 0;
	tn_agent_say("DPDK does not start: %s; %u MB of memory were asked for (--memory)",
		rte_strerror(rte_errno), mb);
	return -1;
}

void tn_eal_stop(void)
{
	(void)rte_eal_cleanup();
}

/*
 * As rte_pktmbuf_pool_create(), but that buffers may cross ordinary pages: without hugepages no
 * device reads physical addresses, and one buffer a page would waste nearly half.
 */
static struct rte_mempool *make_pool(
	const char *name, unsigned n, uint16_t room, unsigned slack, unsigned cache)
{
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = room};
	struct rte_mempool *pool = rte_mempool_create_empty(name, n,
		(unsigned)sizeof(struct rte_mbuf) + room + slack, cache, sizeof(private),
		SOCKET_ID_ANY, rte_eal_has_hugepages() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (!pool)
		return NULL;
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL))
		goto failed;
	rte_pktmbuf_pool_init(pool, &private);
	if (rte_mempool_populate_default(pool) < 0)
		goto failed;
	(void)rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
failed:
	rte_mempool_free(pool);
	return NULL;
}

int tn_eal_buffers(const struct tn_agent_options *options, struct tn_dpdk_buffers *buffers,
	struct tn_error *err)
{
	uint16_t room = (uint16_t)(RTE_PKTMBUF_HEADROOM +
		RTE_ALIGN(options->max_frame, RTE_CACHE_LINE_SIZE));
	struct rte_mempool_objsz size;
	unsigned n;

	(void)rte_mempool_calc_obj_size((uint32_t)sizeof(struct rte_mbuf) + room, 0, &size);
	n = (unsigned)(((uint64_t)options->memory_mb << 20) / size.total_size);
	buffers->pool = make_pool("buffers", n, room, 0, CACHE);
	buffers->large =
		make_pool("large", LARGE_A_WORKER * options->n_workers, LARGE_ROOM, LARGE_SLACK, 0);
	if (buffers->pool && buffers->large)
		return 0;
	return tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
		"no memory for %u packet buffers (%s): give less with --memory", n,
		rte_strerror(rte_errno));
}
