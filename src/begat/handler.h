/* SPDX-License-Identifier: ISC */
/*
 * <begat/handler.h>: what a handler is, and what it may do.
 *
 * A handler is the code that talks to one client.  It runs in a worker: a process of its own, born
 * for this one connection, unprivileged, and ended with it; or in a standing worker, which answers
 * many clients one after the other.  It declares itself in one struct
 * begat_handler, names its options in a table that begatd(8) checks the configuration against, and
 * sees its client only through a struct begat_session: it does not know whether that is TCP or a
 * Unix socket, and never touches a descriptor.
 *
 * Everything here is described in begat-handler(3).
 */
#ifndef BEGAT_HANDLER_H
#define BEGAT_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define BEGAT_HANDLER_ABI 1

struct begat_session;

enum begat_option_type {
	BEGAT_OPTION_STRING,   /* text of at most max bytes */
	BEGAT_OPTION_NUMBER,   /* decimal, min to max */
	BEGAT_OPTION_SIZE,     /* "64k"; bytes, min to max */
	BEGAT_OPTION_DURATION, /* "5m"; milliseconds, min to max */
	BEGAT_OPTION_BOOL,     /* true or false */
	BEGAT_OPTION_PATH,     /* an absolute path; whether it exists is the handler's business */
	BEGAT_OPTION_ZONE,     /* a time zone: "Europe/Berlin"; the handler gets its rules as the
				  environment's TZ takes them, without the need to read a file */
	BEGAT_OPTION_COMMAND,  /* name is a prefix ("command."): each such option is an argument
				  list,  a program by absolute path and its words */
};

struct begat_option {
	const char *name; /* NULL ends the table */
	enum begat_option_type type;
	const char *fallback; /* the default as an administrator would write it; NULL: none */
	long long min, max;   /* in the unit of the type */
	const char *help;     /* one line, no full stop */
	/* Of a text, whether it is one that the handler understands: NULL, or what is wrong with it
	 * as the end of a sentence.  Called by begatd.  NULL: any text is. */
	const char *(*check)(const char *text);
};

/* One option as it was set or defaulted: begatd fills it, the session shows it to the handler. */
struct begat_value {
	const char *name;   /* whole: "prompt", "command.uptime" */
	const char *string; /* STRING, PATH: the text; NULL: not set and no default */
	long long number;   /* NUMBER, SIZE in bytes, DURATION in ms, BOOL 0 or 1 */
	char *const *argv;  /* COMMAND: NULL-terminated */
};

/* A file, or a directory with all that is beneath it, that a handler reads.  What is not named is
 * out of its reach; programs that commands run, and what these need to start, are known without. */
struct begat_path {
	const char *path;   /* absolute; NULL: the value of ... */
	const char *option; /* ... this option, of the type PATH; both NULL ends the table */
	const char *suffix; /* what is appended to it; NULL: nothing */
};

struct begat_handler {
	unsigned abi; /* BEGAT_HANDLER_ABI */
	const char *name;
	const char *summary;		    /* one line for begatd --handlers */
	const struct begat_option *options; /* NULL: none */
	const struct begat_path *paths;	    /* NULL: none */
	/* Serves one client and returns the worker's exit status: 0, or 1 when serving failed for
	 * a reason that is ours.  A client that goes away or falls silent is not a failure.  May
	 * block in the calls below, which keep the service's time limits. */
	int (*serve)(struct begat_session *session);
	/* Answers one datagram, of which so many bytes have come; false: it is not answered.  NULL:
	 * the handler is not for datagrams.  What begat_write() and its like write is the answer,
	 * of at most begat_room() bytes.  One process answers many clients, one after the other,
	 * so this must never block, and not remember anything of one for the next. */
	bool (*answer)(struct begat_session *session, const void *bytes, size_t length);
	/* What answer() writes, for a datagram of no bytes, is also all that a stream's client
	 * gets; so that with wait = true one process can serve many of them. */
	bool at_once;
};

/* What became of a read. */
enum begat_input {
	BEGAT_INPUT_OK,	      /* there is a line, or there are bytes */
	BEGAT_INPUT_END,      /* the client has closed or half-closed; all it sent was read */
	BEGAT_INPUT_TOO_LONG, /* a line over the cap; nothing more can be read as lines */
	BEGAT_INPUT_TIMEOUT,  /* first-byte-timeout or idle-timeout has passed */
	BEGAT_INPUT_ERROR,    /* reset, or another error of the socket */
};

