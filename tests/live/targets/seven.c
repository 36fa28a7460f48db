/* SPDX-License-Identifier: MIT */
/* seven: the shortest program, to be spawned; static, so that it runs in any
 * root. */
int main(void)
{
	return 7;
}
