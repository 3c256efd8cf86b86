#!/bin/sh
# May this file be published? A step for pipelines that have no dubgate: POSIX shell, sha256sum and curl.
#
#   DUBGATE_URL=https://gate.example.org DUBGATE_TOKEN_FILE=token may-publish.sh dub.mov DE svod de [netflix]
#
# Ends with 0 only on a clear yes. 1: refused, with the reason. 2: could not be asked; do not publish then either.
set -u
[ $# -eq 4 ] || [ $# -eq 5 ] || { echo "usage: may-publish.sh FILE TERRITORY CHANNEL LANGUAGE [PARTNER]" >&2; exit 2; }
digest=$(sha256sum -- "$1" | cut -c1-64) || exit 2
[ ${#digest} -eq 64 ] || { echo "the file cannot be read" >&2; exit 2; }
token=$(cat -- "${DUBGATE_TOKEN_FILE:?name the file of your token}") || exit 2
# The token goes through curl's own file, never onto a command line that others can list.
answer=$(printf 'header = "authorization: Bearer %s"\n' "$token" | curl --config - --silent --show-error --max-time 30 \
  --retry 3 --get --write-out '\n%{http_code}' \
  --data-urlencode "digest=$digest" --data-urlencode "territory=$2" --data-urlencode "channel=$3" \
  --data-urlencode "language=$4" --data-urlencode "at=now" ${5:+--data-urlencode} ${5:+"partner=$5"} "${DUBGATE_URL:?name the API}/v1/may-publish") || exit 2
status=$(printf '%s' "$answer" | tail -n 1)
body=$(printf '%s' "$answer" | sed '$d')
printf '%s\n' "$body"
case "$status" in
  200) case "$body" in *'"publish":true,"digest":"'"$digest"'"'*) exit 0 ;; *) exit 2 ;; esac ;;
  403 | 422) case "$body" in *'"publish":false'*) exit 1 ;; *) exit 2 ;; esac ;;
  *) exit 2 ;;
esac
