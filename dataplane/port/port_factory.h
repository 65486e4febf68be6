/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a port's type and options to a driver: one table of kinds. A new driver is a file of this
 * room and a line in the table.
 *
 * Main thread only.
 */
#ifndef TN_PORT_PORT_FACTORY_H
#define TN_PORT_PORT_FACTORY_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"

struct rte_mempool;
struct tn_ebpf;

/* One option of a port as a client gives it; flat, so that any codec can carry it. */
enum tn_port_option_type { TN_OPTION_STRING = 1, TN_OPTION_INTEGER, TN_OPTION_BOOL };

struct tn_port_option {
	const char *key;
	enum tn_port_option_type type;
	const char *string; /* STRING */
	int64_t integer;    /* INTEGER; BOOL: 0 or 1 */
};

/* What is asked for. Borrowed for the call. */
struct tn_port_spec {
	uint32_t number;
	const char *name;
	const char *type;
	uint32_t mtu; /* 0: the driver's own */
	const struct tn_port_option *options;
	size_t n_options;
};

/* What the process gives every driver. */
struct tn_port_resources {
	struct rte_mempool *pool;	     /* mbufs */
	struct rte_mempool *large;	     /* for frames that are still to be cut */
	const struct tn_buffer_ops *buffers; /* the same, for drivers that know no DPDK */
	void *buffers_ctx;
	unsigned n_workers;   /* a transmit queue for each is best */
	struct tn_ebpf *ebpf; /* the kernel's programs; NULL: not loaded */
	/* A sentence for the log: what a port goes without. NULL: nobody hears it. */
	void (*say)(const char *fmt, ...) TN_PRINTF(1, 2);
};

/* What options a kind knows; others are refused. The last one has no key. */
struct tn_port_option_rule {
	const char *key;
	enum tn_port_option_type type;
	bool required;
	int64_t min, max; /* INTEGER */
};

struct tn_port_kind {
	const char *type;
	const struct tn_port_option_rule *rules;
	/* Options were checked against rules. NULL with err. */
	struct tn_port *(*make)(const struct tn_port_spec *spec,
		const struct tn_port_resources *resources, struct tn_error *err);
};

/*
 * Makes the driver of spec->type; ops, name, number and queues are filled. NULL with err: what is
 * wrong and what to do. The end of a port is port->ops->destroy().
 */
struct tn_port *tn_port_make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err);

/* NULL: it was not given. */
const struct tn_port_option *tn_port_option_find(const struct tn_port_spec *spec, const char *key);
/* For drivers: an option's value, or the default. */
const char *tn_port_option_string(
	const struct tn_port_spec *spec, const char *key, const char *otherwise);
int64_t tn_port_option_integer(const struct tn_port_spec *spec, const char *key, int64_t otherwise);
bool tn_port_option_bool(const struct tn_port_spec *spec, const char *key, bool otherwise);

#endif
