/* SPDX-License-Identifier: ISC */
/* The rules of a cage by Landlock: begat.conf(5), "The cage". */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cage/kernel.h"
#include "cage/program.h"
#include "cage/ruleset.h"
#include "folder.h"
#include "suite.h"

#define ALL_FILES UINT64_MAX /* of which this kernel knows some */

static struct rules rules;

static const struct rule *find(const char *path)
{
	for (size_t i = 0; i < rules.count; i++)
		if (rules.all[i].path && strcmp(rules.all[i].path, path) == 0)
			return &rules.all[i];
	return NULL;
}

static const struct rule *get(const char *path)
{
	const struct rule *rule = find(path);

	ck_assert_msg(rule, "no rule for %s", path);
	return rule;
}

static void check_rights(const char *path, uint64_t rights, bool optional)
{
	const struct rule *rule = get(path);

	ck_assert_msg(rule->rights == rights, "%s: %#lx", path, (unsigned long)rule->rights);
	ck_assert_msg(rule->optional == optional, "%s is %s", path,
		      rule->optional ? "optional" : "required");
}

static const char *here(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void make_program(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fchmod(fileno(file), 0755), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void make_script(const char *name, const char *text)
{
	make_program(name, text, strlen(text));
}

/* Cages that are alike are found by comparing their rules. */
START_TEST(rules_are_sorted_and_each_once)
{
	rules_add_port(&rules, 443, LANDLOCK_CONNECT);
	rules_add_path(&rules, "/var", rights_to_read, true);
	rules_add_port(&rules, 80, LANDLOCK_CONNECT);
	rules_add_path(&rules, "/etc", rights_to_read, true);
	rules_add_path(&rules, "/var", rights_to_write, false);
	rules_add_path(&rules, "/etc", rights_to_execute, true);
	rules_add_path(&rules, "/var", rights_to_read, true);
	rules_add_port(&rules, 80, LANDLOCK_BIND);
	ck_assert_uint_eq(rules.count, 4);
	ck_assert_str_eq(rules.all[0].path, "/etc");
	ck_assert_str_eq(rules.all[1].path, "/var");
	ck_assert_ptr_null(rules.all[2].path);
	ck_assert_uint_eq(rules.all[2].port, 80);
	ck_assert_uint_eq(rules.all[2].rights, LANDLOCK_BIND | LANDLOCK_CONNECT);
	ck_assert_uint_eq(rules.all[3].port, 443);
	check_rights("/etc", rights_to_execute, true);
	check_rights("/var", rights_to_write, false);
	rules_fini(&rules);
	ck_assert_uint_eq(rules.count, 0);
}
END_TEST

/* Whoever may write need not run what is there, nor make devices. */
START_TEST(rights)
{
	ck_assert_uint_eq(rights_to_read, LANDLOCK_READ_FILE | LANDLOCK_READ_DIR);
	ck_assert_uint_eq(rights_to_execute, rights_to_read | LANDLOCK_EXECUTE);
	ck_assert_uint_eq(
		rights_to_write,
		0xffff & ~(uint64_t)(LANDLOCK_EXECUTE | LANDLOCK_MAKE_CHAR | LANDLOCK_MAKE_BLOCK));
}
END_TEST

/* Shells open /dev/null with O_TRUNC; libraries are read, and nothing in /usr/lib is run. */
START_TEST(program)
{
	program_add_rules(&rules, "/bin/cat", NULL);
	check_rights("/bin/cat", rights_to_execute, false);
	check_rights("/usr/lib", rights_to_read, true);
	check_rights("/etc/ld.so.cache", rights_to_read, true);
	check_rights("/dev/null", rights_to_write & LANDLOCK_OF_FILES, true);
	check_rights("/dev/urandom", rights_to_read, true);
	check_rights("/etc/localtime", rights_to_read, true);
	ck_assert_ptr_null(find("/etc"));
	ck_assert_ptr_null(find("/usr"));
	ck_assert_ptr_null(find("/"));
	rules_fini(&rules);
}
END_TEST

/* What PT_INTERP says of ourselves, in the way of the dynamic linker. */
static int find_loader(struct dl_phdr_info *info, size_t size, void *found)
{
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP && !*(const char **)found)
			*(const char **)found =
				(const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 0;
}

START_TEST(loader)
{
	const char *path = NULL;

	dl_iterate_phdr(find_loader, &path);
	program_add_rules(&rules, "/proc/self/exe", NULL);
	if (path)
		check_rights(path, rights_to_execute, true);
	rules_fini(&rules);
}
END_TEST

START_TEST(script)
{
	enter_directory();
	make_script("plain", "#! /bin/sh -e\necho\n");
	program_add_rules(&rules, here("plain"), NULL);
	check_rights(here("plain"), rights_to_execute, false);
	check_rights("/bin/sh", rights_to_execute, true);
	rules_fini(&rules);

	make_script("env", "#!/usr/bin/env -S A=b sh -u\n");
	program_add_rules(&rules, here("env"), NULL);
	check_rights("/usr/bin/env", rights_to_execute, true);
	ck_assert(find("/usr/bin/sh") || find("/bin/sh"));
	rules_fini(&rules);

	make_script("env-path", "#!/usr/bin/env /bin/sh");
	program_add_rules(&rules, here("env-path"), NULL);
	check_rights("/bin/sh", rights_to_execute, true);
	rules_fini(&rules);

	char *nested = xasprintf("#!%s\t-x\n", here("plain"));

	make_script("nested", nested);
	program_add_rules(&rules, here("nested"), NULL);
	check_rights(here("plain"), rights_to_execute, true);
	check_rights("/bin/sh", rights_to_execute, true);
	rules_fini(&rules);
	free(nested);
	leave_directory();
}
END_TEST

/* The number of rules beyond what every program gets. */
static size_t needs_of(const char *path)
{
	static size_t usual;
	size_t count;

	if (!usual) {
		program_add_rules(&rules, "/nowhere", NULL);
		usual = rules.count;
		rules_fini(&rules);
	}
	program_add_rules(&rules, path, NULL);
	count = rules.count - usual;
	rules_fini(&rules);
	return count;
}

/* A program's author is not to choose what its cage lets through. */
START_TEST(misleading_scripts)
{
	static const char *const texts[] = {
		"",
		"#",
		"#!",
		"#!\n",
		"#! \t \n",
		"#!/\n",
		"#!/etc\n",
		"#!sh\n",
		"#!./sh\n",
		"#!/nowhere/sh\n",
		"#!/dev/tty\n",
		"text\n",
		"\n#!/bin/sh\n",
		" #!/bin/sh\n",
	};
	char endless[4000];

	enter_directory();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		make_script("script", texts[i]);
		ck_assert_msg(needs_of(here("script")) == 0, "%s", texts[i]);
	}
	make_script("script", "#!/usr/bin/env\n");
	size_t env = needs_of(here("script"));

	ck_assert_uint_ge(env, 1);
	make_script("script", "#!/usr/bin/env -S ../../bin/sh\n");
	ck_assert_uint_eq(needs_of(here("script")), env);
	make_script("script", "#!/usr/bin/env no-such-program\n");
	ck_assert_uint_eq(needs_of(here("script")), env);
	make_script("script", "#!/usr/bin/env ..\n");
	ck_assert_uint_eq(needs_of(here("script")), env);

	memset(endless, '/', sizeof(endless));
	memcpy(endless, "#!", 2);
	make_program("script", endless, sizeof(endless));
	ck_assert_uint_eq(needs_of(here("script")), 0);

	/* One that is its own interpreter. */
	char *itself = xasprintf("#!%s\n", here("script"));

	make_script("script", itself);
	free(itself);
	ck_assert_uint_eq(needs_of(here("script")), 0);
	leave_directory();
}
END_TEST

/* An executable with one segment, which names its interpreter. */
struct image {
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	char path[32];
};

static struct image good_image(void)
{
	struct image image = { .path = "/bin/sh" };

	memcpy(image.header.e_ident, ELFMAG, SELFMAG);
	image.header.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	image.header.e_phoff = offsetof(struct image, segment);
	image.header.e_phentsize = sizeof(image.segment);
	image.header.e_phnum = 1;
	image.segment.p_type = PT_INTERP;
	image.segment.p_offset = offsetof(struct image, path);
	image.segment.p_filesz = sizeof("/bin/sh");
	return image;
}

static size_t needs_of_image(const struct image *image, size_t size)
{
	make_program("image", image, size);
	return needs_of(here("image"));
}

START_TEST(misleading_executables)
{
	struct image image = good_image();

	enter_directory();
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 1);
	for (size_t size = 0; size < offsetof(struct image, path) + sizeof("/bin/sh"); size++)
		ck_assert_msg(needs_of_image(&image, size) == 0, "%zu bytes", size);

	image.header.e_phoff = (ElfW(Off)) - 1;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.header.e_phentsize = 1;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.header.e_phnum = 0xffff;
	image.segment.p_type = PT_NULL;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.segment.p_filesz = (ElfW(Word)) - 1;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.segment.p_filesz = 8000;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	ck_assert_int_eq(truncate("image", 10000), 0);
	ck_assert_uint_eq(needs_of(here("image")), 0);
	image = good_image();
	image.segment.p_filesz = 0;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.segment.p_offset = (ElfW(Off)) - 1;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.segment.p_filesz--; /* no NUL at its end */
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	memcpy(image.path, "bin/sh/", sizeof("bin/sh/"));
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	image = good_image();
	image.header.e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	ck_assert_uint_eq(needs_of_image(&image, sizeof(image)), 0);
	leave_directory();
}
END_TEST

/* begatd would hang at start. */
START_TEST(fifo_is_not_opened)
{
	enter_directory();
	ck_assert_int_eq(mkfifo("fifo", 0755), 0);
	ck_assert_uint_eq(needs_of(here("fifo")), 0);
	leave_directory();
}
END_TEST

/* Debian's /lib64/ld-linux-x86-64.so.2 is an absolute link: outside, it would lead to the host's.
 */
START_TEST(chroot_is_its_own_world)
{
	char *root;

	enter_directory();
	root = xasprintf("%s/root", directory);
	ck_assert_int_eq(system("mkdir -p root/usr/bin root/lib root/lib64 root/dev && "
				"ln -s usr/bin root/bin && ln -s /usr/bin/dash root/usr/bin/sh && "
				"ln -s /lib/loader root/lib64/loader && "
				"ln -s ../../../../../etc root/usr/lib"),
			 0);
	struct image image = good_image();

	strcpy(image.path, "/lib64/loader");
	image.segment.p_filesz = strlen(image.path) + 1;
	make_program("root/lib/loader", "", 0);
	make_program("root/usr/bin/dash", &image, sizeof(image));
	make_script("root/usr/bin/env", "");
	make_script("root/usr/bin/only-here", "");
	make_script("root/script", "#!/bin/sh\n");
	make_script("root/env-script", "#!/usr/bin/env only-here\n");

	program_add_rules(&rules, "/script", root);
	check_rights(here("root/script"), rights_to_execute, false);
	check_rights(here("root/usr/bin/dash"), rights_to_execute, true);
	check_rights(here("root/lib/loader"), rights_to_execute, true);
	check_rights(here("root/lib"), rights_to_read, true);
	check_rights(here("root/dev/null"), rights_to_write & LANDLOCK_OF_FILES, true);
	for (size_t i = 0; i < rules.count; i++)
		ck_assert_msg(strncmp(rules.all[i].path, root, strlen(root)) == 0, "%s",
			      rules.all[i].path);
	rules_fini(&rules);

	program_add_rules(&rules, "/env-script", root);
	check_rights(here("root/usr/bin/env"), rights_to_execute, true);
	check_rights(here("root/usr/bin/only-here"), rights_to_execute, true);
	rules_fini(&rules);
	free(root);
	leave_directory();
}
END_TEST

static int build(void)
{
	const char *which = "?";
	int fd = rules_build(&rules, &which);

	ck_assert_msg(fd >= 0, "%s: %s", which ? which : "-", strerror(errno));
	ck_assert_ptr_null(which);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	return fd;
}

static void fails_to_build(const char *path, int error)
{
	const char *which = "?";

	rules_add_path(&rules, path, rights_to_read, false);
	ck_assert_int_eq(rules_build(&rules, &which), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_str_eq(which, path);
	rules_fini(&rules);
	rules.handled.files = ALL_FILES;
}

START_TEST(missing_paths)
{
	enter_directory();
	write_file("file", "");
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	rules.handled.files = ALL_FILES;
	fails_to_build(here("nowhere"), ENOENT);
	fails_to_build(here("file/nowhere"), ENOTDIR);
	fails_to_build(here("loop"), ELOOP);
	rules_add_path(&rules, here("nowhere"), rights_to_read, true);
	rules_add_path(&rules, here("file/nowhere"), rights_to_read, true);
	ck_assert_int_eq(close(build()), 0);
	leave_directory();
}
END_TEST

/* The kernel refuses rights to directories for a file, rights that are not handled, and none. */
START_TEST(rights_are_cut_to_what_the_kernel_takes)
{
	enter_directory();
	write_file("file", "");
	rules.handled = (struct landlock_handled){ UINT64_MAX, UINT64_MAX, UINT64_MAX };
	rules_add_path(&rules, here("file"), UINT64_MAX, false);
	rules_add_path(&rules, "/dev/null", rights_to_write, false);
	rules_add_path(&rules, directory, UINT64_MAX, false);
	rules_add_port(&rules, 80, UINT64_MAX);
	ck_assert_int_eq(close(build()), 0);
	rules_fini(&rules);

	rules.handled.files = LANDLOCK_READ_DIR;
	rules_add_path(&rules, here("file"), LANDLOCK_READ_DIR, false);
	rules_add_path(&rules, directory, LANDLOCK_EXECUTE, false);
	rules_add_port(&rules, 80, LANDLOCK_CONNECT);
	ck_assert_int_eq(close(build()), 0);
	leave_directory();
}
END_TEST

/* In a child that is in the cage; its exit status. */
static int in_cage(int (*probe)(void))
{
	int fd = build(), status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		alarm(20);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_restrict(fd) < 0)
			_exit(99);
		_exit(probe());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: not %s\n", __LINE__, #condition);                \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static int probe_files(void)
{
	EXPECT(try_open("read/file", O_RDONLY) == 0);
	EXPECT(try_open("read/file", O_RDWR) == EACCES);
	EXPECT(try_open("read/new", O_WRONLY | O_CREAT) == EACCES);
	EXPECT(try_open("write/file", O_RDWR | O_TRUNC) == 0);
	EXPECT(try_open("write/new", O_WRONLY | O_CREAT) == 0);
	EXPECT(try_open("single", O_RDONLY) == 0);
	EXPECT(try_open("other/file", O_RDONLY) == EACCES);
	EXPECT(try_open("other", O_RDONLY | O_DIRECTORY) == EACCES);
	EXPECT(try_open("/etc/passwd", O_RDONLY) == EACCES);
	EXPECT(try_open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC) == 0);
	EXPECT(mkdir("write/folder", 0700) == 0 && rmdir("write/folder") == 0);
	EXPECT(mkdir("other/folder", 0700) < 0 && errno == EACCES);
	EXPECT(unlink("read/file") < 0 && errno == EACCES);
	EXPECT(mknod("write/device", S_IFCHR | 0600, 0) < 0 && (errno == EACCES || errno == EPERM));
	EXPECT(mkfifo("write/fifo", 0600) == 0);
	if (kernel_get()->landlock >= 2)
		EXPECT(rename("write/file", "write/deep/file") == 0);
	EXPECT(rename("write/new", "other/new") < 0 && (errno == EACCES || errno == EXDEV));
	return 0;
}

