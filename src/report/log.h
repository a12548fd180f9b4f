/* SPDX-License-Identifier: ISC */
/*
 * The log: one line per event, to stderr, syslog or a file.  Writing never blocks and never fails:
 * a line that cannot be written at once is dropped and counted, and the count is told as soon as a
 * line gets through again.  Levels are those of syslog(3).
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_LINE 1024 /* bytes of a line; the rest is cut */

enum log_sink { LOG_SINK_STDERR, LOG_SINK_SYSLOG, LOG_SINK_FILE };

/* "program: ..." on stderr until log_open().  The name is borrowed. */
void log_init(const char *program);

/* Lines over the level are not written.  With LOG_DEBUG, topics limits debug lines to a
 * comma-separated list (NULL: all); borrowed. */
void log_set_level(int level, const char *topics);

/* The topics that there are, with commas between them; and whether a list names only such. */
extern const char log_topics[];
bool log_has_topics(const char *topics);

/* Where lines go from now on.  path, for LOG_SINK_FILE, is borrowed.  0, or -1 with errno, and then
 * nothing has changed.  A missing /dev/log is no error: lines go to stderr until it is there. */
int log_open(enum log_sink sink, const char *path);

/* Opens the file again under its name, for log rotation; the connection to syslog anew. */
int log_reopen(void);

/* stderr is not ours to write to any more: the daemon has detached. */
void log_lose_stderr(void);

/* One line; control characters and 8-bit bytes are escaped as by vis(3bsd).  %m is strerror(errno).
 */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A debug line of one topic: accept, spawn, reap, gate, ... */
void log_debug(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* At most one line per interval and limit; the next one says how many were left out. */
struct log_limit {
	int64_t next_ns; /* monotonic; before this nothing is written */
	unsigned suppressed;
};
#define LOG_LIMIT_INTERVAL_MS 5000
bool log_is_limited(const struct log_limit *limit); /* the next one would not be written */
void log_limited(struct log_limit *limit, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Lines dropped since the start. */
uint64_t log_dropped(void);

/* Those that a master before us has dropped; they are not told again. */
void log_adopt_dropped(uint64_t dropped);

/* Writes the line at LOG_ERR, to stderr too while that is ours, and exits.  Only until the daemon
 * is ready; codes are the LSB's. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_GENERIC = 1,
	EXIT_USAGE = 2,
	EXIT_PRIVILEGE = 4,
	EXIT_CONFIG = 6,
	EXIT_NOT_RUNNING = 7
};
void fatal_set_report(int fd); /* that somebody waits there for the code as one byte; -1: nobody */
const char *fatal_message(void); /* what fatal() has said, for handlers of atexit(3); "" before */
void fatal(enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif
