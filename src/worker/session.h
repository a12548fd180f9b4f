/* SPDX-License-Identifier: ISC */
/* The streams that a handler reads and writes; the other half of <begat/handler.h>. */
#ifndef SESSION_H
#define SESSION_H

#include <stdint.h>

#include <begat/handler.h>

#define SESSION_BUFFER 4096  /* bytes, each way */
#define SESSION_ANSWER 65507 /* bytes: what fits into a datagram of IPv4 */

struct worker_task;

enum session_limit {
	SESSION_NO_LIMIT,
	SESSION_FIRST_BYTE,
	SESSION_IDLE,
	SESSION_STALL, /* it does not read, and there is no idle limit */
};

struct session_settings {
	int fd;		     /* a connected stream socket, or the write end of a pipe; borrowed */
	bool is_pipe;	     /* then nothing can be read, and SIGPIPE is blocked */
	bool crlf;	     /* '\n' of text leaves as "\r\n": true on Internet sockets */
	const char *service; /* borrowed, as everything below */
	const char *peer;
	int64_t first_byte_ms; /* 0: no limit */
	int64_t idle_ms;       /* between two reads or writes that get anywhere; 0: no limit */
	const struct begat_value *values;
	size_t nvalues;
	const struct worker_task *task; /* what the handler may ask for; NULL: in tests */
};

struct begat_session {
	struct session_settings set;
	begat_filter *filter;
	void *filter_state;
	bool heard;   /* the client has sent something */
	bool ended;   /* the client has closed its side */
	bool cr;      /* the text written so far ends with '\r' */
	bool broken;  /* writing has failed: nothing more is tried */
	bool answers; /* what is written is an answer of at most room bytes */
	size_t room;
	enum session_limit timed_out; /* the limit that the client has run into */
	size_t in_start, in_end, out_end;
	char out[SESSION_BUFFER]; /* first, so that a short answer shares the page of the above */
	unsigned char in[SESSION_BUFFER];
};

/* Never fails, never blocks.  Worker side only. */
void session_init(struct begat_session *session, const struct session_settings *settings);

/* What is written from here on is one answer, of at most room bytes (SESSION_ANSWER), and sent by
 * whoever asks for it: */
void session_begin_answer(struct begat_session *session, size_t room);

/* The answer, until the next begins, and whether all of it has fitted in. */
const void *session_answer(const struct begat_session *session, size_t *length);
bool session_answer_is_whole(const struct begat_session *session);

/* Appends to it.  0, or -1 when it does not fit, and for ever after.  For worker/ alone. */
int session_add(struct begat_session *session, const void *bytes, size_t length);

/* Refills the empty input buffer, as begat_read() reads.  For worker/ alone. */
enum begat_input session_fill(struct begat_session *session);

#endif
