/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/capture.h"
