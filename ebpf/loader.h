/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's programs and maps, from the side of the process: loaded once, attached to
 * interfaces, kept in the BPF file system when the process goes, taken over by the next one.
 *
 * Layouts are those of session.h. One thread, but for tn_ebpf_config_of(), which any may read.
 * Functions return 0 or -errno with err; what they say names the fallback.
 */
#ifndef TN_EBPF_LOADER_H
#define TN_EBPF_LOADER_H

#include "dataplane/core/error.h"
#include "ebpf/session.h"

struct tn_ebpf;

enum tn_ebpf_program {
	TN_EBPF_FROM_PORT,
	TN_EBPF_FROM_TUNNEL,
	TN_EBPF_FROM_UPLINK,
	TN_EBPF_TO_PORT,
	TN_EBPF_TO_TUNNEL,
	TN_EBPF_GUARD, /* XDP; the others tc */
	TN_EBPF_N_PROGRAMS
};

struct tn_ebpf_options {
	/* Folder of a BPF file system that keeps maps and programs; NULL: they end with the
	 * process. */
	const char *pin_dir;
};

/*
 * Loads, or takes over what is pinned there when its layout is ours. -ENOTSUP: the kernel has not
 * what it takes; -EPERM: needs CAP_BPF and CAP_NET_ADMIN.
 */
int tn_ebpf_open(struct tn_ebpf **ebpf, const struct tn_ebpf_options *options,
	struct tn_error *err) TN_MUST_CHECK;
/* Pinned programs and maps stay and go on forwarding; others end here. NULL is fine. */
void tn_ebpf_close(struct tn_ebpf *ebpf);
/* Takes every trace off this machine: attachments, VXLAN devices and pins below pin_dir. */
int tn_ebpf_detach_all(const char *pin_dir, struct tn_error *err) TN_MUST_CHECK;
/* Was it taken over from a process before? */
bool tn_ebpf_taken_over(const struct tn_ebpf *ebpf);

/*
 * What was taken over goes on forwarding by the sessions of the process before, until this one is
 * ready: it says which interfaces have its ports, and then that this is all. No session is older
 * than that from then on, and interfaces that were not named have no programs any more.
 */
void tn_ebpf_settle(struct tn_ebpf *ebpf);
/* Ends the sessions there are, and their stations; tn_ebpf_settle() does. Once in a process. */
void tn_ebpf_expire(struct tn_ebpf *ebpf);
/* The process goes, interfaces keep what is attached: where maps are pinned. */
void tn_ebpf_leave(struct tn_ebpf *ebpf);
bool tn_ebpf_is_leaving(const struct tn_ebpf *ebpf);
/* Interface of a port with that number, kind, UDP port and family, by whoever said it; 0: none. */
uint32_t tn_ebpf_find(struct tn_ebpf *ebpf, const struct tn_ebpf_port *like);

/* No session that there is now is one any more: all are decided anew. */
void tn_ebpf_doubt(struct tn_ebpf *ebpf);

/* In the process's memory; a store is seen by the programs at once. */
struct tn_ebpf_config *tn_ebpf_config_of(const struct tn_ebpf *ebpf);

/*
 * tc programs go beside what others attached to the interface and before it; the guard is refused
 * where another's XDP program is.
 */
int tn_ebpf_attach(struct tn_ebpf *ebpf, enum tn_ebpf_program program, uint32_t ifindex,
	struct tn_error *err) TN_MUST_CHECK;
void tn_ebpf_detach(struct tn_ebpf *ebpf, enum tn_ebpf_program program, uint32_t ifindex);

/* What packets of that interface are; port->ifindex is filled in. */
int tn_ebpf_set_port(struct tn_ebpf *ebpf, uint32_t ifindex, const struct tn_ebpf_port *port,
	struct tn_error *err) TN_MUST_CHECK;
void tn_ebpf_clear_port(struct tn_ebpf *ebpf, uint32_t ifindex);

struct tn_ebpf_key {
	bool is6;
	union {
		struct tn_ebpf_key4 k4;
		struct tn_ebpf_key6 k6;
	};
};

