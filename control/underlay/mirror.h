/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The underlay mirror: what the kernel routes by the shadows of uplinks, the data plane is told.
 *
 * An uplink is a port of the engine with the option "shadow": the name of the kernel's interface.
 * So is one with the option "shared", whose interface is its "uplink".
 * Without any, the data plane keeps the underlay that it has. Changes of a moment are told
 * together, at most ten times a second. Next hops on the way to tunnels' ends are looked for by the
 * kernel on our request as long as they are in use, for the kernel sees none of the traffic. One
 * thread, on the loop it was given.
 */
#ifndef TN_UNDERLAY_MIRROR_H
#define TN_UNDERLAY_MIRROR_H

#include "control/engine/engine.h"
#include "dataplane/api/loop.h"
#include "dataplane/core/error.h"

struct tn_mirror;

/* A sentence for the log. */
typedef void (*tn_mirror_say_fn)(const char *fmt, ...) TN_PRINTF(1, 2);

/* In the network namespace of the caller. NULL with err. */
struct tn_mirror *tn_mirror_new(
	struct tn_loop *loop, struct tn_engine *engine, tn_mirror_say_fn say, struct tn_error *err);
/* Before the engine is freed. NULL is fine. */
void tn_mirror_free(struct tn_mirror *m);

#endif
