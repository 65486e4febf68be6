/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel's program costs a packet, by BPF_PROG_TEST_RUN: nanoseconds above a program that
 * does nothing. The best of several rounds; redirection itself is not run.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <linux/pkt_cls.h>

#include "ebpf/loader.h"

#define LOOP   1u /* the loopback device: a test run has it by itself */
#define REPEAT 200000u
#define ROUNDS 15u
#define ALL_KEYS                                                               \
	(TN_EBPF_KEY_IP | TN_EBPF_KEY_L4 | TN_EBPF_KEY_TOS | TN_EBPF_KEY_TTL | \
		TN_EBPF_KEY_TCP_FLAGS)

/* UDP from 10.0.0.1 to 10.0.0.2, 60 bytes. */
static const uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 0,
	0x40, 0, 64, 17, 0x26, 0xbd, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0x27, 0x0f, 0, 26};

static const struct {
	const char *name;
	uint32_t flags;
} kinds[] = {
	{"hit into a container", TN_EBPF_PEER},
	{"hit into VXLAN", TN_EBPF_TUNNEL},
	{"hit into VXLAN, rewritten",
		TN_EBPF_TUNNEL | TN_EBPF_SET_DST | TN_EBPF_SET_SRC | TN_EBPF_SET_TOS},
	{"hit that drops", TN_EBPF_DROP},
};

static int empty_program(void)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", nothing, 2, NULL);
}

static uint32_t cost_of_nothing(int fd)
{
	struct __sk_buff skb = {.ifindex = LOOP};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		.ctx_in = &skb, .ctx_size_in = sizeof(skb), .repeat = (int)REPEAT);

	return bpf_prog_test_run_opts(fd, &opts) ? UINT32_MAX : opts.duration;
}

static uint32_t cost(struct tn_ebpf *ebpf)
{
	struct tn_ebpf_run run = {
		.in = frame, .in_len = sizeof(frame), .ifindex = LOOP, .repeat = REPEAT};

	return tn_ebpf_test_run(ebpf, TN_EBPF_FROM_PORT, &run) < 0 ? UINT32_MAX : run.ns;
}

static int put(struct tn_ebpf *ebpf, uint32_t flags)
{
	struct tn_ebpf_key key = {.k4.h = {.in_port = 5, .ip_ttl = 64, .ip_proto = 17}};
	struct tn_ebpf_session s = {.classes = 1,
		.version = 1,
		.keys = ALL_KEYS,
		.out = LOOP,
		.flags = flags,
		.vni = 100,
		.remote = {198, 51, 100, 2},
		.tun_ttl = 64,
		.tun_flags = TN_EBPF_TUN_DF,
		.tos_mask = 0xfc};

	/* A hit must find the frame as it was: what it sets is what was there. */
	memcpy(s.eth_dst, frame, 6);
	memcpy(s.eth_src, frame + 6, 6);
	memcpy(key.k4.h.eth_dst, frame, 12);
	memcpy(&key.k4.h.eth_type, frame + 12, 2);
	memcpy(&key.k4.h.tp_src, frame + 34, 4);
	memcpy(&key.k4.ip_src, frame + 26, 8);
	return tn_ebpf_put_session(ebpf, &key, &s);
}

int main(void)
{
	const struct tn_ebpf_options options = {0};
	const struct tn_ebpf_port port = {.number = 5, .to = LOOP};
	struct tn_ebpf *ebpf;
	struct tn_error err;
	int nothing = empty_program();

	if (nothing < 0 || tn_ebpf_open(&ebpf, &options, &err) ||
		tn_ebpf_set_port(ebpf, LOOP, &port, &err)) {
		fprintf(stderr, "bench_kernel: the kernel does not take the programs\n");
		return 1;
	}
	tn_ebpf_config_of(ebpf)->version = 1;
	tn_ebpf_config_of(ebpf)->keys = ALL_KEYS;
	for (size_t k = 0; k < TN_ARRAY_SIZE(kinds); k++) {
		uint32_t best = UINT32_MAX, least = UINT32_MAX, ns;

		if (put(ebpf, kinds[k].flags))
			return 1;
		for (unsigned i = 0; i < ROUNDS; i++) {
			ns = cost_of_nothing(nothing);
			least = ns < least ? ns : least;
			ns = cost(ebpf);
			best = ns < best ? ns : best;
		}
		printf("%-26s %4u ns above the empty program's %u\n", kinds[k].name, best - least,
			least);
	}
	tn_ebpf_close(ebpf);
	return 0;
}
