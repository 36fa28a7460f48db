# SPDX-License-Identifier: MIT
"""The pages that the evalframe engine leaves behind (agent/engine/hookpage.h),
counted in our own process."""


def pages():
    count = 0
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as mem:
        for line in maps:
            parts = line.split()
            if parts[1] != "r-xp" or len(parts) > 5:
                continue
            mem.seek(int(parts[0].split("-")[1], 16) - 4096)
            count += mem.read(16) == b"nopdb-hook-page1"
    return count
