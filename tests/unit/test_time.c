/* SPDX-License-Identifier: ISC */
/* RFC 868: four bytes, big-endian, modulo 2^32.  inetutils sends eight, as long as a long. */
#include "config.h"

#include "handlers/time.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "handlers/handler.h"
#include "talk.h"
#include "suite.h"

/* The first five are the RFC's own examples. */
START_TEST(known_times)
{
	ck_assert_uint_eq(time_from_unix(0), 2208988800U);
	ck_assert_uint_eq(time_from_unix(189302400), 2398291200U);
	ck_assert_uint_eq(time_from_unix(315532800), 2524521600U);
	ck_assert_uint_eq(time_from_unix(420595200), 2629584000U);
	ck_assert_uint_eq(time_from_unix(INT64_C(-3506716800)), (uint32_t)-1297728000);
}
END_TEST

START_TEST(wraps_in_2036)
{
	ck_assert_uint_eq(time_from_unix(2085978495), UINT32_MAX);
	ck_assert_uint_eq(time_from_unix(2085978496), 0);
	ck_assert_uint_eq(time_from_unix(2085978497), 1);
}
END_TEST

/* Where a 32-bit time_t would turn negative nothing happens. */
START_TEST(goes_on_in_2038)
{
	ck_assert_uint_eq(time_from_unix(INT32_MAX), 61505151U);
	ck_assert_uint_eq(time_from_unix(INT64_C(2147483648)), 61505152U);
	ck_assert_uint_eq(time_from_unix(INT64_C(4294967296)), 2208988800U);
}
END_TEST

START_TEST(on_the_wire)
{
	const struct session_settings settings = { .crlf = true };
	struct talk talk = talk_start(&time_handler, &settings);
	const uint32_t now = time_from_unix(time(NULL));
	char answer[64];
	uint32_t number;

	ck_assert_uint_eq(talk_hear(&talk, answer, sizeof(answer)), 4);
	memcpy(&number, answer, 4);
	ck_assert_uint_le(ntohl(number) - now + 2, 4);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("time");

	tcase_add_test(tcase, known_times);
	tcase_add_test(tcase, wraps_in_2036);
	tcase_add_test(tcase, goes_on_in_2038);
	tcase_add_test(tcase, on_the_wire);
	return suite_finish("time", tcase);
}
