/* SPDX-License-Identifier: BSD-3-Clause */
/* Every header that says it is BPF-safe, for the compiler to judge; no program of its own. */
#include "dataplane/core/checksum.h"
#include "dataplane/core/cursor.h"
#include "dataplane/core/drop.h"
#include "dataplane/core/key.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/types.h"
#include "dataplane/core/view.h"
#include "dataplane/core/wire.h"
