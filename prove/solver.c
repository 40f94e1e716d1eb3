// SPDX-License-Identifier: GPL-2.0
/* z3 and cvc5 as processes, by SMT-LIB on pipes. */
#include "solver.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS	60000	/* for one question; then it hangs */

const char *const solver_names[SOLVERS] = { "z3", "cvc5" };

/* The last option, where there is a sixth word, is for finding models. */
static const char *const commands[SOLVERS][6] = {
	[SOLVER_Z3] = { "z3", "-smt2", "-in", "-t:30000" },
	[SOLVER_CVC5] = { "cvc5", "--lang=smt2", "--incremental",
			  "--tlimit-per=30000", "--finite-model-find" },
};

bool solver_exists(enum solver_name name)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path ? path : "/usr/bin:/bin"), *save = NULL;
	bool found = false;

	for (char *d = strtok_r(copy, ":", &save); d && !found;
	     d = strtok_r(NULL, ":", &save)) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", d, solver_names[name]);
		found = !access(file, X_OK);
	}
	free(copy);
	return found;
}

static void child(enum solver_name name, bool models, int in, int out)
{
	char *argv[6];
	unsigned int n = 0;

	for (; commands[name][n] && (n < 4 || models); n++)
		argv[n] = strdup(commands[name][n]);
	argv[n] = NULL;
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	_exit(127);
}

bool solver_start(struct solver *s, enum solver_name name, bool models)
{
	int to[2], from[2];

	memset(s, 0, sizeof(*s));
	s->name = name;
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		err(3, "pipe");
	s->pid = fork();
	if (s->pid < 0)
		err(3, "fork");
	if (!s->pid)
		child(name, models, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	s->in = fdopen(to[1], "w");
	s->out = fdopen(from[0], "r");
	if (!s->in || !s->out)
		return false;
	/* poll() knows nothing of what stdio holds. */
	setvbuf(s->out, NULL, _IONBF, 0);
	return true;
}

void solver_stop(struct solver *s)
{
	if (s->pid <= 0)
		return;
	fclose(s->in);
	fclose(s->out);
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
}

/* A line, without its end. */
static bool line(struct solver *s, char *buf, size_t size)
{
	size_t n = 0;
	int c = 0;

	while (c != '\n') {
		struct pollfd p = { fileno(s->out), POLLIN, 0 };

		if (poll(&p, 1, ANSWER_MS) <= 0)
			return false;
		c = getc(s->out);
		if (c == EOF)
			return false;
		if (c != '\n' && n + 1 < size)
			buf[n++] = (char)c;
	}
	buf[n] = '\0';
	return true;
}

enum solver_answer solver_check(struct solver *s)
{
	fputs("(check-sat)\n", s->in);
	if (fflush(s->in) || !line(s, s->said, sizeof(s->said)))
		return SOLVER_DEAD;
	if (!strcmp(s->said, "unsat"))
		return SOLVER_UNSAT;
	if (!strcmp(s->said, "sat"))
		return SOLVER_SAT;
	return strcmp(s->said, "unknown") && strcmp(s->said, "timeout") ?
		SOLVER_DEAD : SOLVER_UNKNOWN;
}

/* "((TERM VALUE))" */
bool solver_value(struct solver *s, const char *term, char *buf, size_t size)
{
	char l[400];
	size_t skip = strlen(term) + 3, n;

	fprintf(s->in, "(get-value (%s))\n", term);
	if (fflush(s->in) || !line(s, l, sizeof(l)))
		return false;
	n = strlen(l);
	if (n < skip + 3 || l[0] != '(' || l[1] != '(')
		return false;
	l[n - 2] = '\0';
	snprintf(buf, size, "%s", l + skip);
	return true;
}
