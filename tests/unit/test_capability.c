/* SPDX-License-Identifier: ISC */
/* cage/capability: names in every spelling that documents use, and what they are here. */
#include "config.h"

#include "cage/capability.h"

#include <linux/capability.h>
#include <stdio.h>

#include "cage/kernel.h"
#include "suite.h"

#ifdef HAVE_CAPNG
/* systemd, capabilities(7), getpcaps(8) and Docker each write it in another way. */
START_TEST(takes_every_spelling)
{
	static const char *const spellings[] = {
		"net-bind-service",	"net_bind_service",	"NET_BIND_SERVICE",
		"CAP_NET_BIND_SERVICE", "cap_net_bind_service", "cap-net-bind-service",
		"Cap_Net-Bind_Service",
	};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++)
		ck_assert_msg(capability_find(spellings[i]) == CAP_NET_BIND_SERVICE, "%s",
			      spellings[i]);
	ck_assert_int_eq(capability_find("chown"), CAP_CHOWN);
	ck_assert_int_eq(capability_find("sys-admin"), CAP_SYS_ADMIN);
}
END_TEST

START_TEST(refuses_what_is_none)
{
	static const char *const wrong[] = { "",
					     "cap",
					     "cap_",
					     "cap-cap-chown",
					     "net bind service",
					     "net-bind-servic",
					     "chown\n",
					     "=",
					     "all",
					     "~chown",
					     "-",
					     " chown",
					     "0x0",
					     "64",
					     "99",
					     "100",
					     "-1",
					     "1.",
					     "cap_63",
					     "chown,",
					     "chown+" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(capability_find(wrong[i]) == -1, "\"%s\"", wrong[i]);
}
END_TEST

/* A name that does not fit must not be cut to one that does. */
START_TEST(refuses_what_is_too_long)
{
	char name[200] = "chown";

	memset(name + 5, '_', sizeof(name) - 6);
	ck_assert_int_eq(capability_find(name), -1);
	ck_assert_ptr_null(capability_nearest(name));
	memset(name, 'c', sizeof(name) - 1);
	ck_assert_int_eq(capability_find(name), -1);
}
END_TEST

START_TEST(formats_as_the_manual_says)
{
	char name[CAPABILITY_NAME];

	capability_format(CAP_NET_BIND_SERVICE, name);
	ck_assert_str_eq(name, "net-bind-service");
	capability_format(CAP_CHOWN, name);
	ck_assert_str_eq(name, "chown");
}
END_TEST

START_TEST(tells_the_nearest)
{
	ck_assert_str_eq(capability_nearest("net-bind-servise"), "net-bind-service");
	ck_assert_str_eq(capability_nearest("CAP_SYS_ADMINS"), "sys-admin");
	ck_assert_str_eq(capability_nearest("set_uid"), "setuid");
	ck_assert_ptr_null(capability_nearest("everything-there-is"));
	ck_assert_ptr_null(capability_nearest(""));
}
END_TEST
#else
START_TEST(knows_no_names_without_libcap_ng)
{
	ck_assert_int_eq(capability_find("chown"), -1);
	ck_assert_ptr_null(capability_nearest("chwon"));
}
END_TEST
#endif

/* What begatd prints must be what it reads. */
START_TEST(reads_what_it_writes)
{
	const uint64_t known = kernel_get()->known_capabilities;
	char name[CAPABILITY_NAME];

	for (int i = 0; i < 64; i++) {
		capability_format(i, name);
		ck_assert_msg(capability_find(name) == (known >> i & 1 ? i : -1), "%d: %s", i,
			      name);
	}
}
END_TEST

/* One that is newer than the library has no name, and can still be given. */
START_TEST(takes_numbers_of_this_kernel)
{
	ck_assert_int_eq(capability_find("0"), CAP_CHOWN);
	ck_assert_int_eq(capability_find("10"), CAP_NET_BIND_SERVICE);
	ck_assert_int_eq(capability_find("63"), -1);
}
END_TEST

#ifdef HAVE_CAPNG
SUITE("capability", takes_every_spelling, refuses_what_is_none, refuses_what_is_too_long,
      formats_as_the_manual_says, tells_the_nearest, reads_what_it_writes,
      takes_numbers_of_this_kernel)
#else
SUITE("capability", knows_no_names_without_libcap_ng, reads_what_it_writes,
      takes_numbers_of_this_kernel)
#endif
