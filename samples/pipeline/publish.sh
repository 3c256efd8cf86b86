#!/bin/sh
# Publishes a file, or a whole package, if and only if its certificate allows it for this use, here and now.
#
#   publish.sh CERTIFICATE FILE                      # a master, or one file of a certified package
#   publish.sh CERTIFICATE master.m3u8 MASTER_FILE   # package a certified master: certify, verify, publish the folder
#
# Wanted in the environment: DUBGATE_TRUST and DUBGATE_TRUST_ROOT (whose signatures count), DUBGATE_REGISTRY (whether the
# consents still stand), TERRITORY, CHANNEL, PUBLIC (the folder that is served), and, to certify a package,
# DUBGATE_GATE_KEY, DUBGATE_LEDGER_KEY, DUBGATE_GATE_PARTY. PUBLISH_LANGUAGE says which language is published; a package that
# holds other languages too is refused without it. Only exit code 0 of dubgate publishes; all else refuses.
set -eu

dubgate="${DUBGATE:-dubgate}"
certificate="$1"
delivered="$2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

refuse() { # what dubgate said: its reason where it refused, else that it could not be judged
    reason=$(sed -n 's/.*"reason": "\([a-z-]*\)".*/\1/p' "$work/said" | head -n 1)
    echo "refused: $(basename "$delivered") (${reason:-$1})"
    exit 1
}

ask() { # on 0, and on nothing else, the pipeline goes on
    # shellcheck disable=SC2086  # a command with its first arguments
    $dubgate "$@" --format json >"$work/said" 2>"$work/errors" || refuse could-not-judge
}

: >"$work/said"
[ -f "$certificate" ] || refuse no-certificate

if [ "$#" -gt 2 ]; then
    ask certify-package "$certificate" "$delivered" --master "$3" --out "$work" --quiet
    certificate="$work/package-certificate.json"
    delivered=$(dirname "$delivered")
fi

ask verify "$certificate" "$delivered" --territory "$TERRITORY" --channel "$CHANNEL" ${PUBLISH_LANGUAGE:+--language "$PUBLISH_LANGUAGE"} --registry "$DUBGATE_REGISTRY"

# What was verified is what is served: copied first, verified where it lies, then put in place under its own name.
mkdir -p "$PUBLIC"
cp -R "$delivered" "$work/copy"
ask verify "$certificate" "$work/copy" --territory "$TERRITORY" --channel "$CHANNEL" ${PUBLISH_LANGUAGE:+--language "$PUBLISH_LANGUAGE"} --registry "$DUBGATE_REGISTRY"
name=$(basename "$delivered")
cp -R "$work/copy" "$PUBLIC/.$name.partial"
mv "$PUBLIC/.$name.partial" "$PUBLIC/$name"
echo "published: $name"