START_TEST(files_are_out_of_reach)
{
	enter_directory();
	ck_assert_int_eq(system("mkdir -p read write/deep other && "
				"touch read/file write/file other/file single"),
			 0);
	rules.handled.files = ALL_FILES;
	rules_add_path(&rules, here("read"), rights_to_read, false);
	rules_add_path(&rules, here("write"), rights_to_write, false);
	rules_add_path(&rules, here("single"), rights_to_read, false);
	rules_add_path(&rules, "/dev/null", rights_to_write, true);
	ck_assert_int_eq(in_cage(probe_files), 0);
	leave_directory();
}
END_TEST

static int try_port(uint16_t port, int (*call)(int, const struct sockaddr *, socklen_t))
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

	if (call(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		error = errno;
	(void)close(fd);
	return error;
}

static int probe_ports(void)
{
	EXPECT(try_port(1, connect) == ECONNREFUSED);
	EXPECT(try_port(2, connect) == EACCES);
	EXPECT(try_port(41414, bind) != EACCES);
	EXPECT(try_port(41415, bind) == EACCES);
	EXPECT(try_port(41414, connect) == EACCES);
	EXPECT(try_open("/etc/passwd", O_RDONLY) == 0);
	return 0;
}

START_TEST(ports_are_out_of_reach)
{
	if (kernel_get()->landlock < 4) {
		puts("# skipped: this kernel's Landlock knows no ports");
		return;
	}
	rules.handled.ports = LANDLOCK_BIND | LANDLOCK_CONNECT;
	rules_add_port(&rules, 1, LANDLOCK_CONNECT);
	rules_add_port(&rules, 41414, LANDLOCK_BIND);
	ck_assert_int_eq(in_cage(probe_ports), 0);
}
END_TEST

static char *const *command;
static int output_fd; /* opened outside */

static int probe_program(void)
{
	static const char *const environment[] = { "PATH=/usr/bin:/bin", "HOME=/", "LANG=C.UTF-8",
						   NULL };

	(void)dup2(output_fd, STDOUT_FILENO);
	execve(command[0], command, (char *const *)environment);
	fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
	return 126;
}

/* What workers may replace */

/* The beginning of the path; "": nothing of it. */
static const char *writable_of(const char *path)
{
	static char found[4096];
	size_t length;

	rules_settle(&rules);
	length = get(path)->writable;
	snprintf(found, sizeof(found), "%.*s", (int)length, path);
	return found;
}

/* Rules may call one directory by several names, and links may lead into it. */
START_TEST(other_names_are_seen_through)
{
	enter_directory();
	ck_assert_int_eq(mkdir("rw", 0777), 0);
	ck_assert_int_eq(mkdir("rw/hooks", 0777), 0);
	ck_assert_int_eq(symlink("rw", "alias"), 0);
	ck_assert_int_eq(symlink("rw/hooks", "into"), 0);
	rules_add_path(&rules, here("alias"), rights_to_write, false);
	rules_add_path(&rules, here("rw/hooks"), rights_to_execute, false);
	rules_add_path(&rules, here("into/file"), rights_to_read, true);
	rules_add_path(&rules, here("into"), rights_to_read, true);
	rules_add_path(&rules, here("rwx"), rights_to_read, true);
	ck_assert_uint_eq(strlen(writable_of(here("rw/hooks"))), strlen(here("rw")));
	ck_assert_uint_eq(strlen(writable_of(here("into/file"))), strlen(here("into")));
	ck_assert_str_eq(writable_of(here("rwx")), "");
	/* and when what is there has been replaced */
	ck_assert_int_eq(rmdir("rw/hooks"), 0);
	ck_assert_int_eq(symlink("/", "rw/hooks"), 0);
	ck_assert_uint_eq(strlen(writable_of(here("rw/hooks"))), strlen(here("rw")));
	rules_fini(&rules);
	leave_directory();
}
END_TEST

START_TEST(what_can_be_replaced_is_known)
{
	rules_add_path(&rules, "/srv", rights_to_read, false);
	rules_add_path(&rules, "/srv/data", rights_to_write, false);
	rules_add_path(&rules, "/srv/data/hooks", rights_to_execute, false);
	rules_add_path(&rules, "/srv/data/hooks/deep", rights_to_write, false);
	rules_add_path(&rules, "/srv/data/hooks/deep/er", rights_to_read, true);
	rules_add_path(&rules, "/srv/data2", rights_to_execute, false);
	rules_add_path(&rules, "/dev", rights_to_read, false);
	rules_add_path(&rules, "/dev/null", rights_to_write, true); /* is no directory */
	rules_add_port(&rules, 80, LANDLOCK_BIND);
	ck_assert_str_eq(writable_of("/srv"), "");
	ck_assert_str_eq(writable_of("/srv/data"), "");
	ck_assert_str_eq(writable_of("/srv/data/hooks"), "/srv/data");
	ck_assert_str_eq(writable_of("/srv/data/hooks/deep"), "/srv/data"); /* the outermost */
	ck_assert_str_eq(writable_of("/srv/data/hooks/deep/er"), "/srv/data");
	ck_assert_str_eq(writable_of("/srv/data2"), "");
	ck_assert_str_eq(writable_of("/dev/null"), "");
	ck_assert_uint_eq(rules.all[rules.count - 1].writable, 0); /* a port */
	rules_add_path(&rules, "/", rights_to_write, false);
	ck_assert_str_eq(writable_of("/srv/data2"), "/");
	ck_assert_str_eq(writable_of("/srv/data"), "/");
	rules_fini(&rules);
}
END_TEST

/* The errno of building, 0 for none, with a path beneath the writable one. */
static int build_within(const char *path, bool optional)
{
	const char *which = NULL;
	int fd, error;

	rules.handled.files = ALL_FILES;
	rules_add_path(&rules, here("rw"), rights_to_write, false);
	rules_add_path(&rules, here(path), rights_to_execute, optional);
	rules_settle(&rules);
	fd = rules_build(&rules, &which);
	error = fd < 0 ? errno : 0;
	if (fd >= 0)
		ck_assert_int_eq(close(fd), 0);
	else
		ck_assert_str_eq(which, here(path));
	rules_fini(&rules);
	return error;
}

/* A worker puts a link to / in a rule's place, and waits for the next reload. */
START_TEST(links_are_not_followed_out)
{
	static const char *const out[] = { "rw/root", "rw/up", "rw/way/hooks", "rw/far" };

	enter_directory();
	ck_assert_int_eq(mkdir("rw", 0777), 0);
	ck_assert_int_eq(mkdir("rw/hooks", 0777), 0);
	ck_assert_int_eq(mkdir("hooks", 0777), 0);
	write_file("rw/file", "");
	ck_assert_int_eq(symlink("/", "rw/root"), 0);
	ck_assert_int_eq(symlink("../hooks", "rw/up"), 0);
	ck_assert_int_eq(symlink("..", "rw/way"), 0); /* in the middle */
	ck_assert_int_eq(symlink("hooks/../../hooks", "rw/far"), 0);
	ck_assert_int_eq(symlink("hooks", "rw/within"), 0);
	for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++) {
		ck_assert_msg(build_within(out[i], false) == EXDEV, "%s", out[i]);
		ck_assert_msg(build_within(out[i], true) == 0, "%s", out[i]);
	}
	ck_assert_int_eq(build_within("rw/hooks", false), 0);
	ck_assert_int_eq(build_within("rw/file", false), 0);
	ck_assert_int_eq(build_within("rw/within", false), 0);
	ck_assert_int_eq(build_within("rw/gone", false), ENOENT);
	leave_directory();
}
END_TEST

