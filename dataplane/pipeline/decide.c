/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/decide.h"
