#!/bin/sh
# Outlives the process that feeds it, to end what that one started. Run by guard.ts; about 1 MB of memory.
#
# Orders on stdin: `add <pid> <start> <signal>`, `del <pid>`. When the other side dies, even by SIGKILL, the kernel
# closes the pipe and `read` ends: then every group still on the list gets its signal, and SIGKILL after a grace.
trap '' INT TERM HUP

start_of() {
  if [ -r /proc/self/stat ]; then
    { read -r stat < "/proc/$1/stat"; } 2>/dev/null || return 0
    # shellcheck disable=SC2086  # to be split into the fields behind the name
    set -- ${stat##*) }
    echo "${20}"
  else
    ps -o lstart= -p "$1" | tr -d ' \n'
  fi
}

# A pid may belong to a stranger by now. The group number of a dead leader cannot, while the group has members.
ours() {
  now=$(start_of "$1")
  [ -z "$now" ] || [ "$now" = "$2" ]
}

each() {
  echo "$list" | while read -r pid start signal; do
    [ -n "$pid" ] && ours "$pid" "$start" && kill -s "${1:-$signal}" -- "-$pid" 2>/dev/null
  done
}

left() {
  echo "$list" | while read -r pid start signal; do
    [ -n "$pid" ] && ours "$pid" "$start" && kill -0 -- "-$pid" 2>/dev/null && echo "$pid"
  done
}

list=''
while read -r order pid start signal; do
  list=$(echo "$list" | grep -v "^$pid ")
  if [ "$order" = add ]; then
    list="$list
$pid $start $signal"
  fi
done

each
tenths=0
while [ -n "$(left)" ] && [ "$tenths" -lt 100 ]; do
  sleep 0.1
  tenths=$((tenths + 1))
done
if [ -n "$(left)" ]; then each KILL; fi
