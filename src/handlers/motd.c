/* SPDX-License-Identifier: ISC */
/*
 * motd: a file of the administrator's, such as the message of the day, then the end.
 *
 * Of a datagram's answer it is as many whole lines as fit.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "handlers/file.h"
#include "handlers/handler.h"
#include "handlers/once.h"

static bool motd_answer(struct begat_session *session, const void *bytes, size_t length)
{
	const char *path = begat_string(session, "file");
	const int error = file_show(session, path, FILE_MOTD_MAX) < 0 ? errno : 0;

	(void)bytes;
	(void)length;
	file_complain("motd", path, error ? strerror(error) : NULL);
	return error == 0;
}

static int motd_serve(struct begat_session *session)
{
	return once_serve(session, &motd_handler);
}

static const struct begat_option motd_options[] = {
	{ .name = "file",
	  .type = BEGAT_OPTION_PATH,
	  .fallback = "/etc/motd",
	  .help = "the file, of at most 64k" },
	{ .name = NULL },
};

static const struct begat_path motd_paths[] = {
	{ .option = "file" },
	{ .path = NULL },
};

const struct begat_handler motd_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "motd",
	.summary = "a file, such as the message of the day",
	.options = motd_options,
	.paths = motd_paths,
	.serve = motd_serve,
	.answer = motd_answer,
	.at_once = true,
};
