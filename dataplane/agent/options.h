/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of tenon-dataplane. */
#ifndef TN_AGENT_OPTIONS_H
#define TN_AGENT_OPTIONS_H

#include "dataplane/core/types.h"

#define TN_WORKERS_MAX	  32u
#define TN_SOCKET_DEFAULT "/run/tenon/dataplane.sock"

struct tn_agent_options {
	const char *state_dir;
	const char *socket;	 /* NULL: none */
	bool socket_given;	 /* without it there is no going on */
	const char *check_state; /* a folder to look at, in place of a run */
	const char *detach;	 /* a folder whose process left the kernel something to take away */
	const char *load;	 /* configuration document, NULL: none */
	const char *host;	 /* of the tenants' networks in it, NULL: none */
	unsigned worker_core[TN_WORKERS_MAX];
	unsigned n_workers;
	unsigned memory_mb;
	unsigned max_frame;   /* bytes a packet buffer holds */
	uint32_t sessions;    /* a worker */
	bool pci;	      /* look for devices of the PCI bus from the start */
	bool keep_privileges; /* also those for other network namespaces */
	bool busy_poll;
	bool kernel_mode;	/* no worker polls, none has a core of its own */
	bool huge;		/* hugepages where the machine has free ones */
	double seconds;		/* stop after; 0: run until a signal */
	const char *stats_file; /* written at the end, "-": standard output */
};

enum tn_agent_exit {
	TN_AGENT_EXIT_OK = 0,
	TN_AGENT_EXIT_FAILURE = 1,
	TN_AGENT_EXIT_USAGE = 2,  /* command line or document */
	TN_AGENT_EXIT_LOCKED = 3, /* another process has the state folder */
};

/* 0: run; 1: --help or --version was answered; -1: bad usage, said on standard error. */
int tn_agent_options_parse(struct tn_agent_options *o, int argc, char **argv) TN_MUST_CHECK;

/* "tenon-dataplane: ..." and a newline on standard error. */
void tn_agent_say(const char *fmt, ...) TN_PRINTF(1, 2);

#endif
