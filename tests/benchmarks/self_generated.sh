#!/usr/bin/env bash
# What a policy of two positions gains from its own successes, without one more demonstration: after two_positions.sh, in
# the same folder. Success over the same grid before and after each round, with intervals and the gain per added episode.
#
#     tests/benchmarks/self_generated.sh /big/disk/folder
#
# The same without a GPU, for trying the commands and not for the numbers, after the small two_positions.sh:
#
#     ROUNDS=1 CELLS=3 EACH=2 POSITIONS=3 ATTEMPTS=2 tests/benchmarks/self_generated.sh /tmp/small
set -euo pipefail
bin=$(cd "$(dirname "$0")/../.." && pwd)/.venv/bin
cd "$1"
export STUDIO_DATA=$PWD/datasets STUDIO_RUNS=$PWD/runs PATH=$bin:$PATH
ROUNDS=${ROUNDS:-2} CELLS=${CELLS:-7} EACH=${EACH:-10} POSITIONS=${POSITIONS:-60} ATTEMPTS=${ATTEMPTS:-10}
studio improve act --to own --rounds "$ROUNDS" --box 0.12 0.42 -0.10 0.35 --grid "$CELLS" "$CELLS" --yaw free \
  -n "$((CELLS * CELLS * EACH))" --propose "$POSITIONS" --per-position "$ATTEMPTS" --yes
studio map "own-r$ROUNDS" act --difference --picture own.png
studio report "own-r$ROUNDS" --to own.html
