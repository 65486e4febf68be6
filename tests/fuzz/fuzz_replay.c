/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any frames, at any times, through a switch that has something of everything: every packet is
 * accounted for, and what is said of it one by one adds up to what is said of all.
 */
#include "tools/replay/engine.h"

#include <stdio.h>

#include "tests/fuzz/fuzz.h"

#define FRAMES_MAX 64u

static const char document[] =
	"{\"ports\":["
	"{\"number\":1,\"name\":\"a\",\"type\":\"pcap\"},"
	"{\"number\":2,\"name\":\"b\",\"type\":\"pcap\",\"mtu\":200},"
	"{\"number\":3,\"name\":\"off\",\"type\":\"pcap\",\"isEnabled\":false},"
	"{\"number\":4,\"name\":\"up\",\"type\":\"pcap\"},"
	"{\"number\":5,\"name\":\"vx4\",\"type\":\"vxlan\",\"options\":{\"remote\":\"flow\","
	"\"vni\":\"flow\",\"vnis\":[100,200,300]}},"
	"{\"number\":6,\"name\":\"vx6\",\"type\":\"vxlan\",\"options\":{\"local\":"
	"\"2001:db8:ffff::2\",\"remote\":\"2001:db8:ffff::1\",\"vni\":300,\"udpChecksum\":true,"
	"\"dscp\":10}}],"
	"\"underlay\":{\"addresses\":["
	"{\"address\":\"198.51.100.2/24\",\"mac\":\"02:0a:00:00:00:02\",\"port\":4},"
	"{\"address\":\"2001:db8:ffff::2/64\",\"mac\":\"02:0a:00:00:00:02\"}],"
	"\"neighbours\":["
	"{\"address\":\"198.51.100.1\",\"mac\":\"02:0a:00:00:00:01\",\"port\":4},"
	"{\"address\":\"2001:db8:ffff::1\",\"mac\":\"02:0a:00:00:00:01\"}]},"
	"\"groups\":["
	"{\"id\":1,\"type\":\"ALL\",\"appCookie\":\"0x01\",\"buckets\":["
	"{\"treatment\":{\"instructions\":[{\"type\":\"OUTPUT\",\"port\":\"6\"}]}},"
	"{\"treatment\":{\"instructions\":[{\"type\":\"L2MODIFICATION\",\"subtype\":\"VLAN_PUSH\"},"
	"{\"type\":\"OUTPUT\",\"port\":\"2\"}]}},"
	"{\"treatment\":{\"instructions\":[{\"type\":\"GROUP\",\"groupId\":2}]}}]},"
	"{\"id\":2,\"type\":\"SELECT\",\"appCookie\":\"0x02\",\"buckets\":["
	"{\"weight\":1,\"treatment\":{\"instructions\":[{\"type\":\"OUTPUT\",\"port\":\"1\"}]}},"
	"{\"weight\":3,\"treatment\":{\"instructions\":[{\"type\":\"OUTPUT\",\"port\":\"3\"}]}}]}],"
	"\"meters\":[{\"index\":1,\"unit\":\"PKTS_PER_SEC\",\"burst\":true,\"bands\":["
	"{\"type\":\"REMARK\",\"rate\":5,\"burstSize\":2,\"prec\":1},"
	"{\"type\":\"DROP\",\"rate\":20,\"burstSize\":8}]}],"
	"\"flows\":["
	"{\"priority\":50,\"isPermanent\":false,\"timeout\":5,\"flags\":[\"SEND_FLOW_REM\"],"
	"\"selector\":{\"criteria\":[{\"type\":\"ETH_TYPE\",\"ethType\":\"0x800\"}]},"
	"\"treatment\":{\"instructions\":[{\"type\":\"METER\",\"meterId\":\"1\"},"
	"{\"type\":\"L3MODIFICATION\",\"subtype\":\"DEC_TTL\"},"
	"{\"type\":\"L3MODIFICATION\",\"subtype\":\"IPV4_DST\",\"ip\":\"10.9.9.9\"},"
	"{\"type\":\"GROUP\",\"groupId\":1},"
	"{\"type\":\"L2MODIFICATION\",\"subtype\":\"TUNNEL_DST\",\"ip\":\"198.51.100.1\"},"
	"{\"type\":\"OUTPUT\",\"port\":\"5\"},{\"type\":\"TABLE\",\"tableId\":1}]}},"
	"{\"priority\":40,\"isPermanent\":true,\"selector\":{\"criteria\":["
	"{\"type\":\"ETH_TYPE\",\"ethType\":\"0x86dd\"}]},\"treatment\":{\"instructions\":["
	"{\"type\":\"L3MODIFICATION\",\"subtype\":\"IPV6_SRC\",\"ip\":\"2001:db8::77\"},"
	"{\"type\":\"TRUNCATE\",\"maxLen\":80},{\"type\":\"OUTPUT\",\"port\":\"6\"},"
	"{\"type\":\"OUTPUT\",\"port\":\"CONTROLLER\",\"maxLen\":40}]}},"
	"{\"priority\":30,\"isPermanent\":true,\"selector\":{\"criteria\":["
	"{\"type\":\"VLAN_VID\",\"vlanId\":4096}]},\"treatment\":{\"instructions\":["
	"{\"type\":\"L2MODIFICATION\",\"subtype\":\"VLAN_PUSH\",\"ethernetType\":\"0x88a8\"},"
	"{\"type\":\"L2MODIFICATION\",\"subtype\":\"VLAN_PUSH\"},"
	"{\"type\":\"L2MODIFICATION\",\"subtype\":\"VLAN_ID\",\"vlanId\":7},"
	"{\"type\":\"OUTPUT\",\"port\":\"FLOOD\"},"
	"{\"type\":\"L2MODIFICATION\",\"subtype\":\"VLAN_POP\"},"
	"{\"type\":\"OUTPUT\",\"port\":\"IN_PORT\"}]}},"
	"{\"priority\":1,\"isPermanent\":true,\"treatment\":{\"instructions\":["
	"{\"type\":\"OUTPUT\",\"port\":\"NORMAL\"}]}},"
	"{\"tableId\":1,\"priority\":9,\"isPermanent\":true,\"selector\":{\"criteria\":["
	"{\"type\":\"TUNNEL_ID\",\"tunnelId\":100}]},\"treatment\":{\"instructions\":["
	"{\"type\":\"OUTPUT\",\"port\":\"IN_PORT\"}],\"deferred\":["
	"{\"type\":\"OUTPUT\",\"port\":\"3\"}]}}]}";

