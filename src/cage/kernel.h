/* SPDX-License-Identifier: ISC */
/* What this kernel, this build and this process can do for a cage: asked once, when first needed.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct kernel {
	int landlock;		     /* its ABI; 0: none */
	bool has_filters;	     /* seccomp(2), and libseccomp was there at build time */
	bool has_deny_write_execute; /* PR_SET_MDWE, since Linux 6.3 */
	bool has_clone_into_cgroup;  /* clone3(2), since Linux 5.7 */
	uint64_t capabilities;	     /* our permitted set, bit by number */
	uint64_t known_capabilities; /* those that the kernel has */
};

/* Never fails: what cannot be found out is not there.  A dozen system calls. */
const struct kernel *kernel_get(void);

/* Whether mount, network and pid namespaces can be made by us, all three.  Forks a child, which
 * tries: a millisecond, the first time. */
bool kernel_has_namespaces(void);

/* What Landlock of that ABI can be asked for: the rights of base/landlock.h that it knows. */
uint64_t kernel_landlock_files(int abi);
uint64_t kernel_landlock_ports(int abi);
uint64_t kernel_landlock_scopes(int abi);

#endif
