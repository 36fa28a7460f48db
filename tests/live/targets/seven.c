/* SPDX-License-Identifier: MIT */
/* seven: the shortest program, to be spawned; with an argument it goes on, for
 * a while. Static, so that it runs in any root. */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		sleep(100);
	return 7;
}
