/* SPDX-License-Identifier: ISC */
/* state: what is put in comes out, and nothing that is damaged does. */
#include "config.h"

#include "plan/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "damage.h"
#include "descriptors.h"
#include "plan/stamp.h"
#include "random.h"
#include "suite.h"
#include "walk.h"

#define ROOM_TEXT 512

static const struct state_room room = {
	.services = 3, .children = 4, .dropped = 2, .received = 6, .spent = 5, .text = ROOM_TEXT
};

struct made {
	struct state *state; /* mapped for writing, so that a test can damage it */
	int fd;
};

static struct made make_empty(void)
{
	struct made made = { .fd = -1 };

	made.state = state_new(&room, &made.fd);
	ck_assert_msg(made.state != NULL, "state_new: %s", strerror(errno));
	return made;
}

static uint32_t put(struct state *state, const char *text)
{
	uint32_t offset = state_put_text(state, text);

	ck_assert_uint_ne(offset, 0);
	return offset;
}

static void fill_children(struct state *state)
{
	for (uint32_t i = 0; i < room.children; i++) {
		state_children(state)[i] = (struct state_child){
			.pid = (pid_t)(1000 + i),
			.service = i % (uint32_t)room.services,
			.place = i,
			.started_ns = 5000,
			.due_ns = i ? 6000 : 0,
			.source = i ? i : STATE_NO_SOURCE,
			.talk_fd = i == 2 ? 90 : -1,
			.offered_fd = i == 2 ? 91 : -1,
			.role = (int32_t)i,
			.listener = i ? (int32_t)i : -1,
			.served = i == 2 ? UINT64_MAX : 0,
			.denied = i == 2 ? 4712 : 0,
			.refused = i == 3 ? REFUSAL_BANNED : REFUSAL_NONE,
			.ending = (int32_t)(i % 3),
			.timed_out = i == 1,
		};
		strcpy(state_children(state)[i].peer, "[2001:db8::1]:4711");
	}
}

static struct made make(void)
{
	const char *names[] = { "daytime", "shell", "gone" };
	struct made made = make_empty();
	struct state *state = made.state;

	for (uint32_t i = 0; i < room.services; i++) {
		state_services(state)[i].name = put(state, names[i]);
		state_services(state)[i].plan = i < 2 ? (int32_t)i : -1;
		state_services(state)[i].kill_grace_ms = 5000;
		state_services(state)[i].stats.begat = 4711;
		state_services(state)[i].stats.refused[REFUSAL_ACCESS] = 12;
		state_services(state)[i].rate_ns = 7777;
	}
	state_services(state)[1].throttled_why = put(state, "step exec: No such file");
	fill_children(state);
	for (uint32_t i = 0; i < room.dropped; i++) {
		state_dropped(state)[i].fd = (int)(70 + i);
		state_dropped(state)[i].address = put(state, "unix:/run/x");
		state_dropped(state)[i].path = i ? put(state, "/run/x") : 0;
	}
	for (uint32_t i = 0; i < room.received; i++)
		state_received(state)[i] = (int)(3 + i);
	for (uint32_t i = 0; i < room.spent; i++)
		state_spent(state)[i] = (int)(200 + i);
	state->generation = 7;
	state->started_ns = 1;
	state->last_failure = put(state, "begat.conf:3: user: no user \"web\"");
	return made;
}

static void end(const struct made *made)
{
	state_unmap(made->state);
	ck_assert_int_eq(close(made->fd), 0);
}

static void expect_refusal(int fd, int error, const char *what)
{
	size_t before = descriptors_count();

	errno = 0;
	ck_assert_msg(state_map(fd) == NULL, "%s: taken", what);
	ck_assert_msg(errno == error, "%s: %s", what, strerror(errno));
	ck_assert_uint_eq(descriptors_count(), before);
}

