# SPDX-License-Identifier: MIT
"""linked.py LIBRARY: waits inside of a library."""
import ctypes
import json
import os
import sys

library = ctypes.CDLL(sys.argv[1])
print(json.dumps({"ready": os.getpid()}), flush=True)
library.enter(1000)
