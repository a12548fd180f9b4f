/* SPDX-License-Identifier: ISC */
/*
 * Several readers of one pipe: asked by the keeper before it gives them their answers.
 *
 * Those that wait in read(2) get what is written in the order in which they have come, each of them
 * as much as fits into its buffer (pipe_read() of Linux: they wait exclusively).  So an answer that
 * fits into every buffer, written at once when all of them wait, goes to one of them, whole.
 * Whether that is so is said by /proc/PID/task/TID/syscall: the number of the call and its
 * arguments.  It takes CAP_SYS_PTRACE to look at other users' processes.
 *
 * What is read here comes from the kernel alone.
 */
#include "config.h"

#include "worker/crowd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TASK_PATH 64

/* The call that a task waits in.  0, or -1 with errno. */
static int read_call(const char *task, char *line, size_t size)
{
	char path[TASK_PATH + sizeof("/syscall")];
	ssize_t length;
	int fd, error;

	snprintf(path, sizeof(path), "%s/syscall", task);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	length = read(fd, line, size - 1);
	error = errno;
	(void)close(fd); /* only read from */
	errno = error;
	if (length < 0)
		return -1;
	line[length] = '\0';
	return 0;
}

/* What it reads may be a file of a file system that never answers us: only what the kernel knows of
 * it by itself is asked. */
static bool is_file(const char *task, unsigned long fd, const struct stat *file)
{
	char path[TASK_PATH + sizeof("/fd/") + 20];
	struct statx status;

	snprintf(path, sizeof(path), "%s/fd/%lu", task, fd);
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &status) == 0 &&
	       makedev(status.stx_dev_major, status.stx_dev_minor) == file->st_dev &&
	       status.stx_ino == file->st_ino;
}

/* Whether the task waits in read(2) of that pipe, and for how much. */
static bool is_waiting(const char *task, const char *line, const struct stat *pipe, size_t *room)
{
	unsigned long fd, buffer, count;
	long number;

	if (sscanf(line, "%ld %lx %lx %lx", &number, &fd, &buffer, &count) != 4 ||
	    number != SYS_read || !is_file(task, fd, pipe))
		return false;
	*room = count;
	return true;
}

static void look_at_task(const char *task, const struct stat *pipe, struct crowd *crowd)
{
	char line[256];
	size_t room;

	if (read_call(task, line, sizeof(line)) < 0) {
		if (errno == EPERM || errno == EACCES)
			crowd->is_known = false;
		return;
	}
	if (!is_waiting(task, line, pipe, &room))
		return;
	crowd->waiting++;
	if (room < crowd->room)
		crowd->room = room;
}

/* Any of its threads may be the one that reads. */
static void look_at(pid_t pid, const struct stat *pipe, struct crowd *crowd)
{
	char path[TASK_PATH];
	const struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (tasks == NULL) {
		if (errno != ENOENT)
			crowd->is_known = false;
		return;
	}
	crowd->readers++;
	while ((entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s", (int)pid, entry->d_name);
		if (entry->d_name[0] != '.')
			look_at_task(path, pipe, crowd);
	}
	(void)closedir(tasks); /* only read from */
}

void crowd_look(const pid_t *pids, size_t count, dev_t device, ino_t inode, struct crowd *crowd)
{
	const struct stat pipe = { .st_dev = device, .st_ino = inode };

	*crowd = (struct crowd){ .room = SIZE_MAX, .is_known = true };
	for (size_t i = 0; i < count && crowd->is_known; i++) {
		if (pids[i] == 0)
			crowd->is_known = false;
		else
			look_at(pids[i], &pipe, crowd);
	}
}
