/* SPDX-License-Identifier: ISC */
/*
 * Memory behind a descriptor.
 *
 * Without execute permission where the kernel knows how (6.3), because the sysctl vm.memfd_noexec
 * can make that a condition.  Who reads such memory asks for the seals first: without them its
 * writer could cut it short, and a reader would die of SIGBUS.
 */
#include "config.h"

#include "base/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int memfd_open(const char *name)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	return fd_park(fd);
}

int memfd_sealed(const char *name, const char *bytes, size_t size)
{
	int fd = memfd_open(name), error;

	if (fd < 0)
		return -1;
	if (fd_write_all(fd, bytes, size) == 0 && fcntl(fd, F_ADD_SEALS, MEMFD_SEALED) == 0)
		return fd;
	error = errno;
	(void)close(fd); /* failing already */
	errno = error;
	return -1;
}

bool memfd_has_seals(int fd, int seals)
{
	int held = fcntl(fd, F_GET_SEALS);

	return held >= 0 && (held & seals) == seals; /* -1 would have every bit */
}
