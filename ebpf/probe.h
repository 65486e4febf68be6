/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel that refused the programs has not. Private to ebpf/. */
#ifndef TN_EBPF_PROBE_H
#define TN_EBPF_PROBE_H

#include <stddef.h>

/* The first of what the programs need, such as "bpf_redirect_peer() (Linux 5.10)"; NULL: it has all
 * of it. Takes some milliseconds, and CAP_BPF. */
const char *tn_ebpf_missing(void);

#endif
