#!/usr/bin/env bash
# Grades a class by a Slurm job array of four tasks. In the checkout, with the class in `submissions/`, or elsewhere by the variable
# CLASS:
#   sbatch .ci/grade.slurm.sh
# Each task writes `shards/K/`, and goes on where it stopped when it is queued again. When all have ended:
#   cargo xtask merge shards/* --out grades
#SBATCH --job-name=grade
#SBATCH --array=1-4
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --requeue
#SBATCH --output=grade-%a.log
set -euo pipefail

# Each task builds on its node's own disk: cargo locks no folder of a network's.
CARGO_TARGET_DIR=$(mktemp --directory --tmpdir interleave-slurm.XXXXXX)
export CARGO_TARGET_DIR
trap 'rm -rf "$CARGO_TARGET_DIR"' EXIT

# The array has set SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_COUNT, which `--shard auto` reads.
cargo xtask grade "${CLASS:-submissions}" --out "shards/$SLURM_ARRAY_TASK_ID" --shard auto --require-isolation confined