/* The next line, without its end, NUL-terminated, in line[0..*length]: a line ends with "\r\n",
 * "\n" or "\r\0"; a last line without an end counts when the client half-closes.  The line may hold
 * any byte, NUL too.  size is the cap: a line that does not fit is TOO_LONG.  Blocks; what was
 * written so far is flushed before it does. */
enum begat_input begat_read_line(struct begat_session *session, char *line, size_t size,
				 size_t *length);

/* At least one byte, at most size, as they come.  Blocks; flushes before it does. */
enum begat_input begat_read(struct begat_session *session, void *buffer, size_t size,
			    size_t *length);

/* Bytes as they are.  0, or -1 when the client is gone or has not read for idle-timeout: then every
 * further write is -1 too, without a system call.  Buffered; blocks when the buffer is full. */
int begat_write(struct begat_session *session, const void *bytes, size_t length);

/* The same for text: each '\n' leaves as the session's line end, "\r\n" on Internet sockets. */
int begat_write_text(struct begat_session *session, const char *text, size_t length);

/* The same, formatted as by printf(3); at most 1,023 bytes. */
int begat_print(struct begat_session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* How many bytes more can be written to what answer() gives; SIZE_MAX in serve().  A piece that
 * does not fit is left out whole, with everything after it: -1. */
size_t begat_room(const struct begat_session *session);

/* Sends what is buffered.  0 or -1. */
int begat_flush(struct begat_session *session);

/* The end of a one-shot answer: flushes, shuts down our side, reads and drops what the client still
 * sends for a short time (2 s, 64 KiB), so that the answer is not lost to a reset.  No further call
 * writes.  Always 0: the worker's exit status. */
int begat_finish(struct begat_session *session);

/* Looks at, and may shorten in place, every piece of input before anything else reads it; returns
 * the new length.  May write to the session.  One filter a session. */
typedef size_t begat_filter(void *state, struct begat_session *session, unsigned char *bytes,
			    size_t length);
void begat_set_filter(struct begat_session *session, begat_filter *filter, void *state);

/* poll(2) on descriptors of the handler's own, or on that of the connection, for as long as
 * idle-timeout: how many of them are ready; 0 when that has passed, and so has the client's time;
 * -1 with errno. */
struct pollfd;
int begat_wait(struct begat_session *session, struct pollfd *fds, size_t count);

struct begat_lookup {
	const char *host;
	unsigned port;
	bool datagrams;
	bool fresh;
	long long limit_ms;
};

/* The descriptor of the connection, for poll(2) and for children that write to it directly. */
int begat_descriptor(const struct begat_session *session);

/* Options.  The name must be one that the handler declares; anything else is a bug and aborts. */
const char *begat_string(const struct begat_session *session, const char *name);
long long begat_number(const struct begat_session *session, const char *name);

/* The commands of a prefix: by place (0, 1, ...; NULL after the last), as whole values. */
const struct begat_value *begat_command(const struct begat_session *session, const char *prefix,
					size_t index);

/* The other end, and this one, as addresses of the kernel's; behind a proxy, as the proxy has said.
 * 0, or -1 with errno: ENOTSOCK where there is no such thing. */
int begat_peer_address(const struct begat_session *session, struct sockaddr_storage *address);
int begat_local_address(const struct begat_session *session, struct sockaddr_storage *address);

/* Addresses of a host and port, outside of this process and its cage; fresh: asked for anew, since
 * those of before do not answer.  How many, at most size; 0: none, because of why (borrowed).
 * Blocks for at most limit_ms. */
size_t begat_resolve(struct begat_session *session, const struct begat_lookup *lookup,
		     struct sockaddr_storage *addresses, size_t size, const char **why);

/* How many bytes were passed on so far, from this client and to it, for the log: totals. */
void begat_count(struct begat_session *session, unsigned long long from_client,
		 unsigned long long to_client);

/* The services that a client may be handed over to, by place: NULL after the last. */
const char *begat_multiplexed(const struct begat_session *session, size_t index);

/* Whether the client may come in to one of them now: NULL, or why not.  Then it is told, and
 * handed over, as this worker's last act: its exit status. */
const char *begat_offer(struct begat_session *session, size_t index);
int begat_hand_over(struct begat_session *session);

/* Who: "192.0.2.7:4711", "[2001:db8::1]:4711", "unix:uid=1000"; and the service's name. */
const char *begat_peer(const struct begat_session *session);
const char *begat_service(const struct begat_session *session);

#endif
