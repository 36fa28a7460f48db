/* SPDX-License-Identifier: MIT */
#include "daemon/peer.h"

#include <errno.h>
#include <sys/socket.h>

int peer_read(int fd, struct peer *ret_peer, struct error *err)
{
	struct ucred ucred;
	socklen_t size = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size))
		return error_set_errno(err, ERROR_SYSTEM, errno, "SO_PEERCRED");
	*ret_peer = (struct peer){ ucred.pid, ucred.uid, ucred.gid };
	return 0;
}

int peer_permit(const struct peer *peer, uid_t own, struct error *err)
{
	if (peer->uid == own || peer->uid == 0)
		return 0;
	error_set(err, ERROR_NOT_PERMITTED,
		  "user %u may not use the daemon of user %u",
		  (unsigned)peer->uid, (unsigned)own);
	return error_remedy(err, "use your own daemon, or run nopdb as root");
}
