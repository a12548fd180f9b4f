/* SPDX-License-Identifier: ISC */
/*
 * The log.
 *
 * Owns the sink and the level of this process.  begatd and begat-master use it; workers do not:
 * what happens to them is told by the master that reaps them.  What a line says may come from
 * outside, so every byte that is not printable ASCII leaves as an escape.
 */
#include "config.h"

#include "report/log.h"

#define LIBBSD_OPENBSD_VIS /* silences a warning about strnvis(), which is not used */
#include <bsd/vis.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/sink.h"

static struct {
	const char *program;
	struct sink sink, fallback;
	bool open;	/* the sink is; until then lines go to stderr as "program: ..." */
	bool no_stderr; /* detached: stderr is not ours to write to */
	int level;
	const char *topics;
	uint64_t dropped, dropped_told;
	int report_fd; /* gets the exit code of fatal(); -1: nobody asks */
} log_state = { .program = "begat",
		.sink = { .fd = -1 },
		.fallback = { .fd = -1 },
		.level = LOG_INFO,
		.report_fd = -1 };

static char fatal_text[256];

const char log_topics[] = "accept,gate,notify,reap,reload,signal";

void log_init(const char *program)
{
	log_state.program = program;
}

void log_set_level(int level, const char *topics)
{
	log_state.level = level;
	log_state.topics = topics;
}

void log_lose_stderr(void)
{
	log_state.no_stderr = true;
	sink_close(&log_state.fallback);
}

int log_open(enum log_sink kind, const char *path)
{
	struct sink sink;

	if (sink_open(&sink, kind, path) < 0)
		return -1;
	if (kind == LOG_SINK_SYSLOG && !log_state.no_stderr && log_state.fallback.fd < 0)
		(void)sink_open(&log_state.fallback, LOG_SINK_STDERR,
				NULL); /* better than nothing */
	if (log_state.open)
		sink_close(&log_state.sink);
	log_state.sink = sink;
	log_state.open = true;
	return 0;
}

int log_reopen(void)
{
	if (!log_state.open || log_state.sink.kind == LOG_SINK_STDERR)
		return 0;
	return log_open(log_state.sink.kind, log_state.sink.path);
}

static bool is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static void put_stderr(const char *text, size_t length)
{
	const struct iovec parts[] = {
		{ (char *)(uintptr_t)log_state.program, strlen(log_state.program) },
		{ (char *)(uintptr_t) ": ", 2 },
		{ (char *)(uintptr_t)text, length },
		{ (char *)(uintptr_t) "\n", 1 },
	};

	/* There is nowhere else to say that this failed. */
	(void)!writev(STDERR_FILENO, parts, sizeof(parts) / sizeof(*parts));
}

static void tell_dropped(void)
{
	char text[80];
	uint64_t dropped = log_state.dropped - log_state.dropped_told;
	int length = snprintf(text, sizeof(text), "log: %llu lines dropped",
			      (unsigned long long)dropped);

	if (sink_write(&log_state.sink, LOG_WARNING, text, (size_t)length) == 0)
		log_state.dropped_told = log_state.dropped;
}

/* Without a reader of /dev/log, lines go to stderr as long as there is one. */
static bool has_fallback(void)
{
	return log_state.sink.kind == LOG_SINK_SYSLOG && log_state.sink.fd < 0 &&
	       log_state.fallback.fd >= 0;
}

static void put(int level, const char *text, size_t length)
{
	if (!log_state.open) {
		put_stderr(text, length);
		return;
	}
	if (sink_write(&log_state.sink, level, text, length) == 0) {
		if (log_state.dropped != log_state.dropped_told)
			tell_dropped();
		return;
	}
	if (!has_fallback() || sink_write(&log_state.fallback, level, text, length) < 0)
		log_state.dropped++;
}

/* vis(3bsd) allocates; without memory the bytes become question marks.  Apart from put_line(),
 * whose common way needs no buffer of this size. */
static void put_escaped(int level, char *text, size_t length)
{
	char escaped[LOG_LINE * 4 + 1];
	int escaped_length = strnvisx(escaped, sizeof(escaped), text, length,
				      VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL);

	if (escaped_length >= 0) {
		put(level, escaped, (size_t)escaped_length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	put(level, text, length);
}

static void put_line(int level, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static void put_line(int level, const char *format, va_list arguments)
{
	char text[LOG_LINE];
	int written, error = errno;
	size_t length;

	written = vsnprintf(text, sizeof(text), format, arguments);
	if (written < 0)
		return;
	length = (size_t)written < sizeof(text) ? (size_t)written : sizeof(text) - 1;
	if (is_plain(text, length))
		put(level, text, length);
	else
		put_escaped(level, text, length);
	errno = error;
}

void log_line(int level, const char *format, ...)
{
	va_list arguments;

	if (level > log_state.level)
		return;
	va_start(arguments, format);
	put_line(level, format, arguments);
	va_end(arguments);
}

/* Whether a list with commas has a word of that length. */
static bool has_word(const char *list, const char *word, size_t length)
{
	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

bool log_has_topics(const char *topics)
{
	size_t length;

	for (;; topics += length + 1) {
		length = strcspn(topics, ",");
		if (length == 0 || !has_word(log_topics, topics, length))
			return false;
		if (topics[length] == '\0')
			return true;
	}
}

static bool is_topic(const char *topic)
{
	return log_state.topics == NULL || has_word(log_state.topics, topic, strlen(topic));
}

void log_debug(const char *topic, const char *format, ...)
{
	va_list arguments;

	if (log_state.level < LOG_DEBUG || !is_topic(topic))
		return;
	va_start(arguments, format);
	put_line(LOG_DEBUG, format, arguments);
	va_end(arguments);
}

bool log_is_limited(const struct log_limit *limit)
{
	return clock_now_ns() < limit->next_ns;
}

void log_limited(struct log_limit *limit, int level, const char *format, ...)
{
	char text[LOG_LINE];
	va_list arguments;

	if (log_is_limited(limit)) {
		limit->suppressed++;
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* a cut line is still a line */
	va_end(arguments);
	if (limit->suppressed)
		log_line(level, "%s (%u more suppressed)", text, limit->suppressed);
	else
		log_line(level, "%s", text);
	limit->suppressed = 0;
	limit->next_ns = clock_now_ns() + LOG_LIMIT_INTERVAL_MS * NS_IN_MS;
}

uint64_t log_dropped(void)
{
	return log_state.dropped;
}

void log_adopt_dropped(uint64_t dropped)
{
	log_state.dropped += dropped;
	log_state.dropped_told += dropped;
}

void fatal_set_report(int fd)
{
	log_state.report_fd = fd;
}

const char *fatal_message(void)
{
	return fatal_text;
}

static void report_exit(enum exit_code code)
{
	unsigned char byte = (unsigned char)code;

	if (log_state.report_fd >= 0) /* the reader takes the end of the pipe for a failure too */
		(void)!write(log_state.report_fd, &byte, 1);
}

void fatal(enum exit_code code, const char *format, ...)
{
	va_list arguments, again;
	int error = errno;

	va_start(arguments, format);
	va_copy(again, arguments);
	(void)vsnprintf(fatal_text, sizeof(fatal_text), format,
			again); /* a cut line is still one */
	va_end(again);
	va_copy(again, arguments);
	errno = error;
	put_line(LOG_ERR, format, arguments);
	if (log_state.open && log_state.sink.kind != LOG_SINK_STDERR && !log_state.no_stderr) {
		log_state.open = false;
		put_line(LOG_ERR, format, again);
	}
	va_end(again);
	va_end(arguments);
	report_exit(code);
	exit(code);
}
