#!/usr/bin/env bash
# From nothing to a map, for a machine with a GPU: demonstrations at two positions, one ACT that is stopped and resumed,
# its checkpoints swept, and success over the table at 7 x 7 places, over all of them and over those in reach.
#
#     tests/benchmarks/two_positions.sh /big/disk/folder
#
# The same without a GPU, for trying the commands and not for the numbers:
#
#     DEMOS=30 STEPS=300 DEVICE=cpu MORE="--preset cpu-image" SIZE="--width 128 --height 96" CELLS=3 EACH=1 MOST=6 \
#       tests/benchmarks/two_positions.sh /tmp/small
set -euo pipefail
mkdir -p "$1"
bin=$(cd "$(dirname "$0")/../.." && pwd)/.venv/bin
cd "$1"
export STUDIO_DATA=$PWD/datasets STUDIO_RUNS=$PWD/runs PATH=$bin:$PATH
DEMOS=${DEMOS:-100} STEPS=${STEPS:-30000} DEVICE=${DEVICE:-cuda} CELLS=${CELLS:-7} EACH=${EACH:-10} MOST=${MOST:-60}
MORE=${MORE:---policy act --batch-size 64 --set policy.n_action_steps=50} SIZE=${SIZE:-}
where=(--box 0.12 0.42 -0.10 0.35 --grid "$CELLS" "$CELLS" --per-position "$EACH" --yaw free)

read -ra more <<<"$MORE"
read -ra size <<<"$SIZE"
for at in "0.337 -0.015" "0.217 0.225"; do
  read -ra xy <<<"$at"
  to=at-${xy[0]}
  again=$(test -e "datasets/$to/meta/info.json" && echo --resume || true)
  # shellcheck disable=SC2086
  studio generate -n "$DEMOS" --at "${xy[@]}" --jitter 0.02 --yaw free --to "$to" "${size[@]}" $again
done
test -e datasets/both || studio merge at-0.337 at-0.217 --to both --yes

train=(studio train both --to act --steps "$STEPS" --device "$DEVICE" --cache "${more[@]}")
if test ! -e runs/act/run.json; then
  # Ctrl+C in its midst: a checkpoint is written, and the same training goes on from it.
  timeout --signal INT "${STOP_AFTER:-180}" "${train[@]}" || test $? = 124
fi
if test -e runs/act/run.json; then studio train --resume act; else "${train[@]}"; fi
studio sweep act --at 0.337 -0.015 --jitter 0.02 --yaw free --most "$MOST" --fresh "$MOST" --device "$DEVICE"
studio evaluate act@best "${where[@]}" --device "$DEVICE" --csv map.csv
studio map act@best --center 0.337 -0.015 --rings --picture map.png
studio report act --to report.html
