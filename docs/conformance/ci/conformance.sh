#!/bin/sh
# Starts the product in its test set-up, waits until its driver answers, runs the suite, stops the product.
# START_PRODUCT: the command that starts your product with its driver. Exit code: that of the suite.
set -eu

$START_PRODUCT &
product=$!
trap 'kill "$product" 2>/dev/null || true' EXIT

tries=0
until offcampus-conformance smoke; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "the driver did not answer within a minute" >&2
    exit 4
  fi
  sleep 1
done

offcampus-conformance run --report offcampus-report