/* The new master finds all that the old one knew. */
START_TEST(brings_back_what_was_put_in)
{
	struct made made = make();
	const struct state *state = state_map(made.fd);

	ck_assert_ptr_nonnull(state);
	ck_assert_ptr_ne(state, made.state);
	ck_assert_uint_eq(state->generation, 7);
	ck_assert_str_eq(state_text(state, state->last_failure),
			 "begat.conf:3: user: no user \"web\"");
	ck_assert_uint_eq(state->nservices, room.services);
	ck_assert_str_eq(state_text(state, state_services(state)[2].name), "gone");
	ck_assert_int_eq(state_services(state)[2].plan, -1);
	ck_assert_uint_eq(state_services(state)[1].stats.begat, 4711);
	ck_assert_uint_eq(state_services(state)[1].stats.refused[REFUSAL_ACCESS], 12);
	ck_assert_int_eq(state_services(state)[1].rate_ns, 7777);
	ck_assert_str_eq(state_text(state, state_services(state)[1].throttled_why),
			 "step exec: No such file");
	ck_assert_uint_eq(state_services(state)[2].throttled_why, 0);
	ck_assert_int_eq(state_children(state)[3].pid, 1003);
	ck_assert_uint_eq(state_children(state)[3].source, 3);
	ck_assert_int_eq(state_children(state)[2].talk_fd, 90);
	ck_assert_int_eq(state_children(state)[2].offered_fd, 91);
	ck_assert_int_eq(state_children(state)[3].role, 3);
	ck_assert_int_eq(state_children(state)[0].listener, -1);
	ck_assert_int_eq(state_children(state)[3].listener, 3);
	ck_assert_uint_eq(state_children(state)[2].served, UINT64_MAX);
	ck_assert_uint_eq(state_children(state)[2].denied, 4712);
	ck_assert_int_eq(state_children(state)[3].refused, REFUSAL_BANNED);
	ck_assert_str_eq(state_children(state)[3].peer, "[2001:db8::1]:4711");
	ck_assert_int_eq(state_dropped(state)[1].fd, 71);
	ck_assert_str_eq(state_text(state, state_dropped(state)[1].path), "/run/x");
	ck_assert_int_eq(state_received(state)[4], 7);
	ck_assert_uint_eq(state->nspent, 5);
	ck_assert_int_eq(state_spent(state)[0], 200);
	ck_assert_int_eq(state_spent(state)[4], 204);
	ck_assert(walk_state(state));
	state_unmap(state);
	end(&made);
}
END_TEST

/* A number that nobody has filled in must not be taken for standard input. */
START_TEST(begins_with_no_descriptors)
{
	struct made made = make_empty();
	const struct state *state = made.state;

	ck_assert_int_eq(state->reports_fd, -1);
	ck_assert_int_eq(state->sources_fd, -1);
	ck_assert_int_eq(state->plan_fd, -1);
	ck_assert_int_eq(state->state_fd, -1);
	ck_assert_int_eq(state->back.master_fd, -1);
	ck_assert_int_eq(state->back.plan_fd, -1);
	ck_assert_int_eq(state->back.state_fd, -1);
	ck_assert_int_eq(state->back.begatd_fd, -1);
	ck_assert_int_eq(state->back.effective_fd, -1);
	for (uint32_t i = 0; i < room.services; i++) {
		ck_assert_int_eq(state_services(state)[i].stderr_reader, -1);
		ck_assert_int_eq(state_services(state)[i].stderr_writer, -1);
	}
	for (uint32_t i = 0; i < room.children; i++) {
		ck_assert_int_eq(state_children(state)[i].talk_fd, -1);
		ck_assert_int_eq(state_children(state)[i].offered_fd, -1);
		ck_assert_int_eq(state_children(state)[i].listener, -1); /* not the first one */
	}
	for (uint32_t i = 0; i < room.dropped; i++)
		ck_assert_int_eq(state_dropped(state)[i].fd, -1);
	for (uint32_t i = 0; i < room.received; i++)
		ck_assert_int_eq(state_received(state)[i], -1);
	for (uint32_t i = 0; i < room.spent; i++)
		ck_assert_int_eq(state_spent(state)[i], -1);
	ck_assert_ptr_null(state_text(state, 0));
	end(&made);
}
END_TEST

static bool is_zero(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const char *)bytes)[i])
			return false;
	return true;
}

