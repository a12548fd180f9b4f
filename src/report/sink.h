/* SPDX-License-Identifier: ISC */
/* Where log lines go.  Used by log.c alone. */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "report/log.h"

struct sink {
	enum log_sink kind;
	const char *path; /* LOG_SINK_FILE: the file; borrowed */
	int fd;		  /* -1: not open (syslog: not connected) */
	pid_t pid;	  /* ours, for the head of a line */
	time_t stamp_at;  /* when the stamp was made */
	char stamp[56];	  /* "DATE begatd[PID]: " */
	size_t stamp_length;
	int64_t retry_ns; /* syslog: when to try again to connect, monotonic */
	bool socket;	  /* fd wants send(2) rather than write(2) */
	bool shared;	  /* writing to fd may block: poll(2) is asked first */
	bool torn;	  /* the last line was cut in its middle: the next begins with a newline */
	bool journal;	  /* stderr is systemd's journal: lines start with "<n>" */
};

/* 0, or -1 with errno; a syslog sink opens even when nobody listens yet. */
int sink_open(struct sink *sink, enum log_sink kind, const char *path);
void sink_close(struct sink *sink);

/* Writes one line, message[0..length] without its newline.  0, or -1 when it could not be written
 * without waiting: EAGAIN, ENOSPC, ENOTCONN, ... */
int sink_write(struct sink *sink, int level, const char *message, size_t length);

#endif
