/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From what was decided for a packet to a session of the kernel's, where the kernel's programs can
 * do the same. Pure.
 */
#ifndef TN_EBPF_TRANSLATE_H
#define TN_EBPF_TRANSLATE_H

#include "dataplane/core/vxlan.h"
#include "dataplane/pipeline/decide.h"
#include "ebpf/loader.h"

/* Where an output goes, as the kernel reaches it. */
struct tn_ebpf_way {
	uint32_t ifindex;
	uint32_t max_frame; /* longest frame that it sends; 0: any */
	bool tunnel;	    /* ifindex is the VXLAN device; encap says what goes around the frame */
	struct tn_vxlan_encap encap;
};

struct tn_ebpf_ways {
	void *ctx;
	/* false: not by the kernel (no such port, a virtual machine's, closed). */
	bool (*output)(void *ctx, const struct tn_op *op, struct tn_ebpf_way *way);
	/* Index of the kernel's meter that stands for it; false: there is none. */
	bool (*meter)(void *ctx, const struct tn_meter *meter, uint32_t *index);
};

/*
 * The key that the programs make of such a packet, every optional member filled. false: none, they
 * send it up.
 */
bool tn_ebpf_key_from(const struct tn_key *key, struct tn_ebpf_key *to);
/* Optional members (TN_EBPF_KEY_*) that sessions with this read set must be told apart by; false:
 * it also depends on what no kernel key holds. */
bool tn_ebpf_keys_of(const struct tn_key *key, const struct tn_read_set *read, uint32_t *keys);
/* Takes out of a key what config.keys does not name. */
void tn_ebpf_key_mask(struct tn_ebpf_key *key, uint32_t keys);

/*
 * What the program does, but for counting and learning; classes, version, keys and slot are the
 * caller's. false: something that only the data plane can do.
 */
bool tn_ebpf_session_from(const struct tn_program *program, const struct tn_ebpf_ways *ways,
	struct tn_ebpf_session *session);

#endif
