# SPDX-License-Identifier: ISC
# Probes for flags, one at a time.  Each works with -Werror, because clang only warns about flags it
# does not know, and each appends to a variable of its own, so that CFLAGS stay the user's.

# BEGAT_COMPILER_FLAG(VARIABLE, FLAG)
AC_DEFUN([BEGAT_COMPILER_FLAG], [
	AS_VAR_PUSHDEF([cache], [begat_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		begat_saved_cflags=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$begat_saved_cflags
	])
	AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([cache])
])

# BEGAT_LINKER_FLAG(VARIABLE, FLAG, [MORE FLAGS], [IF NOT])
AC_DEFUN([BEGAT_LINKER_FLAG], [
	AS_VAR_PUSHDEF([cache], [begat_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker takes $2], [cache], [
		begat_saved_cflags=$CFLAGS
		begat_saved_ldflags=$LDFLAGS
		CFLAGS="$CFLAGS -Werror $3"
		LDFLAGS="$LDFLAGS $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([#include <stdio.h>], [puts("")])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$begat_saved_cflags
		LDFLAGS=$begat_saved_ldflags
	])
	AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])], [$4])
	AS_VAR_POPDEF([cache])
])
