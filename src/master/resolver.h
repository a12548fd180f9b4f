/* SPDX-License-Identifier: ISC */
/* The process that looks names up for workers: begatd --resolver, kept by the master. */
#ifndef MASTER_RESOLVER_H
#define MASTER_RESOLVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan/plan.h"

/* The two ends of the socket for questions.  They outlive a reload, so that no question is lost. */
struct resolver_ends {
	int workers; /* -1: none, as below */
	int resolvers;
};

/* What the next master needs; the resolver itself finishes when we are gone.  And what a master
 * before us has left, to be told before the resolver is started. */
struct resolver_ends resolver_save(void);
void resolver_adopt(const struct resolver_ends *ends);

/* Starts it where a service of the plan asks names, or a worker of a master before us may.  A
 * resolver that cannot be started, or ends, is started again after a pause of 1 s doubling to
 * 60 s. */
void resolver_init(const struct plan *plan);

/* The socket for workers' questions; -1: there is none, or so little hope for an answer that nobody
 * shall wait for it. */
int resolver_fd(void);

/* Whether the process that has ended was it. */
bool resolver_reaped(pid_t pid, int status);

/* For a stop, when no worker is left. */
void resolver_fini(void);

#endif
