// SPDX-License-Identifier: GPL-2.0
/* A script that answers a question: its lines are read. */
#include <err.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

bool script_begin(struct script *s, const char *const *argv)
{
	int p[2];

	if (pipe(p)) {
		warn("no pipe");
		return false;
	}
	fflush(NULL);
	s->pid = fork();
	if (!s->pid) {
		dup2(p[1], STDOUT_FILENO);
		close(p[0]);
		close(p[1]);
		execv(argv[0], (char *const *)argv);
		warn("cannot run %s", argv[0]);
		_exit(2);
	}
	close(p[1]);
	s->out = s->pid > 0 ? fdopen(p[0], "r") : NULL;
	if (s->out)
		return true;
	warn("cannot run %s", argv[0]);
	close(p[0]);
	return false;
}

bool script_end(struct script *s)
{
	int status = 0;

	fclose(s->out);
	while (waitpid(s->pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}
