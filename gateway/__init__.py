"""The hub: who is asking, and what Blockloom does about it."""

import os

# The arrays of a request are small: one thread computes them in microseconds, while handing them to several
# makes single answers wait milliseconds for a core. It must be said before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