/* And what is compared later is never what a link leads to out there. */
START_TEST(links_are_not_looked_behind)
{
	struct stat status, there;

	enter_directory();
	ck_assert_int_eq(mkdir("rw", 0777), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "rw/out"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "out"), 0);
	write_file("rw/in", "");
	rules_add_path(&rules, here("out"), rights_to_read, true); /* 0 */
	rules_add_path(&rules, here("rw"), rights_to_write, true);
	rules_add_path(&rules, here("rw/in"), rights_to_read, true);
	rules_add_path(&rules, here("rw/out"), rights_to_read, true);
	rules_settle(&rules);
	ck_assert_int_eq(stat("/etc/passwd", &there), 0);
	ck_assert_int_eq(rules_stat(&rules, 0, &status), 0);
	ck_assert_uint_eq(status.st_ino, there.st_ino);
	ck_assert_int_eq(stat("rw/in", &there), 0);
	ck_assert_int_eq(rules_stat(&rules, 2, &status), 0);
	ck_assert_uint_eq(status.st_ino, there.st_ino);
	ck_assert_int_eq(rules_stat(&rules, 3, &status), -1);
	ck_assert_int_eq(errno, EXDEV);
	rules_fini(&rules);
	leave_directory();
}
END_TEST

/* Which the kernel would not take: a directory's rights for a file. */
START_TEST(rules_that_allow_nothing_are_left_out)
{
	const char *which;
	int fd;

	enter_directory();
	write_file("file", "");
	rules.handled.files = ALL_FILES;
	rules_add_path(&rules, here("file"), LANDLOCK_READ_DIR, false);
	rules_add_path(&rules, directory, 0, false);
	rules_add_path(&rules, "/nowhere/at/all", 0, false); /* is not even looked for */
	rules_settle(&rules);
	fd = rules_build(&rules, &which);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	rules_fini(&rules);
	leave_directory();
}
END_TEST

