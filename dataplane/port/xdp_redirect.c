/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/xdp_redirect.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define PROGRAM_NAME "tenon_veth"

/* return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_DROP); */
static int load_program(int map, bool frags)
{
	const struct bpf_insn program[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
			.dst_reg = BPF_REG_2,
			.src_reg = BPF_REG_1,
			.off = offsetof(struct xdp_md, rx_queue_index)},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
			.dst_reg = BPF_REG_1,
			.src_reg = BPF_PSEUDO_MAP_FD,
			.imm = map},
		{.code = 0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_DROP},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = frags ? BPF_F_XDP_HAS_FRAGS : 0);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, PROGRAM_NAME, "Dual BSD/GPL", program,
		TN_ARRAY_SIZE(program), &opts);
}

/* Whose program is there; "" when it cannot be told, for want of CAP_SYS_ADMIN. */
static void program_name(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	name[0] = '\0';
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	close(fd);
}

static int refuse_other(const char *ifname, int ifindex, struct tn_error *err)
{
	char name[BPF_OBJ_NAME_LEN];
	uint32_t id = 0;

	if (bpf_xdp_query_id(ifindex, 0, &id) || !id)
		return 0;
	program_name(id, name);
	if (!*name)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"interface '%.16s' has an XDP program already (id %u): it is a port of "
			"another tenon-dataplane or somebody else's; stop that, or detach it with "
			"`ip link set dev %.16s xdp off`",
			ifname, id, ifname);
	if (!strcmp(name, PROGRAM_NAME))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"interface '%.16s' is a port of another tenon-dataplane (XDP program %u); "
			"remove it there or stop that process",
			ifname, id);
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"interface '%.16s' has an XDP program already (id %u, '%s'); detach it with `ip "
		"link set dev %.16s xdp off` if nothing needs it",
		ifname, id, name, ifname);
}

static int no_attach(const char *ifname, int error, bool frags, struct tn_error *err)
{
	const char *what = "it takes CAP_BPF and CAP_NET_ADMIN, and an Ethernet interface";

	if (error == ERANGE || (error == EINVAL && frags))
		what = "the MTU of it or of its veth peer is too large for XDP; lower it";
	else if (error == ENOSPC)
		what = "its veth peer has more transmit queues than it has receive queues; give it "
		       "as many with `ethtool -L`";
	else if (error == ENOTCONN)
		what = "its veth peer is gone; make the pair anew";
	else if (error == EBUSY || error == EEXIST)
		what = "it has an XDP program already; detach it with `ip link set dev ... xdp "
		       "off`";
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"cannot attach XDP to interface '%.16s': %s; %s", ifname, strerror(error), what);
}

int tn_xdp_redirect_attach(struct tn_xdp_redirect *x, const char *ifname, int ifindex,
	unsigned n_queues, bool frags, struct tn_error *err)
{
	int r = refuse_other(ifname, ifindex, err);

	*x = TN_XDP_REDIRECT_NONE;
	if (r)
		return r;
	x->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, PROGRAM_NAME, sizeof(uint32_t),
		sizeof(uint32_t), n_queues, NULL);
	if (x->map >= 0)
		x->prog = load_program(x->map, frags);
	if (x->prog < 0)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot load the XDP program of interface '%.16s': %s; it takes CAP_BPF "
			"and CAP_NET_ADMIN, and a kernel with XDP sockets%s",
			ifname, strerror(errno), frags ? " of 6.6 or later for this MTU" : "");
	x->link = bpf_link_create(x->prog, ifindex, BPF_XDP, NULL);
	return x->link < 0 ? no_attach(ifname, errno, frags, err) : 0;
}

int tn_xdp_redirect_set(struct tn_xdp_redirect *x, unsigned queue, int socket)
{
	uint32_t key = queue;

	return bpf_map_update_elem(x->map, &key, &socket, BPF_ANY) ? -errno : 0;
}

void tn_xdp_redirect_detach(struct tn_xdp_redirect *x)
{
	const int fds[] = {x->link, x->prog, x->map};

	for (size_t i = 0; i < TN_ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	*x = TN_XDP_REDIRECT_NONE;
}
