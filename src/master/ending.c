/* SPDX-License-Identifier: ISC */
/*
 * How a worker has ended, in words: for the line of the log, and for whoever asks why a service is
 * throttled.
 */
#include "config.h"

#include "master/ending.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "master/serving.h"
#include "master/signals.h"
#include "report/log.h"
#include "worker/session.h"

static const char *limit_name(const struct child_end *end)
{
	switch (end->error) {
	case SESSION_FIRST_BYTE:
		return "first-byte-timeout";
	case SESSION_IDLE:
		return "idle-timeout";
	case SESSION_STALL:
		return "the client does not read";
	default:
		return "max-time";
	}
}

/* A handler has told which call it was; for a program, the kernel's log does.  Nothing else in our
 * world sends this signal. */
static void format_forbidden(const struct child_end *end, char *text, size_t size)
{
	if (end->step == WORKER_STEP_FILTER)
		snprintf(text, size, "killed by seccomp, system call %d", end->error);
	else
		snprintf(text, size, "killed by seccomp");
}

void ending_format(const struct child_end *end, char *text, size_t size)
{
	if (end->unread) {
		snprintf(text, size, "it has not taken what it was started for");
		return;
	}
	switch (end->result) {
	case RESULT_OK:
	case RESULT_REFUSED:
		text[0] = '\0';
		break;
	case RESULT_EXITED:
		snprintf(text, size, "status %d", end->status);
		break;
	case RESULT_SIGNALLED:
	case RESULT_CORE:
		if (end->status == SIGSYS)
			format_forbidden(end, text, size);
		else
			snprintf(text, size, "signal %s", signals_name(end->status));
		break;
	case RESULT_STEP:
		snprintf(text, size, "step %s: %s", worker_step_name(end->step),
			 strerror(end->error));
		break;
	case RESULT_TIMED_OUT:
		snprintf(text, size, "timed out: %s", limit_name(end));
		break;
	}
}

static int level_of(enum worker_result result)
{
	switch (result) {
	case RESULT_OK:
	case RESULT_EXITED:
	case RESULT_REFUSED:
		return LOG_INFO;
	case RESULT_TIMED_OUT:
		return LOG_NOTICE;
	default:
		return LOG_WARNING;
	}
}

static void format_signal(const struct child_end *end, char *text, size_t size)
{
	char why[ENDING_TEXT];

	if (end->status == SIGSYS) {
		format_forbidden(end, why, sizeof(why));
		snprintf(text, size, " signal=SYS why=\"%s\"", why);
	} else {
		snprintf(text, size, " signal=%s", signals_name(end->status));
	}
}

/* The same as keys and values. */
static void format_fields(const struct child_end *end, char *text, size_t size)
{
	char why[ENDING_TEXT];

	text[0] = '\0';
	switch (end->result) {
	case RESULT_OK:
	case RESULT_REFUSED:
		break;
	case RESULT_STEP:
		snprintf(text, size, " step=%s error=\"%s\"", worker_step_name(end->step),
			 strerror(end->error));
		break;
	case RESULT_EXITED:
		snprintf(text, size, " status=%d", end->status);
		break;
	case RESULT_SIGNALLED:
	case RESULT_CORE:
		format_signal(end, text, size);
		break;
	case RESULT_TIMED_OUT:
		ending_format(end, why, sizeof(why));
		snprintf(text, size, " why=\"%s\"", why);
		break;
	}
}

/* What it has done, where that is known. */
static void format_counts(const struct child *child, const struct child_end *end, char *text,
			  size_t size)
{
	size_t used;

	text[0] = '\0';
	if (child->role == WORKER_STANDING && child->serving->plan->handler >= 0)
		snprintf(text, size, " served=%llu refused=%llu", (unsigned long long)child->served,
			 (unsigned long long)child->denied);
	used = strlen(text);
	if (end->from_client || end->to_client)
		snprintf(text + used, size - used, " in=%llu out=%llu",
			 (unsigned long long)end->from_client, (unsigned long long)end->to_client);
}

void ending_log(const struct child *child, const struct child_end *end)
{
	const long long duration_us = end->duration_ns / 1000, cpu_us = end->cpu_us;
	char fields[ENDING_TEXT + 64], counts[160];

	format_fields(end, fields, sizeof(fields));
	format_counts(child, end, counts, sizeof(counts));
	log_line(level_of(end->result),
		 "reaped %s[%d] peer=%s result=%s%s%s duration=%lld.%06llds "
		 "cpu=%lld.%06llds maxrss=%ldk",
		 child->serving->name, (int)child->pid, child->peer, stats_result_name(end->result),
		 fields, counts, duration_us / 1000000, duration_us % 1000000, cpu_us / 1000000,
		 cpu_us % 1000000, end->memory_kib);
}
