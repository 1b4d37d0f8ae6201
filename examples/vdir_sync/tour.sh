#!/bin/sh
# Two folders, a disaster, and one answer: what vdir_sync does when a server loses its data. Works on a copy of the
# sample folders under examples/data/vdir.
set -eu
cd "$(dirname "$0")/../.."

echo "building, which takes half a minute the first time .."
cargo build --quiet --example vdir_sync
tool="${CARGO_TARGET_DIR:-target}/debug/examples/vdir_sync"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cp -R examples/data/vdir/. "$here"
phone="$here/phone" cloud="$here/cloud"
count() { find "$1" -name '*.vcf' -o -name '*.ics' | wc -l | tr -d ' '; }
chapter() { printf '\n== %s\n' "$1"; }
# sync EXPECTED-EXIT-CODE [OPTION..]
sync() {
    expected=$1
    shift
    code=0
    "$tool" "$phone" "$cloud" "$@" || code=$?
    [ "$code" -eq "$expected" ] || { echo "expected exit code $expected, found $code" >&2; exit 1; }
    echo "-> exit $code; $(count "$phone") items on the phone, $(count "$cloud") in the cloud"
}

chapter "1. A phone and a cloud meet: $(count "$phone") items and $(count "$cloud")."
sync 0

chapter "2. The cloud loses every card. Meanwhile somebody writes down a new appointment on the phone."
rm "$cloud"/people/*.vcf
sed 's/dentist@/optician@/; s/Dentist/Optician/' "$phone/diary/dentist.ics" >"$phone/diary/optician.ics"
sync 3

chapter "3. It asks again, for as long as nobody answers, and the phone keeps everything."
sync 3

chapter "4. One answer: keep."
digest=$("$tool" "$phone" "$cloud" --json | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/')
sync 0 --keep "$digest"

chapter "5. Both sides are equal, and nobody lost anything."
diff -r -x .holdfast "$phone" "$cloud" && echo "same bytes on both sides"
