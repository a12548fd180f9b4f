/* SPDX-License-Identifier: ISC */
/* The loop of a standing worker: the clients of one listener, one after the other. */
#ifndef STANDING_H
#define STANDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "admit/admit.h"
#include "worker/note.h"
#include "worker/session.h"
#include "worker/worker.h"

#define STANDING_IDLE_MS  10000 /* without anybody, at most: then it ends */
#define STANDING_LEAST_MS 1000	/* whoever ends sooner has failed */
#define STANDING_FILES_MS 60000 /* that files of its handler may be others by now, unseen */
#define STANDING_BATCH	  32	/* datagrams, or connections, at a time */

/* One of them; what is in it is for the files of worker/ that end in such a loop. */
struct pollfd;

struct standing {
	const struct worker_task *task;
	const struct plan_service *service;
	const struct plan_admission *rules;
	struct quota quota;
	struct limit all; /* one that never is full */
	int talk_fd;
	int64_t idle_ms;
	int64_t begun_ns;	/* when it was born: monotonic */
	int64_t heard_ns;	/* when somebody was here last */
	int64_t ends_ns;	/* and then it ends in any case; 0: it need not */
	int64_t noted_ns;	/* when a note was sent last */
	bool finishing;		/* the master wants it to end */
	bool has_answered;	/* its handler, at least once */
	bool news;		/* the note has something in it */
	struct pollfd *watched; /* by standing_watch(); NULL: nothing yet */
	struct note note;
};

/* Serves, and ends the worker.  Child side only, after the steps. */
void standing_run(const struct worker_task *task, struct begat_session *session)
	__attribute__((noreturn));

/* The questions that one client is asked; what it uses up is taken, or its refusal counted. */
bool standing_admits(struct standing *standing, const struct connection *connection);
void standing_refuse(struct standing *standing, const struct connection *connection,
		     enum refusal refusal);
void standing_serves(struct standing *standing); /* one more was served */
/* Whether the handler had an answer: one that has none any more ends, for the next worker. */
void standing_says(struct standing *standing, bool says);

/* What every turn of a loop does: hears the master, sends a note that is due; how long the turn may
 * wait, in ms.  -1: it is time to end; the last note is sent. */
int standing_turn(struct standing *standing);

/* The descriptors of a turn: the listener's and the one to the master; with more behind them. */
#define STANDING_FDS 2
void standing_watch(struct standing *standing, struct pollfd *fds);

/* Somebody has been here. */
void standing_hears(struct standing *standing);

/* The two kinds, and what is redirected: each returns when it is time to end. */
void standing_serve_streams(struct standing *standing, struct begat_session *session);
void standing_serve_datagrams(struct standing *standing, struct begat_session *session);
void standing_relay_datagrams(struct standing *standing, struct begat_session *session);

#endif
