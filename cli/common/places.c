// SPDX-License-Identifier: GPL-2.0
/* machine.h says what is where. The path of this file tells a checkout. */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

/* The directory this program is in; "" when nobody knows. */
static const char *own_directory(void)
{
	static char dir[PATH_MAX];
	char *slash;
	ssize_t n;

	if (dir[0])
		return dir;
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = 0;
	slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	return dir;
}

__attribute__((format(printf, 2, 0)))
static bool join(char path[PATH_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(path, PATH_MAX, fmt, ap);

	if (n >= 0 && n < PATH_MAX)
		return true;
	warnx("a path is too long");
	return false;
}

__attribute__((format(printf, 2, 3)))
static bool path_of(char path[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = join(path, fmt, ap);
	va_end(ap);
	return ok;
}

/* The test programs of a checkout lie in build/tests. */
static const char *build_directory(void)
{
	static char dir[PATH_MAX];
	static const char *const up[] = { "", "/.." };
	char sources[PATH_MAX];

	for (int i = 0; i < 2 && !dir[0]; i++)
		if (path_of(sources, "%s%s/../cli/common/places.c", own_directory(),
			    up[i]) && !access(sources, F_OK) &&
		    !path_of(dir, "%s%s", own_directory(), up[i]))
			dir[0] = 0;
	return dir;
}

bool place_is_checkout(void)
{
	return build_directory()[0];
}

bool place_guest(char path[PATH_MAX])
{
	const char *env = getenv("AIRLOCK_GUEST");

	if (env)
		return path_of(path, "%s", env);
	if (place_is_checkout() ?
	    !path_of(path, "%s/guest.elf", build_directory()) :
	    !path_of(path, "%s/../lib/airlock/guest.elf", own_directory()))
		return false;
	if (!access(path, R_OK))
		return true;
	warnx("there is no reference kernel (%s); give --kernel", path);
	return false;
}

bool place_source(char path[PATH_MAX], const char *name)
{
	if (place_is_checkout())
		return path_of(path, "%s/../%s", build_directory(), name);
	return path_of(path, "%s/../share/airlock/%s", own_directory(), name);
}

static bool cache_directory(char path[PATH_MAX])
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache == '/')
		return path_of(path, "%s/airlock", cache);
	if (home && *home)
		return path_of(path, "%s/.cache/airlock", home);
	warnx("neither XDG_CACHE_HOME nor HOME says where to keep files");
	return false;
}

bool place_work(char path[PATH_MAX], const char *fmt, ...)
{
	char base[PATH_MAX], rest[PATH_MAX];
	va_list ap;
	bool ok;

	if (place_is_checkout())
		ok = path_of(base, "%s", build_directory());
	else
		ok = cache_directory(base);
	va_start(ap, fmt);
	ok = ok && join(rest, fmt, ap);
	va_end(ap);
	return ok && path_of(path, "%s/%s", base, rest);
}
