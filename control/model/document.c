/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/document.h"