START_TEST(begins_with_zeros)
{
	struct made made = make_empty();
	const struct state *state = made.state;
	struct state_child *child = state_children(state);

	for (; child < state_children(state) + room.children; child++) /* see above */
		child->talk_fd = child->offered_fd = child->listener = 0;
	ck_assert(is_zero(state_children(state), room.children * sizeof(struct state_child)));
	ck_assert(is_zero((const char *)state + state->used, ROOM_TEXT));
	ck_assert_uint_eq(state->used + ROOM_TEXT, state->size);
	end(&made);
}
END_TEST

/* Its descriptor lies where workers leave the master's behind, and crosses no exec by accident. */
START_TEST(is_parked_and_close_on_exec)
{
	size_t before = descriptors_count();
	struct made made = make_empty();

	ck_assert_int_ge(made.fd, FD_PARKED);
	ck_assert_int_eq(fcntl(made.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_uint_eq(descriptors_count(), before + 1);
	end(&made);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

/* Whoever cuts it short would make its readers die of SIGBUS. */
START_TEST(cannot_change_its_size)
{
	struct made made = make();
	struct stat status;

	ck_assert_int_eq(ftruncate(made.fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(made.fd, 1 << 20), -1);
	ck_assert_int_eq(fcntl(made.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_eq(fstat(made.fd, &status), 0);
	ck_assert_int_eq(status.st_size, made.state->size);
	end(&made);
}
END_TEST

/* A master under memory pressure must learn that from state_new(), not from a signal later. */
START_TEST(has_its_memory_from_the_start)
{
	const struct state_room large = { .text = 4 << 20 };
	struct stat status;
	int fd;
	struct state *state = state_new(&large, &fd);

	ck_assert_ptr_nonnull(state);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_ge(status.st_blocks * 512, 4 << 20);
	state_unmap(state);
	close(fd);
}
END_TEST

START_TEST(leaves_nothing_when_there_is_no_memory)
{
	const struct rlimit limit = { 4096, 4096 }; /* of a file, and a memfd is one */
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	const struct state_room large = { .text = 4096 };
	size_t before = descriptors_count();
	int fd = -2;

	ck_assert_int_eq(sigaction(SIGXFSZ, &ignored, NULL), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_ptr_null(state_new(&large, &fd));
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(fd, -2);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

START_TEST(has_no_more_room_for_text_than_was_asked_for)
{
	struct made made = make_empty();
	char text[ROOM_TEXT + 1];

	memset(text, 'x', sizeof(text));
	text[ROOM_TEXT] = '\0'; /* with its NUL one byte too many */
	ck_assert_uint_eq(state_put_text(made.state, text), 0);
	text[ROOM_TEXT - 1] = '\0';
	ck_assert_uint_ne(state_put_text(made.state, text), 0);
	ck_assert_uint_eq(made.state->used, made.state->size);
	ck_assert_uint_eq(state_put_text(made.state, ""), 0);
	ck_assert_uint_eq(state_put_text(made.state, NULL), 0);
	end(&made);
}
END_TEST

START_TEST(can_be_of_nothing)
{
	const struct state_room none = { 0 };
	int fd;
	struct state *state = state_new(&none, &fd);
	const struct state *again;

	ck_assert_ptr_nonnull(state);
	ck_assert_uint_eq(state->size, sizeof(*state));
	again = state_map(fd);
	ck_assert_ptr_nonnull(again);
	ck_assert(walk_state(again));
	state_unmap(again);
	state_unmap(state);
	close(fd);
}
END_TEST

/* Sums of these wrap around 32 or 64 bits. */
START_TEST(refuses_more_than_there_can_be)
{
	const struct state_room rooms[] = {
		{ .services = SIZE_MAX },
		{ .services = SIZE_MAX / sizeof(struct state_service) + 1 },
		{ .children = UINT32_MAX / sizeof(struct state_child) + 1 },
		{ .dropped = (size_t)UINT32_MAX + 1 },
		{ .received = UINT32_MAX / sizeof(int) },
		{ .spent = UINT32_MAX / sizeof(int) },
		{ .spent = SIZE_MAX / sizeof(int) + 1 },
		{ .text = UINT32_MAX },
		{ .text = SIZE_MAX },
		{ SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX },
	};
	size_t before = descriptors_count();
	int fd = -2;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		errno = 0;
		ck_assert_ptr_null(state_new(&rooms[i], &fd));
		ck_assert_int_eq(errno, EOVERFLOW);
		ck_assert_int_eq(fd, -2);
	}
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

START_TEST(refuses_another_build)
{
	struct made made = make();

	strcpy(made.state->stamp, PLAN_STAMP "1");
	expect_refusal(made.fd, ESTALE, "a longer stamp");
	strcpy(made.state->stamp, PLAN_STAMP);
	made.state->magic[7] = 'x';
	expect_refusal(made.fd, EINVAL, "another magic");
	end(&made);
}
END_TEST

START_TEST(refuses_wrong_sizes)
{
	struct made made = make();
	uint32_t size = made.state->size;

	made.state->size = size - 8;
	expect_refusal(made.fd, EINVAL, "a size that is too small");
	made.state->size = size + 8;
	expect_refusal(made.fd, EINVAL, "a size that is too large");
	made.state->size = size;
	made.state->used = size + 1;
	expect_refusal(made.fd, EINVAL, "used more than there is");
	made.state->used = size;
	state_unmap(state_map(made.fd));
	end(&made);
}
END_TEST

static int copy(const struct state *state, size_t size)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, state, size), (ssize_t)size);
	return fd;
}

START_TEST(refuses_what_could_be_cut_short)
{
	const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	const int seals[] = { 0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_GROW | F_SEAL_SEAL,
			      F_SEAL_SHRINK | F_SEAL_SEAL };
	struct made made = make();
	int fd;

	for (size_t i = 0; i < sizeof(seals) / sizeof(*seals); i++) {
		fd = copy(made.state, made.state->size);
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		expect_refusal(fd, EINVAL, "a seal is missing");
		close(fd);
	}
	fd = copy(made.state, sizeof(struct state) - 1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, all), 0);
	expect_refusal(fd, EINVAL, "half a header");
	close(fd);
	fd = copy(made.state, made.state->size);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, all), 0);
	state_unmap(state_map(fd)); /* the same with all seals is one */
	close(fd);
	end(&made);
}
END_TEST

/* F_GET_SEALS fails for a file, and -1 has all bits. */
START_TEST(refuses_what_is_no_memory)
{
	char name[] = "/var/tmp/begat-test-XXXXXX";
	struct made made = make();
	int fd = mkostemp(name, O_CLOEXEC), pipes[2];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(write(fd, made.state, made.state->size), (ssize_t)made.state->size);
	expect_refusal(fd, EINVAL, "a file");
	close(fd);
	ck_assert_int_eq(pipe(pipes), 0);
	expect_refusal(pipes[0], EINVAL, "a pipe");
	expect_refusal(999, EBADF, "nothing");
	end(&made);
}
END_TEST

static void expect_damage(const struct made *made, const struct damage *damage)
{
	const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	const char *low = (const char *)&damage->value + (big ? 8 - damage->size : 0);
	char *field = (char *)made->state + damage->offset;
	const struct state *state;
	uint64_t good;

	memcpy(&good, field, damage->size);
	memcpy(field, low, damage->size);
	expect_refusal(made->fd, EINVAL, damage->what);
	memcpy(field, &good, damage->size);
	state = state_map(made->fd);
	ck_assert_msg(state != NULL, "%s: refused when mended", damage->what);
	state_unmap(state);
}

START_TEST(refuses_a_bad_header)
{
	struct made made = make();
	const uint32_t size = made.state->size, services = made.state->services;
	const struct damage all[] = {
		IN(0, state, services, services + 4), /* not aligned */
		IN(0, state, services, 8),	      /* in the header */
		IN(0, state, services, 0),
		IN(0, state, services, size),
		IN(0, state, services, 0xfffffff8),
		IN(0, state, nservices, 0xffffffff),
		IN(0, state, nservices, UINT32_MAX / sizeof(struct state_service) + 2),
		IN(0, state, nservices, size / sizeof(struct state_service)),
		IN(0, state, nservices, 1), /* children have other services */
		IN(0, state, children, size),
		IN(0, state, children, 0xfffffff8),
		IN(0, state, nchildren, 0x80000000),
		IN(0, state, dropped, size + 8),
		IN(0, state, ndropped, 0x10000000),
		IN(0, state, received, size - 8),
		IN(0, state, nreceived, 0x40000001), /* four times that is 4 */
		IN(0, state, spent, 4),
		IN(0, state, spent, made.state->spent + 2), /* not aligned */
		IN(0, state, spent, size - 8),
		IN(0, state, spent, size),
		IN(0, state, spent, UINT32_MAX - 3),
		IN(0, state, nspent, size / sizeof(int)),
		IN(0, state, nspent, 0x40000001),
		IN(0, state, nspent, UINT32_MAX),
		IN(0, state, last_failure, 1),
		IN(0, state, last_failure, size),
		IN(0, state, last_failure, UINT32_MAX),
		IN(0, state, reload_again, 2),
		IN(0, state, begatd_gone, 2),
		IN(0, state, started_ns, -1),
		IN(0, state, reports_fd, 0),
		IN(0, state, sources_fd, 0),
		IN(0, state, sources_fd, -2),
		IN(0, state, plan_fd, -2),
		IN(0, state, state_fd, 2),
		IN(0, state, back.master_fd, -2),
		IN(0, state, back.plan_fd, 0),
		IN(0, state, back.state_fd, 1),
		IN(0, state, back.begatd_fd, INT32_MIN),
		IN(0, state, back.effective_fd, 2),
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		expect_damage(&made, &all[i]);
	end(&made);
}
END_TEST

START_TEST(refuses_a_bad_service)
{
	struct made made = make();
	const uint32_t size = made.state->size;
	const size_t last = made.state->services + 2 * sizeof(struct state_service);
	const struct damage all[] = {
		IN(last, state_service, name, 0),
		IN(last, state_service, name, sizeof(struct state) - 1),
		IN(last, state_service, name, size),
		IN(last, state_service, plan, -2),
		IN(last, state_service, kill_grace_ms, -1),
		IN(last, state_service, kill_grace_ms, INT64_MAX / 1000),
		IN(last, state_service, pause_due_ns, INT64_MIN),
		IN(last, state_service, rate_ns, -1),
		IN(last, state_service, rate_ns, INT64_MIN),
		IN(last, state_service, throttled_why, 1),
		IN(last, state_service, throttled_why, sizeof(struct state) - 1),
		IN(last, state_service, throttled_why, size),
		IN(last, state_service, throttled_why, UINT32_MAX),
		IN(last, state_service, stderr_reader, 2),
		IN(last, state_service, stderr_writer, -2),
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		expect_damage(&made, &all[i]);
	end(&made);
}
END_TEST

/* A pid of -1, 0 or 1 would have all processes, or our own group, killed: kill(2). */
START_TEST(refuses_a_bad_child)
{
	struct made made = make();
	const size_t last = made.state->children + 3 * sizeof(struct state_child);
	const struct damage all[] = {
		IN(last, state_child, pid, -1),
		IN(last, state_child, pid, 0),
		IN(last, state_child, pid, 1),
		IN(last, state_child, pid, INT32_MIN),
		IN(last, state_child, pid, 4194304),
		IN(last, state_child, service, 3),
		IN(last, state_child, service, UINT32_MAX),
		IN(last, state_child, place, 4194304),
		IN(last, state_child, place, UINT32_MAX),
		IN(last, state_child, ending, -1),
		IN(last, state_child, ending, 3),
		IN(last, state_child, started_ns, -1),
		IN(last, state_child, due_ns, INT64_MIN),
		IN(last, state_child, talk_fd, 0),
		IN(last, state_child, talk_fd, 2),
		IN(last, state_child, talk_fd, -2),
		IN(last, state_child, offered_fd, 0),
		IN(last, state_child, offered_fd, 2),
		IN(last, state_child, offered_fd, -2),
		IN(last, state_child, role, -1),
		IN(last, state_child, role, 4),
		IN(last, state_child, role, INT32_MIN),
		IN(last, state_child, listener, -2),
		IN(last, state_child, listener, INT32_MIN),
		IN(last, state_child, refused, -1),
		IN(last, state_child, refused, REFUSALS),
		IN(last, state_child, refused, INT32_MIN),
		IN(last, state_child, timed_out, 2),
		IN(last, state_child, client_gone, 255),
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		expect_damage(&made, &all[i]);
	memset(state_children(made.state)[0].peer, 'x', INET_TEXT);
	expect_refusal(made.fd, EINVAL, "a peer without an end");
	end(&made);
}
END_TEST

START_TEST(refuses_bad_descriptors)
{
	struct made made = make();
	const uint32_t size = made.state->size;
	const size_t last = made.state->dropped + sizeof(struct state_dropped);
	const size_t received = made.state->received + 5 * sizeof(int);
	const size_t spent = made.state->spent + 4 * sizeof(int);
	const struct damage all[] = {
		IN(last, state_dropped, fd, 2),
		IN(last, state_dropped, fd, -2),
		IN(last, state_dropped, address, 0),
		IN(last, state_dropped, address, size),
		IN(last, state_dropped, path, size + 1),
		{ "received = 0", received, sizeof(int), 0 },
		{ "received = -2", received, sizeof(int), (uint64_t)-2 },
		{ "spent = 0", spent, sizeof(int), 0 },
		{ "spent = 2", spent, sizeof(int), 2 },
		{ "spent = -2", spent, sizeof(int), (uint64_t)-2 },
		{ "spent = the least", spent, sizeof(int), (uint64_t)INT32_MIN },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		expect_damage(&made, &all[i]);
	end(&made);
}
END_TEST

/* The last text of all has lost its NUL: reading it would run out of the memory. */
START_TEST(refuses_a_text_without_an_end)
{
	struct made made = make();
	struct state *state = made.state;
	char *rest = (char *)state + state->used;

	memset(rest, 'x', state->size - state->used);
	state_unmap(state_map(made.fd)); /* nothing refers to the rest */
	state->last_failure = state->used;
	expect_refusal(made.fd, EINVAL, "a text over the end");
	((char *)state)[state->size - 1] = '\0';
	state_unmap(state_map(made.fd));
	end(&made);
}
END_TEST

/* One in eight into the header behind its stamp, where each does the most. */
static void flip(unsigned char *bytes, uint32_t used)
{
	const uint32_t from = offsetof(struct state, size);
	const uint32_t to = next_random() % 8 ? used : sizeof(struct state);
	unsigned char *byte = bytes + from + next_random() % (to - from);

	if (next_random() % 2)
		*byte ^= (unsigned char)(1U << next_random() % 8);
	else
		*byte = (unsigned char)next_random();
}

/* Whatever was damaged: it is refused, or can be read from one end to the other. */
START_TEST(survives_random_damage)
{
	struct made made = make();
	const uint32_t size = made.state->size, used = made.state->used;
	const struct state *state;
	char *good = malloc(size);
	unsigned taken = 0;

	memcpy(good, made.state, size);
	for (int i = 0; i < 20000; i++) {
		for (uint32_t n = 1 + next_random() % 4; n; n--)
			flip((unsigned char *)made.state, used);
		state = state_map(made.fd);
		if (state) {
			taken++;
			ck_assert_msg(walk_state(state), "try %d", i);
			ck_assert_int_eq(munmap((void *)(uintptr_t)state, size), 0);
		}
		memcpy(made.state, good, size);
	}
	ck_assert_uint_gt(taken, 1000); /* counters and the like can be anything */
	ck_assert_uint_lt(taken, 19000);
	free(good);
	end(&made);
}
END_TEST

SUITE("state", brings_back_what_was_put_in, begins_with_no_descriptors, begins_with_zeros,
      leaves_nothing_when_there_is_no_memory, is_parked_and_close_on_exec, cannot_change_its_size,
      has_its_memory_from_the_start, has_no_more_room_for_text_than_was_asked_for,
      can_be_of_nothing, refuses_more_than_there_can_be, refuses_another_build, refuses_wrong_sizes,
      refuses_what_could_be_cut_short, refuses_what_is_no_memory, refuses_a_bad_header,
      refuses_a_bad_service, refuses_a_bad_child, refuses_bad_descriptors,
      refuses_a_text_without_an_end, survives_random_damage)
