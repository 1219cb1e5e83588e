"""MuJoCo reads once, when it is imported, how to draw; `recorders` chooses that and must come first."""

import recorders as recorders
