/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What outlives the process: maps and programs as files of a BPF file system. Private to ebpf/.
 *
 * A folder holds the maps by their names, each program by its own, and while a process replaces
 * what others attached, the programs before it as NAME_before0 and so on: processes that end before
 * they have replaced all leave more than one.
 */
#ifndef TN_EBPF_PINS_H
#define TN_EBPF_PINS_H

#include <stddef.h>

#include "dataplane/core/types.h"
#include "ebpf/loader.h"

#define TN_EBPF_PINS_PATH 300u
#define TN_EBPF_BEFORE	  8u /* programs that one may have to replace */

extern const char *const tn_ebpf_program_names[TN_EBPF_N_PROGRAMS];

/* The program that is pinned so; -1: none. */
int tn_ebpf_pins_program(const char *dir, enum tn_ebpf_program program) TN_MUST_CHECK;
/* Of those before it, in no order; at < TN_EBPF_BEFORE. -1: none. */
int tn_ebpf_pins_before(const char *dir, enum tn_ebpf_program program, unsigned at) TN_MUST_CHECK;
/*
 * Pins it. What was pinned is one of those before it from now on; when there are as many already,
 * it takes the first one's place. 0 or -errno.
 */
int tn_ebpf_pins_put(const char *dir, enum tn_ebpf_program program, int fd) TN_MUST_CHECK;
/* Nothing is attached any more of what was before. */
void tn_ebpf_pins_settle(const char *dir);
/*
 * Takes every trace away: programs off their interfaces, VXLAN devices, pins, the folder. Whatever
 * layout the maps have. 0 or -errno.
 */
int tn_ebpf_pins_wipe(const char *dir) TN_MUST_CHECK;

#endif
