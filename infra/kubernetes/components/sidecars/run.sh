#!/bin/sh
# run.sh <file> <bytes> <role …>: the app, with its stdout in a file that another container ships. The file is emptied above that
# size, since the app holds it open for as long as it lives; what was not shipped by then is lost, as on a node that rotates.
set -eu
file=$1 limit=$2
shift 2
: >"$file"
while sleep 5 && size=$(stat -c %s "$file"); do
  if [ "$size" -gt "$limit" ]; then : >"$file"; fi
done &
# In place of this shell, so that SIGTERM is the app's. Appending: after the file was emptied, its next line is the first.
exec node --max-old-space-size-percentage=70 --import ./telemetry.js main.js "$@" >>"$file"
