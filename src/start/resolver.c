/* SPDX-License-Identifier: ISC */
/*
 * The resolver: names, for workers that are in their cages.
 *
 * One process for all of them, with the identity of nobody in particular, that forks another one
 * for each question and never itself waits for a name service.  So a name server that hangs costs
 * those who ask it their time, and nobody else; what others have asked just now is answered from
 * memory, and nobody is looked up twice at a time.  The names of peers are for show: they get no
 * more than a part of the places, so that nobody can keep redirects from their targets by coming
 * from many addresses whose owners do not answer.
 *
 * The master holds the other end of standard input, and starts another resolver on the same socket
 * after a reload: that end is the sign to finish.  Processes for lookups end by themselves, by the
 * limit of their question.
 */
#include "config.h"

#include "start/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/log.h"
#include "start/lookup.h"
#include "start/name-cache.h"
#include "start/question.h"

#define PLACES	      96 /* questions, with those that wait */
#define PLACES_PEERS  80
#define LOOKUPS	      32 /* processes at a time */
#define LOOKUPS_PEERS 24
#define FILES	      256 /* descriptors: two for each place, and some */
#define TAKEN_AT_ONCE 64
#define LATE_MS	      100 /* so that a lookup does not end before its question does */

struct place {
	bool used;
	int answer_fd; /* -1: it was answered */
	int lookup_fd; /* where its process answers; -1: it has none yet */
	struct resolve_question question;
	int64_t asked_ns, due_ns; /* monotonic */
};

enum { LEASH, ASKED, WATCHED };

static struct {
	int fd;
	pid_t pid;
	bool finishing;
	size_t used[2], running[2]; /* by kind */
	struct place places[PLACES];
	struct pollfd watches[WATCHED + PLACES];
} resolver;

/* -- who it is -- */

static bool has_identity(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) < 0 || getgroups(0, NULL) != 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (uids[i] != uid || gids[i] != gid)
			return false;
	return uid == 0 || setresuid(0, 0, 0) < 0;
}

static void drop_identity(uid_t uid, gid_t gid)
{
	if (uid == (uid_t)-1)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		fatal(EXIT_PRIVILEGE, "resolver: cannot become user %u, group %u: %m", uid, gid);
	if (!has_identity(uid, gid))
		fatal(EXIT_PRIVILEGE, "resolver: is not user %u, group %u alone", uid, gid);
}

static void limit_itself(void)
{
	const struct rlimit core = { 0, 0 };
	struct rlimit files;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &core) < 0 ||
	    getrlimit(RLIMIT_NOFILE, &files) < 0)
		fatal(EXIT_GENERIC, "resolver: limits: %m");
	if (files.rlim_max > FILES)
		files.rlim_max = FILES;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		fatal(EXIT_GENERIC, "resolver: limits: %m");
}

/* Its processes leave nothing behind, and a signal ends it: it has nothing to lose. */
static void reset_signals(void)
{
	const struct sigaction no_zombies = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	sigset_t none;

	sigemptyset(&none);
	if (sigaction(SIGCHLD, &no_zombies, NULL) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		fatal(EXIT_GENERIC, "resolver: signals: %m");
}

static void check_socket(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_SEQPACKET)
		fatal(EXIT_USAGE, "--resolver: %d: not a socket of the daemon's", fd);
}

/* -- one lookup -- */

/* In a process of its own, with nothing but the way back: it may be lied to. */
static void look_up(const struct place *place, int out) __attribute__((noreturn));
static void look_up(const struct place *place, int out)
{
	const int left_ms = clock_left_ms(place->due_ns) + LATE_MS;
	const struct itimerval limit = {
		.it_value = { left_ms / MS_IN_S, left_ms % MS_IN_S * 1000 },
	};
	struct resolve_answer answer;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != resolver.pid ||
	    setitimer(ITIMER_REAL, &limit, NULL) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
		_exit(EXIT_FAILURE);
	lookup_run(&place->question, &answer);
	_exit(write(STDOUT_FILENO, &answer, sizeof(answer)) == sizeof(answer) ? EXIT_SUCCESS
									      : EXIT_FAILURE);
}

_Static_assert(sizeof(struct resolve_answer) <= 4096, "written in one piece: pipe(7)");

static int start_lookup(struct place *place)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		look_up(place, ends[1]);
	(void)close(ends[1]); /* the child has it */
	if (pid < 0) {
		(void)close(ends[0]); /* nothing will come */
		return -1;
	}
	place->lookup_fd = ends[0];
	resolver.running[place->question.kind]++;
	return 0;
}

