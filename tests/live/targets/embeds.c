/* SPDX-License-Identifier: MIT */
/*
 * embeds LIBPYTHON: a program that has an interpreter now and then. A line on
 * stdin says what to do, "done" on stdout that it is done:
 *
 *   begin    initializes it; __main__.f is called all the time
 *   end      finalizes it
 *   unload   does without the library, until the next begin
 *   nothing
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char program[] = "import threading, time\n"
			      "def f(n):\n"
			      "    return n + 1\n"
			      "goes = True\n"
			      "def loop():\n"
			      "    n = 0\n"
			      "    while goes:\n"
			      "        n = f(n)\n"
			      "        time.sleep(0.01)\n"
			      "thread = threading.Thread(target=loop)\n"
			      "thread.start()\n";

static const char *library;
static void *python;
static void *state; /* ours, while it has no GIL */

static void *need(const char *name)
{
	void *found = NULL;

	if (!python)
		python = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
	if (python)
		found = dlsym(python, name);
	if (found)
		return found;
	fprintf(stderr, "%s\n", dlerror());
	exit(1);
}

static int run(const char *code)
{
	int (*run_flags)(const char *, void *) =
		(int (*)(const char *, void *))need("PyRun_SimpleStringFlags");

	return run_flags(code, NULL);
}

static void begin(void)
{
	void (*initialize)(int) = (void (*)(int))need("Py_InitializeEx");
	void *(*save)(void) = (void *(*)(void))need("PyEval_SaveThread");

	initialize(0);
	if (run(program))
		exit(2);
	state = save();
}

static void unload(void)
{
	if (!python || dlclose(python))
		exit(4);
	python = NULL;
}

static void end(void)
{
	void (*restore)(void *) =
		(void (*)(void *))need("PyEval_RestoreThread");
	int (*finalize)(void) = (int (*)(void))need("Py_FinalizeEx");

	restore(state);
	if (run("goes = False\nthread.join()\n") || finalize())
		exit(3);
}

int main(int argc, char **argv)
{
	char line[64];
	ssize_t size;

	if (argc != 2)
		return 1;
	library = argv[1];
	need("Py_InitializeEx");
	puts("done");
	fflush(stdout);
	/* Not by stdio, which holds a lock while it waits. */
	while ((size = read(STDIN_FILENO, line, sizeof(line))) > 0) {
		if (!strncmp(line, "begin\n", (size_t)size))
			begin();
		else if (!strncmp(line, "end\n", (size_t)size))
			end();
		else if (!strncmp(line, "unload\n", (size_t)size))
			unload();
		puts("done");
		fflush(stdout);
	}
	return 0;
}
