/* SPDX-License-Identifier: ISC */
/* FIFOs: base/fifo.c, and a keeper (worker/keeper.c) whose master is this program. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/fifo.h"
#include "worker/keeper.h"

#include "folder.h"
#include "suite.h"

#define NAME	"signature"
#define READERS 20
#define ANSWER	200 /* bytes of a short answer */

/* What all processes of a test see. */
static struct {
	struct worker_report report;
	int begin;	  /* readers go */
	unsigned answers; /* so many were given */
	size_t length;	  /* of each */
	int got[READERS]; /* which answer; 0: nothing, -1: parts of several, or of one */
	struct {
		struct plan plan;
		char path[256];
	} planned;
} * shared;

static struct fifo_owner owner = { (uid_t)-1, (gid_t)-1, 0644 };
static pid_t keeper, answerer;
static int talk_fd;

static void make_shared(void)
{
	enter_directory();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	shared->length = ANSWER;
	ck_assert_ptr_nonnull(getcwd(shared->planned.path, sizeof(shared->planned.path) - 16));
	strcat(shared->planned.path, "/" NAME);
	keeper = answerer = 0;
	talk_fd = -1;
}

/* As fork(2); a test that fails leaves nobody behind. */
static pid_t fork_tied(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void end_process(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void leave(void)
{
	end_process(&keeper);
	end_process(&answerer);
	leave_directory();
}

static void sleep_ms(long ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Polls for what should come soon. */
#define EVENTUALLY(condition)                                                                      \
	do {                                                                                       \
		for (int tries_ = 0; !(condition) && tries_ < 500; tries_++)                       \
			sleep_ms(10);                                                              \
		ck_assert(condition);                                                              \
	} while (0)

static bool is_fifo(void)
{
	struct stat status;

	return lstat(NAME, &status) == 0 && S_ISFIFO(status.st_mode);
}

static ino_t inode_of(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0 ? status.st_ino : 0;
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0 ? status.st_mode & 07777 : 0;
}

static int count_files(void)
{
	DIR *here = opendir(".");
	const struct dirent *entry;
	int count = 0;

	while ((entry = readdir(here)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(here);
	return count;
}

/* -- the keeper and its master -- */

static void run_keeper(int keepers_fd)
{
	const struct plan_listener listener = {
		.fd = -1,
		.kind = PLAN_FIFO,
		.path = (uint32_t)(shared->planned.path - (char *)&shared->planned),
		.socket_uid = owner.uid,
		.socket_gid = owner.gid,
		.socket_mode = owner.mode,
	};
	const struct worker_task task = {
		.plan = &shared->planned.plan,
		.listener = &listener,
		.role = WORKER_KEEPER,
		.fds = { [WORKER_FD_TALK] = keepers_fd },
		.report = &shared->report,
	};

	keeper_run(&task);
}

static void start_keeper(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	keeper = fork_tied();
	if (keeper == 0)
		run_keeper(ends[1]);
	close(ends[1]);
	talk_fd = ends[0];
}

static int end_of_keeper(void)
{
	int status;

	ck_assert_int_eq(waitpid(keeper, &status, 0), keeper);
	keeper = 0;
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int receive(void)
{
	char word, control[CMSG_SPACE(sizeof(int))];
	struct iovec bytes = { &word, 1 };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(talk_fd, &message, MSG_CMSG_CLOEXEC) <= 0 || word != KEEPER_READER)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void give_answer(int fd, unsigned number)
{
	char line[ANSWER + 1];
	size_t written = 0;

	snprintf(line, sizeof(line), "%0*u\n", ANSWER - 1, number);
	for (; written < shared->length; written += ANSWER)
		if (write(fd, line, ANSWER) < 0)
			break;
	close(fd);
}

/* One worker after the other. */
static void start_answerer(void)
{
	int fd;

	answerer = fork_tied();
	if (answerer)
		return;
	signal(SIGPIPE, SIG_IGN);
	while ((fd = receive()) >= 0)
		give_answer(fd, ++shared->answers);
	_exit(0);
}

static void start(void)
{
	start_keeper();
	start_answerer();
	EVENTUALLY(is_fifo() && count_files() == 2);
}

/* -- readers -- */

/* Which answer it was: 0 for none, -1 for anything that is not exactly one. */
static int read_answer(int fd, size_t buffer_size)
{
	char buffer[65536], line[ANSWER + 1] = "";
	size_t length = 0;
	ssize_t got;
	bool is_whole = true;

	while ((got = read(fd, buffer, buffer_size)) > 0)
		for (ssize_t i = 0; i < got; i++, length++) {
			if (length < ANSWER)
				line[length] = buffer[i];
			else
				is_whole &= line[length % ANSWER] == buffer[i];
		}
	close(fd);
	if (length == 0)
		return 0;
	return is_whole && length == shared->length ? atoi(line) : -1;
}

static int ask(void)
{
	const int fd = open(NAME, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return read_answer(fd, 65536);
}

/* After a while, if its shell has to start it first. */
static void read_late(int reader, size_t buffer_size, long delay_ms)
{
	int fd;

	if (fork_tied())
		return;
	close(talk_fd);
	while (!__atomic_load_n(&shared->begin, __ATOMIC_ACQUIRE))
		sched_yield();
	fd = open(NAME, O_RDONLY);
	sleep_ms(delay_ms);
	shared->got[reader] = read_answer(fd, buffer_size);
	_exit(0);
}

static void read_together(int reader, size_t buffer_size)
{
	read_late(reader, buffer_size, 0);
}

static void gather_readers(int count, size_t buffer_size)
{
	shared->begin = 0;
	for (int i = 0; i < count; i++)
		read_together(i, buffer_size);
	sleep_ms(5);
	__atomic_store_n(&shared->begin, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < count; i++)
		ck_assert_int_gt(waitpid(0, NULL, 0), 0);
}

static void wait_for_answerer_too(void)
{
	/* waitpid(0) above is for the group of this process, in which the answerer is not */
	setpgid(answerer, answerer);
}

/* How many got none; each other one has an answer of its own, whole. */
static int check_readers(int count)
{
	int empty = 0;

	for (int i = 0; i < count; i++) {
		ck_assert_int_ge(shared->got[i], 0);
		empty += shared->got[i] == 0;
		for (int j = 0; j < i; j++)
			ck_assert(shared->got[i] == 0 || shared->got[i] != shared->got[j]);
	}
	return empty;
}

/* -- fifo_make() -- */

/* The mode is that which was asked for from the first moment on, whatever the umask. */
START_TEST(test_make)
{
	owner.mode = 0620;
	umask(077);
	ck_assert_int_eq(fifo_make(AT_FDCWD, NAME, &owner), 0);
	ck_assert(is_fifo());
	ck_assert_uint_eq(mode_of(NAME), 0620);
	ck_assert_uint_eq(umask(022), 077);
}
END_TEST

/* One that is there already, and ours, is taken, with the owner and mode of now. */
START_TEST(test_make_again)
{
	const ino_t before = (mkfifo(NAME, 0600), inode_of(NAME));

	owner.mode = 0666;
	ck_assert_int_eq(fifo_make(AT_FDCWD, NAME, &owner), 0);
	ck_assert_uint_eq(inode_of(NAME), before);
	ck_assert_uint_eq(mode_of(NAME), 0666);
}
END_TEST

START_TEST(test_make_owner)
{
	struct stat status;

	if (geteuid() != 0)
		return;
	owner.uid = 12345;
	owner.gid = 23456;
	ck_assert_int_eq(fifo_make(AT_FDCWD, NAME, &owner), 0);
	ck_assert_int_eq(lstat(NAME, &status), 0);
	ck_assert_uint_eq(status.st_uid, 12345);
	ck_assert_uint_eq(status.st_gid, 23456);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	ck_assert_int_eq(fifo_make(AT_FDCWD, NAME, &owner), 0);
	owner.uid = 1; /* that one is somebody else's now */
	ck_assert_int_eq(fifo_make(AT_FDCWD, NAME, &owner), -1);
	ck_assert_int_eq(errno, EEXIST);
}
END_TEST

static void refuse_make(void)
{
	const ino_t before = inode_of(NAME);
	const mode_t mode = mode_of(NAME);

	owner.mode = 0606;
	errno = 0;
	ck_assert_int_eq(fifo_make(AT_FDCWD, NAME, &owner), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_uint_eq(inode_of(NAME), before);
	ck_assert_uint_eq(mode_of(NAME), mode);
}

/* F42: what is not a FIFO of ours is never changed. */
START_TEST(test_make_refuses)
{
	write_file(NAME, "precious");
	refuse_make();
	ck_assert_int_eq(unlink(NAME), 0);
	ck_assert_int_eq(mkdir(NAME, 0700), 0);
	refuse_make();
	ck_assert_int_eq(rmdir(NAME), 0);
	ck_assert_int_eq(symlink("nowhere", NAME), 0);
	refuse_make();
	ck_assert_int_ne(access("nowhere", F_OK), 0);
	ck_assert_int_eq(unlink(NAME), 0);
	ck_assert_int_eq(mkfifo("target", 0600), 0);
	ck_assert_int_eq(symlink("target", NAME), 0);
	refuse_make();
	ck_assert_uint_eq(mode_of("target"), 0600);
	ck_assert_int_eq(unlink(NAME), 0);
	ck_assert_int_eq(link("target", NAME), 0); /* of a FIFO somewhere else */
	refuse_make();
}
END_TEST

/* -- one reader after the other -- */

/* begat's first promise for a FIFO: every reader gets a fresh answer, and one whole one. */
START_TEST(test_one_by_one)
{
	start();
	for (int i = 1; i <= 200; i++)
		ck_assert_int_eq(ask(), i);
	ck_assert_int_eq(count_files(), 2);
}
END_TEST

/* Longer than any pipe, and to one reader as it is written. */
START_TEST(test_long_answer)
{
	shared->length = 1000 * ANSWER * 10;
	start();
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(ask(), i);
}
END_TEST

/* A reader that leaves at once takes nobody's answer, and keeps nobody waiting. */
START_TEST(test_leaves)
{
	start();
	for (int i = 0; i < 300; i++)
		close(open(NAME, O_RDONLY | O_NONBLOCK));
	ck_assert_int_gt(ask(), 0);
	sleep_ms(50);
	ck_assert_int_gt(ask(), 0);
	EVENTUALLY(count_files() == 2);
}
END_TEST

/* A reader that has waited since the last daemon died. */
START_TEST(test_waits)
{
	pid_t reader;

	ck_assert_int_eq(mkfifo(NAME, 0600), 0);
	shared->begin = 1;
	read_together(0, 4096);
	sleep_ms(50);
	start();
	reader = waitpid(-1, NULL, 0);
	ck_assert_int_gt(reader, 0);
	ck_assert_int_eq(shared->got[0], 1);
	ck_assert_int_eq(ask(), 2);
}
END_TEST

/* The temporary name is no way to an answer of somebody else's. */
START_TEST(test_back_door)
{
	DIR *here;
	const struct dirent *entry;
	int fd = -1;

	start();
	here = opendir(".");
	while ((entry = readdir(here)))
		if (strstr(entry->d_name, ".begat-"))
			fd = open(entry->d_name, O_RDONLY);
	closedir(here);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read_answer(fd, 4096), 1);
	ck_assert_int_eq(ask(), 2);
	EVENTUALLY(count_files() == 2);
}
END_TEST

/* -- readers at the same moment -- */

/* However many come between two system calls of ours: each has one whole answer of its own. */
START_TEST(test_together)
{
	const int counts[] = { 2, 3, READERS };

	start();
	wait_for_answerer_too();
	for (int round = 0; round < 30; round++) {
		const int count = counts[round % 3];

		gather_readers(count, 65536);
		ck_assert_int_eq(check_readers(count), 0);
	}
	EVENTUALLY(count_files() == 2);
}
END_TEST

/* What cannot be given to each of them whole is given to none of them in parts. */
START_TEST(test_together_long)
{
	shared->length = 1000 * ANSWER;
	start();
	wait_for_answerer_too();
	for (int round = 0; round < 10; round++) {
		gather_readers(READERS, 65536);
		check_readers(READERS);
	}
}
END_TEST

START_TEST(test_together_small)
{
	if (geteuid() != 0) /* we may not see what they wait for */
		return;
	start();
	wait_for_answerer_too();
	for (int round = 0; round < 10; round++) {
		gather_readers(READERS, 7);
		check_readers(READERS);
	}
}
END_TEST

/* Those who open the file are not always ready to read. */
START_TEST(test_together_late)
{
	if (geteuid() != 0)
		return;
	start();
	wait_for_answerer_too();
	ck_assert_int_eq(kill(keeper, SIGSTOP), 0); /* so that all find one pipe */
	for (int i = 0; i < 3; i++)
		read_late(i, 4096, 30 * i);
	shared->begin = 1;
	sleep_ms(5);
	ck_assert_int_eq(kill(keeper, SIGCONT), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_gt(waitpid(0, NULL, 0), 0);
	ck_assert_int_eq(check_readers(3), 0);
}
END_TEST

/* One that never reads takes nothing from those who do, and they do not wait for it for long. */
START_TEST(test_together_silent)
{
	pid_t silent;
	int64_t begun;

	start();
	wait_for_answerer_too();
	ck_assert_int_eq(kill(keeper, SIGSTOP), 0); /* so that all find one pipe */
	silent = fork_tied();
	if (silent == 0) {
		setpgid(0, 0);
		open(NAME, O_RDONLY);
		for (;;)
			pause();
	}
	read_together(0, 4096);
	read_together(1, 4096);
	shared->begin = 1;
	sleep_ms(100);
	begun = clock_now_ns();
	ck_assert_int_eq(kill(keeper, SIGCONT), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_gt(waitpid(0, NULL, 0), 0);
	ck_assert_int_lt(clock_now_ns() - begun, 2 * NS_IN_S);
	if (geteuid() == 0)
		ck_assert_int_eq(check_readers(2), 0);
	end_process(&silent);
}
END_TEST

/* -- the name -- */

START_TEST(test_removed)
{
	owner.mode = 0604;
	start();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(unlink(NAME), 0);
		EVENTUALLY(is_fifo());
		ck_assert_uint_eq(mode_of(NAME), 0604);
		ck_assert_int_gt(ask(), 0);
	}
	ck_assert_int_eq(rename(NAME, "elsewhere"), 0);
	EVENTUALLY(is_fifo());
	ck_assert_int_gt(ask(), 0);
}
END_TEST

/* "while rm" must not keep us busy. */
START_TEST(test_removed_for_ever)
{
	const int64_t end = clock_now_ns() + NS_IN_S;
	int removed = 0;

	start();
	while (clock_now_ns() < end)
		removed += unlink(NAME) == 0;
	ck_assert_int_ge(removed, 2);
	ck_assert_int_le(removed, 13);
	EVENTUALLY(is_fifo());
	ck_assert_int_gt(ask(), 0);
}
END_TEST

static void refuse(void)
{
	const ino_t before = inode_of(NAME);

	ck_assert_int_eq(end_of_keeper(), WORKER_STEP_EXIT + WORKER_STEP_KEEPER);
	ck_assert_uint_eq(shared->report.failure, (uint32_t)WORKER_STEP_KEEPER << 16 | EEXIST);
	shared->report.failure = 0;
	ck_assert_uint_eq(inode_of(NAME), before);
}

START_TEST(test_refuses)
{
	write_file(NAME, "precious");
	start_keeper();
	refuse();
	ck_assert_int_eq(count_files(), 1);
	unlink(NAME);
	ck_assert_int_eq(symlink("nowhere", NAME), 0);
	start_keeper();
	refuse();
	ck_assert_int_eq(count_files(), 1);
	unlink(NAME);
	ck_assert_int_eq(mkdir(NAME, 0700), 0);
	start_keeper();
	refuse();
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* Something else is put into its place while we run. */
START_TEST(test_replaced)
{
	start();
	write_file("other", "precious");
	ck_assert_int_eq(rename("other", NAME), 0);
	refuse();
	ck_assert_int_eq(count_files(), 1);
	end_process(&answerer);
	unlink(NAME);
	start();
	unlink(NAME);
	if (symlink("nowhere", NAME) == 0)
		refuse();
}
END_TEST

/* It is put there in the very moment in which the next FIFO is to take that place. */
START_TEST(test_replaced_meanwhile)
{
	start();
	wait_for_answerer_too();
	ck_assert_int_eq(kill(keeper, SIGSTOP), 0);
	shared->begin = 1;
	read_together(0, 4096);
	sleep_ms(50);
	ck_assert_int_eq(unlink(NAME), 0);
	write_file(NAME, "precious");
	ck_assert_int_eq(kill(keeper, SIGCONT), 0);
	refuse();
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* It is put there while there was nothing, for the sake of those who remove it all the time. */
START_TEST(test_replaced_later)
{
	start();
	ck_assert_int_eq(unlink(NAME), 0);
	EVENTUALLY(is_fifo());
	ck_assert_int_eq(unlink(NAME), 0);
	sleep_ms(20);
	write_file(NAME, "precious");
	refuse();
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* Somebody who exchanges everything in that directory all the time. */
START_TEST(test_games)
{
	const int64_t end = clock_now_ns() + NS_IN_S;
	const struct dirent *entry;
	struct stat status;
	DIR *here;

	start();
	write_file("precious", "precious");
	while (clock_now_ns() < end && waitpid(keeper, NULL, WNOHANG) == 0) {
		here = opendir(".");
		while ((entry = readdir(here)))
			if (strstr(entry->d_name, ".begat-"))
				(void)!(rename(entry->d_name, "mine") ||
					link("precious", entry->d_name));
		closedir(here);
		close(open(NAME, O_RDONLY | O_NONBLOCK));
	}
	ck_assert_int_eq(stat("precious", &status), 0);
	ck_assert_int_eq(status.st_size, 8);
	ck_assert_uint_eq(status.st_uid, geteuid());
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	keeper = 0; /* it has seen enough, or goes on: both are right */
}
END_TEST

START_TEST(test_leftovers)
{
	ck_assert_int_eq(mkfifo("." NAME ".begat-abcdef", 0600), 0);
	ck_assert_int_eq(mkfifo("." NAME ".begat-abcdefg", 0600), 0);
	write_file("." NAME ".begat-uvwxyz", "precious");
	start_keeper();
	EVENTUALLY(is_fifo());
	ck_assert_int_ne(access("." NAME ".begat-abcdef", F_OK), 0);
	ck_assert_int_eq(access("." NAME ".begat-abcdefg", F_OK), 0);
	ck_assert_int_eq(access("." NAME ".begat-uvwxyz", F_OK), 0);
}
END_TEST

/* The path leads elsewhere: only a new keeper can find out where. */
START_TEST(test_directory)
{
	ck_assert_int_eq(mkdir("d", 0755), 0);
	strcpy(strrchr(shared->planned.path, '/'), "/d/" NAME);
	start_keeper();
	EVENTUALLY(access("d/" NAME, F_OK) == 0);
	sleep_ms(50);
	ck_assert_int_eq(rename("d", "e"), 0);
	ck_assert_int_eq(end_of_keeper(), WORKER_STEP_EXIT + WORKER_STEP_KEEPER);
	ck_assert_int_eq(rmdir("e"), 0); /* nothing is left in it */
	start_keeper();
	ck_assert_int_eq(end_of_keeper(), WORKER_STEP_EXIT + WORKER_STEP_KEEPER);
	ck_assert_uint_eq(shared->report.failure & 0xffff, ESTALE); /* the first one's */
}
END_TEST

/* -- what the master says -- */

START_TEST(test_remove)
{
	start();
	ck_assert_int_eq(send(talk_fd, &(char){ KEEPER_REMOVE }, 1, 0), 1);
	ck_assert_int_eq(end_of_keeper(), 0);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

/* Somebody else's file is not removed with it. */
START_TEST(test_remove_other)
{
	start();
	kill(keeper, SIGSTOP);
	unlink(NAME);
	write_file(NAME, "precious");
	ck_assert_int_eq(send(talk_fd, &(char){ KEEPER_REMOVE }, 1, 0), 1);
	kill(keeper, SIGCONT);
	(void)end_of_keeper();
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* F61: a master that was killed leaves its FIFO to the next one. */
START_TEST(test_master_dies)
{
	start_keeper();
	EVENTUALLY(is_fifo() && count_files() == 2);
	close(talk_fd);
	ck_assert_int_eq(end_of_keeper(), 0);
	ck_assert(is_fifo());
	ck_assert_int_eq(count_files(), 1);
	start();
	ck_assert_int_eq(ask(), 1);
}
END_TEST

START_TEST(test_owner)
{
	char packet[1 + sizeof(owner)] = { KEEPER_OWNER };

	start();
	owner.mode = 0664;
	memcpy(packet + 1, &owner, sizeof(owner));
	ck_assert_int_eq(send(talk_fd, packet, sizeof(packet), 0), sizeof(packet));
	EVENTUALLY(mode_of(NAME) == 0664);
	ck_assert_int_eq(ask(), 1);
	ck_assert_uint_eq(mode_of(NAME), 0664);
}
END_TEST

/* -- what it costs -- */

static long count_wakeups(void)
{
	char path[64], line[256];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)keeper);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "voluntary_ctxt_switches: %ld", &count);
	fclose(file);
	return count;
}

/* P4: nothing wakes it when nothing happens, not even others' files. */
START_TEST(test_idle)
{
	long before;

	start();
	ck_assert_int_eq(ask(), 1);
	sleep_ms(100);
	before = count_wakeups();
	write_file("other", "text");
	unlink("other");
	sleep_ms(500);
	ck_assert_int_eq(count_wakeups(), before);
}
END_TEST

static int count_descriptors(void)
{
	char path[64];
	DIR *fds;
	int count = -2;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)keeper);
	fds = opendir(path);
	while (readdir(fds))
		count++;
	closedir(fds);
	return count;
}

/* P3: and it has none of the master's. */
START_TEST(test_descriptors)
{
	start();
	EVENTUALLY(count_descriptors() == 3 + 3 + 2 * 2); /* the socket, directory, events; FIFOs */
	for (int i = 0; i < 200; i++)
		ck_assert_int_gt(ask(), 0);
	EVENTUALLY(count_descriptors() == 3 + 3 + 2 * 2);
}
END_TEST

/* -- without fanotify(7) -- */

static int write_proc(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return written < 0 ? -1 : 0;
}

/* inotify(7) does as well, for one reader after the other, and nearly always for several. */
START_TEST(test_inotify)
{
	char map[32];
	const uid_t uid = geteuid();

	if (unshare(CLONE_NEWUSER) < 0)
		return; /* not allowed here */
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (write_proc("/proc/self/uid_map", map) < 0 ||
	    write_proc("/proc/sys/user/max_fanotify_groups", "0") < 0)
		return;
	ck_assert_int_eq(mkfifo(NAME, 0600), 0);
	shared->begin = 1;
	read_together(0, 4096);
	sleep_ms(50);
	start();
	ck_assert_int_gt(waitpid(0, NULL, 0), 0);
	ck_assert_int_eq(shared->got[0], 1);
	for (int i = 2; i <= 50; i++)
		ck_assert_int_eq(ask(), i);
	wait_for_answerer_too();
	gather_readers(2, 65536);
	check_readers(2);
	ck_assert_int_eq(unlink(NAME), 0);
	EVENTUALLY(is_fifo());
	ck_assert_int_gt(ask(), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_make,
		test_make_again,
		test_make_owner,
		test_make_refuses,
		test_one_by_one,
		test_long_answer,
		test_leaves,
		test_waits,
		test_back_door,
		test_together,
		test_together_long,
		test_together_small,
		test_together_late,
		test_together_silent,
		test_removed,
		test_removed_for_ever,
		test_refuses,
		test_replaced,
		test_replaced_meanwhile,
		test_replaced_later,
		test_games,
		test_leftovers,
		test_directory,
		test_remove,
		test_remove_other,
		test_master_dies,
		test_owner,
		test_idle,
		test_descriptors,
		test_inotify,
	};
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, make_shared, leave);
	tcase_set_timeout(all, 30);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(all, tests[i]);
	return suite_finish("fifo", all);
}
