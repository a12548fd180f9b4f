/* SPDX-License-Identifier: ISC */
/* The preflight as the master sees it: a child that checks and prepares a reload. */
#ifndef MASTER_PREFLIGHT_H
#define MASTER_PREFLIGHT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan/plan.h"
#include "plan/state.h"

struct preflight_events {
	void (*ready)(void);		 /* everything is checked, and waits for our state */
	void (*failed)(const char *why); /* it has ended before that, or has been ended */
};

/* Forgets what the one before has said. */
void preflight_reset(void);

/* Starts begatd for it, with a time limit.  The state is the child's: it is done with here at once.
 * 0, or -1 with errno, and then there is none.  Never blocks, as everything here but
 * preflight_receive_plan() and, for a moment, preflight_stop(). */
int preflight_start(const struct plan *plan, struct state *state,
		    const struct preflight_events *events);

/* The descriptors that it has sent; valid until it is stopped. */
const int *preflight_parts(size_t *count);

/* Has the state written as JSON and sent to it, by a process of its own.  0, or -1 with errno. */
int preflight_send_state(const struct plan *plan, const struct state *state);

/* Waits for what it makes of the state, at most so long: descriptors of the plan and the state,
 * both parked, which are among its parts from then on.  0, or -1 with the reason in why. */
int preflight_receive_plan(int timeout_ms, int *plan_fd, int *state_fd, const char **why);

/* The socket to it. */
int preflight_talk_fd(void);

/* Ends it, if it still runs, and closes all that it has sent.  When it was ready it may clean up
 * first: packet_dismiss(). */
void preflight_stop(void);

/* What it has said last that was no warning; "" for nothing. */
const char *preflight_message(void);

/* Told of a process that is no worker. */
void preflight_reaped(pid_t pid, int status);

#endif
