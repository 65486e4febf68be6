/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGINT and SIGTERM end what would go on for ever, in an orderly way. */
#ifndef TN_TENONCTL_INTERRUPT_H
#define TN_TENONCTL_INTERRUPT_H

#include <stdbool.h>

void tn_ctl_catch_signals(void);
bool tn_ctl_interrupted(void);

#endif
