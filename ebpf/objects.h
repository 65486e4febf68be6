/* SPDX-License-Identifier: BSD-3-Clause */
/* The compiled programs, as ELF objects in the process's memory. */
#ifndef TN_EBPF_OBJECTS_H
#define TN_EBPF_OBJECTS_H

#include <stddef.h>

extern const unsigned char tn_ebpf_switch_object[], tn_ebpf_guard_object[];
extern const size_t tn_ebpf_switch_size, tn_ebpf_guard_size;

#endif