/* What is said of each packet, added up. */
struct sums {
	uint64_t ends[3]; /* enum tn_fate_kind */
};

static void run_frames(
	struct tn_engine *e, struct tn_fate *fate, struct fuzz_input *in, struct sums *sums)
{
	uint64_t now_ns = 1000000000;

	for (unsigned i = 0; i < FRAMES_MAX && in->left; i++) {
		struct tn_replay_port *port = &e->ports[fuzz_take8(in) % e->n_ports];
		struct tn_capture_record frame = {.number = i + 1};
		uint32_t len = fuzz_take16(in) % 2048;
		uint8_t *data;

		now_ns += (uint64_t)fuzz_take8(in) * 40000000;
		frame.time_ns = now_ns;
		frame.wire_len = fuzz_take8(in) == 3 ? 100 : 0; /* that the capture cut */
		frame.len = len < in->left ? len : (uint32_t)in->left;
		frame.wire_len += frame.len;
		/* An allocation of its own, so that a read beyond it is seen. */
		data = malloc(frame.len + !frame.len);
		fuzz_require(data != NULL);
		fuzz_take(in, data, frame.len);
		frame.data = data;
		tn_engine_frame(e, port, &frame);
		free(data);
		fuzz_require(fate->n_ends > 0);
		for (size_t k = 0; k < fate->n_ends; k++)
			sums->ends[fate->ends[k].kind]++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct tn_config config = {.path = "fuzz"};
	struct tn_diagnostics diag;
	struct tn_engine engine;
	struct tn_fate fate;
	struct sums sums = {{0}};

	tn_diagnostics_init(&diag);
	if (tn_document_parse(&config.doc, document, sizeof(document) - 1, &diag)) {
		for (size_t i = 0; i < diag.n; i++)
			fprintf(stderr, "%s: %s\n", diag.list[i].pointer, diag.list[i].detail);
		abort();
	}
	tn_diagnostics_fini(&diag);
	fuzz_require(!tn_config_apply(&config, 1000000000));
	fuzz_require(!tn_engine_init(&engine, &config, 1000000000));
	tn_fate_init(&fate);
	engine.fate = &fate;
	engine.want_path = true;
	run_frames(&engine, &fate, &in, &sums);
	fuzz_require(tn_account_balances(&engine.account));
	fuzz_require(sums.ends[TN_FATE_SENT] == engine.account.sent);
	fuzz_require(sums.ends[TN_FATE_CONSUMED] == engine.account.consumed);
	fuzz_require(sums.ends[TN_FATE_DROPPED] == engine.account.dropped);
	tn_engine_fini(&engine);
	tn_fate_fini(&fate);
	tn_config_fini(&config);
	return 0;
}