/* Replaces one of the same key. -E2BIG: no room; the packets go on to the data plane. */
int tn_ebpf_put_session(struct tn_ebpf *ebpf, const struct tn_ebpf_key *key,
	const struct tn_ebpf_session *session) TN_MUST_CHECK;
/* Removes it and tells what it had counted. -ENOENT. */
int tn_ebpf_take_session(struct tn_ebpf *ebpf, const struct tn_ebpf_key *key,
	struct tn_ebpf_session *session) TN_MUST_CHECK;
void tn_ebpf_delete_session(struct tn_ebpf *ebpf, const struct tn_ebpf_key *key);
/* false: delete it. */
typedef bool (*tn_ebpf_session_fn)(
	void *ctx, const struct tn_ebpf_key *key, const struct tn_ebpf_session *session);
/* All that are there for the whole walk are seen. */
void tn_ebpf_sessions(struct tn_ebpf *ebpf, tn_ebpf_session_fn fn, void *ctx);

/* Returns when every program that runs now has ended: some milliseconds. */
void tn_ebpf_wait(struct tn_ebpf *ebpf);

/* Its bucket is full when last_ns is 0. */
int tn_ebpf_set_meter(struct tn_ebpf *ebpf, uint32_t index, const struct tn_ebpf_meter *meter,
	struct tn_error *err) TN_MUST_CHECK;
int tn_ebpf_get_meter(
	struct tn_ebpf *ebpf, uint32_t index, struct tn_ebpf_meter *meter) TN_MUST_CHECK;

/*
 * Who may send VXLAN to that UDP port (host order): all of them, anew. Those that stay are never
 * missing meanwhile. Whoever is not among them ends at the guard. When it fails the guard lets
 * everything pass.
 */
int tn_ebpf_set_peers(struct tn_ebpf *ebpf, uint16_t udp_port, const struct tn_ebpf_peer *peers,
	size_t n_peers, const uint32_t *vnis, size_t n_vnis, struct tn_error *err) TN_MUST_CHECK;
/* Who was refused most since this was asked last, out of a sample. false: nobody. */
bool tn_ebpf_refused(struct tn_ebpf *ebpf, struct tn_ebpf_peer *who, uint64_t *times);

/*
 * The guard's uplink is shared with workers, or (NULL) the kernel's alone. on is set. From then on
 * sockets get what has no station; both last as long as the maps, a socket as long as itself.
 */
int tn_ebpf_set_share(struct tn_ebpf *ebpf, const struct tn_ebpf_share *share,
	struct tn_error *err) TN_MUST_CHECK;
int tn_ebpf_set_socket(
	struct tn_ebpf *ebpf, uint32_t queue, int socket, struct tn_error *err) TN_MUST_CHECK;
/*
 * One more session, or one less, leads to that station. Where none is shared, or there is no room,
 * false: none is to be taken away again.
 */
bool tn_ebpf_add_station(struct tn_ebpf *ebpf, const struct tn_ebpf_station *station);
void tn_ebpf_drop_station(struct tn_ebpf *ebpf, const struct tn_ebpf_station *station);

/* Summed over the processors. */
void tn_ebpf_counters(const struct tn_ebpf *ebpf, uint64_t counters[TN_EBPF_N_COUNTERS]);

/* One frame through a program, without an interface: for tests. The verdict, or -errno. */
struct tn_ebpf_run {
	const uint8_t *in;
	uint32_t in_len;
	uint8_t *out; /* room for what comes out */
	uint32_t out_size, out_len;
	uint32_t ifindex;  /* that it came in by */
	uint32_t queue;	   /* of the guard, with ifindex */
	uint32_t gso_size; /* of a large frame, what a piece carries */
	uint32_t repeat;   /* 0: once */
	uint32_t ns;	   /* a run took */
};

int tn_ebpf_test_run(
	const struct tn_ebpf *ebpf, enum tn_ebpf_program program, struct tn_ebpf_run *run);
struct tn_ebpf_length {
	uint32_t compiled, translated; /* instructions; translated: by the verifier */
};

/* Of a program that this process loaded. */
struct tn_ebpf_length tn_ebpf_program_length(
	const struct tn_ebpf *ebpf, enum tn_ebpf_program program);

#endif
