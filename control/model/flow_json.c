/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/flow_json.h"