static int run(const char *path, const char *argument, const char *last)
{
	char *const words[] = { (char *)path, (char *)argument, (char *)last, NULL };
	int status;

	command = words;
	output_fd = open("output", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rules.handled.files = ALL_FILES;
	program_add_rules(&rules, path, NULL);
	status = in_cage(probe_program);
	rules_fini(&rules);
	ck_assert_int_eq(close(output_fd), 0);
	return status;
}

/* "A program needs its loader's files, and write on /dev/null, or exec fails with EACCES and shells
 * break": faults, 4.1. */
START_TEST(programs_start_with_what_is_added_for_them)
{
	enter_directory();
	ck_assert_int_eq(run("/bin/date", "+%Z", NULL), 0);
	ck_assert_int_eq(run("/bin/sh", "-c", "echo x >/dev/null"), 0);
	make_script("script", "#!/bin/sh\ntest \"$1\" = argument\n");
	ck_assert_int_eq(run(here("script"), "argument", NULL), 0);
	make_script("script", "#!/usr/bin/env sh\ntest \"$1\" = argument\n");
	ck_assert_int_eq(run(here("script"), "argument", NULL), 0);
	if (access("/usr/bin/python3", X_OK) == 0)
		ck_assert_int_eq(
			run("/usr/bin/python3", "-c", "import datetime, random, socket, ssl"), 0);
	if (access("/usr/bin/perl", X_OK) == 0)
		ck_assert_int_eq(run("/usr/bin/perl", "-MPOSIX", "-e1"), 0);
	if (access("/usr/bin/git", X_OK) == 0)
		ck_assert_int_eq(run("/usr/bin/git", "--version", NULL), 0);
	leave_directory();
}
END_TEST

/* And with nothing else. */
START_TEST(programs_get_no_further)
{
	enter_directory();
	ck_assert_int_eq(run("/bin/cat", "/etc/passwd", NULL), 1);
	ck_assert_int_eq(run("/bin/cat", "/proc/self/status", NULL), 1);
	ck_assert_int_eq(run("/bin/sh", "-c", "/bin/date"), 126);
	ck_assert_int_eq(run("/bin/sh", "-c", "echo x >/tmp/begat-outside"), 2);
	ck_assert_int_ne(access("/tmp/begat-outside", F_OK), 0);
	leave_directory();
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("all");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, rules_are_sorted_and_each_once);
	tcase_add_test(tests, rights);
	tcase_add_test(tests, program);
	tcase_add_test(tests, loader);
	tcase_add_test(tests, script);
	tcase_add_test(tests, misleading_scripts);
	tcase_add_test(tests, misleading_executables);
	tcase_add_test(tests, fifo_is_not_opened);
	tcase_add_test(tests, chroot_is_its_own_world);
	tcase_add_test(tests, what_can_be_replaced_is_known);
	tcase_add_test(tests, other_names_are_seen_through);
	tcase_add_test(tests, links_are_not_looked_behind);
	if (kernel_get()->landlock > 0) {
		tcase_add_test(tests, missing_paths);
		tcase_add_test(tests, links_are_not_followed_out);
		tcase_add_test(tests, rules_that_allow_nothing_are_left_out);
		tcase_add_test(tests, rights_are_cut_to_what_the_kernel_takes);
		tcase_add_test(tests, files_are_out_of_reach);
		tcase_add_test(tests, ports_are_out_of_reach);
		tcase_add_test(tests, programs_start_with_what_is_added_for_them);
		tcase_add_test(tests, programs_get_no_further);
	} else {
		puts("# this kernel has no Landlock: what it does with rules is not tested");
	}
	return suite_finish("ruleset", tests);
}