/* Who does not take its answer, or is gone, does without. */
static void say(struct place *place, const struct resolve_answer *answer)
{
	if (place->answer_fd < 0)
		return;
	(void)send(place->answer_fd, answer, sizeof(*answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	question_drop(place->answer_fd);
	place->answer_fd = -1;
}

static void leave(struct place *place)
{
	if (place->lookup_fd >= 0) {
		(void)close(place->lookup_fd); /* only read from */
		resolver.running[place->question.kind]--;
	}
	resolver.used[place->question.kind]--;
	place->used = false;
}

static void give(struct place *place, const struct resolve_answer *answer)
{
	say(place, answer);
	leave(place);
}

static void give_none(struct place *place, const char *why)
{
	struct resolve_answer answer;

	lookup_fail(&place->question, why, &answer);
	give(place, &answer);
}

/* Names are for show: the next one of that address need not wait as well.  A process counts until
 * it has ended, and so does its place. */
static void give_up(struct place *place)
{
	struct resolve_answer none;

	lookup_fail(&place->question, "no answer in time", &none);
	if (place->question.kind == RESOLVE_PEER)
		name_cache_add(&place->question, &none);
	say(place, &none);
	place->due_ns = INT64_MAX;
	if (place->lookup_fd < 0)
		leave(place);
}

static bool is_answer(const struct resolve_question *question, const struct resolve_answer *answer)
{
	if (!resolve_answer_is_sound(answer))
		return false;
	return question->kind == RESOLVE_HOST ||
	       (answer->count == 0 && (answer->name[0] == '\0' || resolve_is_plain(answer->name)));
}

static void collect(struct place *place)
{
	struct resolve_answer answer;
	const ssize_t length = read(place->lookup_fd, &answer, sizeof(answer));

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length != sizeof(answer) || !is_answer(&place->question, &answer)) {
		give_none(place, "the lookup has failed");
		return;
	}
	name_cache_add(&place->question, &answer);
	give(place, &answer);
}

/* -- questions -- */

static bool is_full(void)
{
	return resolver.used[RESOLVE_HOST] + resolver.used[RESOLVE_PEER] == PLACES;
}

static void add(const struct resolve_question *question, int answer_fd)
{
	struct place *place = resolver.places;

	while (place->used)
		place++;
	place->used = true;
	place->answer_fd = answer_fd;
	place->lookup_fd = -1;
	place->question = *question;
	place->asked_ns = clock_now_ns();
	place->due_ns = place->asked_ns + question->limit_ms * NS_IN_MS;
	if (++resolver.used[question->kind] > PLACES_PEERS && question->kind == RESOLVE_PEER)
		give_none(place, "");
}

static void take_questions(void)
{
	struct resolve_question question;
	int fd;

	for (int i = 0; i < TAKEN_AT_ONCE && !is_full(); i++) {
		switch (question_receive(resolver.fd, &question, &fd)) {
		case 1:
			add(&question, fd);
			break;
		case 0:
			resolver.finishing = true; /* nobody is left */
			return;
		default:
			if (errno == EBADMSG)
				break;
			resolver.finishing = resolver.finishing || errno != EAGAIN;
			return;
		}
	}
}

static bool has_twin(const struct place *place)
{
	for (size_t i = 0; i < PLACES; i++)
		if (resolver.places[i].used && resolver.places[i].lookup_fd >= 0 &&
		    question_is_same(&resolver.places[i].question, &place->question))
			return true;
	return false;
}

static bool has_room(enum resolve_kind kind)
{
	return resolver.running[RESOLVE_HOST] + resolver.running[RESOLVE_PEER] < LOOKUPS &&
	       (kind == RESOLVE_HOST || resolver.running[kind] < LOOKUPS_PEERS);
}

/* It may have waited here, or in the socket while no resolver was there, for too long. */
static bool is_abandoned(const struct place *place)
{
	struct pollfd state = { .fd = place->answer_fd };

	return poll(&state, 1, 0) > 0;
}

static void settle(struct place *place)
{
	const struct resolve_answer *known = name_cache_find(&place->question, place->asked_ns);

	if (known)
		give(place, known);
	else if (has_room(place->question.kind) && !has_twin(place) &&
		 (is_abandoned(place) || start_lookup(place) < 0))
		give_none(place, "no process or descriptor is left for the lookup");
}

/* Nobody is overtaken by who came later, but for another kind or by an answer that is known. */
static void settle_all(void)
{
	static struct place *waiting[PLACES];
	size_t count = 0, at;

	for (size_t i = 0; i < PLACES; i++) {
		if (!resolver.places[i].used || resolver.places[i].lookup_fd >= 0)
			continue;
		for (at = count++; at && waiting[at - 1]->asked_ns > resolver.places[i].asked_ns;
		     at--)
			waiting[at] = waiting[at - 1];
		waiting[at] = &resolver.places[i];
	}
	for (size_t i = 0; i < count; i++)
		settle(waiting[i]);
}

/* -- the loop -- */

static void watch(struct pollfd *watched, int fd)
{
	*watched = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* How long there is nothing to do, in ms; -1: for ever. */
static int prepare(void)
{
	int64_t due_ns = INT64_MAX;

	watch(&resolver.watches[LEASH], resolver.finishing ? -1 : STDIN_FILENO);
	watch(&resolver.watches[ASKED], resolver.finishing || is_full() ? -1 : resolver.fd);
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &resolver.places[i];

		watch(&resolver.watches[WATCHED + i], place->used ? place->lookup_fd : -1);
		if (place->used && place->due_ns < due_ns)
			due_ns = place->due_ns;
	}
	return due_ns < INT64_MAX ? clock_left_ms(due_ns) : -1;
}

static void collect_all(void)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct place *place = &resolver.places[i];

		if (resolver.watches[WATCHED + i].revents)
			collect(place);
		if (place->used && clock_left_ms(place->due_ns) == 0)
			give_up(place);
	}
}

static void take_turn(void)
{
	const int left_ms = prepare();

	if (poll(resolver.watches, WATCHED + PLACES, left_ms) < 0)
		fatal(EXIT_GENERIC, "resolver: poll: %m"); /* no signal comes back from a handler */
	collect_all();
	if (resolver.watches[LEASH].revents)
		resolver.finishing = true;
	else if (resolver.watches[ASKED].revents)
		take_questions();
	settle_all();
}

int resolver_run(int fd, uid_t uid, gid_t gid)
{
	(void)prctl(PR_SET_NAME, "begat-resolver"); /* we may be started by descriptor */
	check_socket(fd);
	drop_identity(uid, gid);
	limit_itself();
	reset_signals();
	resolver.fd = fd;
	resolver.pid = getpid();
	do
		take_turn();
	while (!resolver.finishing || resolver.used[RESOLVE_HOST] || resolver.used[RESOLVE_PEER]);
	return EXIT_OK;
}
