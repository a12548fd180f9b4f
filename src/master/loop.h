/* SPDX-License-Identifier: ISC */
/* The event loop: descriptors that become readable, timers that fall due.  One thread, one loop. */
#ifndef LOOP_H
#define LOOP_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

/* A descriptor that is waited for; embedded in what it belongs to, and must outlive its watch. */
struct watch {
	int fd;
	void (*ready)(void *context); /* readable, or in error: reading tells */
	void *context;
};

/* A point of time that is waited for; embedded likewise.  All zero is a stopped timer. */
struct timer {
	RB_ENTRY(timer) node;
	int64_t due_ns; /* monotonic */
	bool running;
	void (*fire)(void *context); /* the timer is stopped by then and may be started again */
	void *context;
};

/* 0, or -1 with errno. */
int loop_open(void);

/* 0, or -1 with errno (ENOSPC, ENOMEM).  A watch may be deleted from within any ready(). */
int loop_add(struct watch *watch);
void loop_del(struct watch *watch);

/* Starts a timer, or starts it anew.  Never allocates. */
void timer_start(struct timer *timer, int64_t delay_ms);
void timer_start_at(struct timer *timer, int64_t due_ns);
void timer_stop(struct timer *timer);

/* Runs until loop_stop() is called from within.  0, or -1 with errno when waiting itself fails. */
int loop_run(void);
void loop_stop(void);

#endif
