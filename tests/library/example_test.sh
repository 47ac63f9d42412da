#!/usr/bin/env bash
# The example library with the real binary: its golden cases, every command that takes a library, a
# run with more than one thread, and a build against an installed huiliu.
# usage: example_test.sh HUILIU LIBRARY CXX BUILD
set -euo pipefail
huiliu=$1
export LIBRARY=$2 CXX=$3
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
example=examples/operator-library
export OUTPUT=$work/output STATE=$work/state

"$huiliu" test "$example/cases.yaml"
"$huiliu" validate "$example/topology.yaml"
"$huiliu" plan "$example/topology.yaml" | grep running_total
"$huiliu" describe operator bands --library "$LIBRARY" | grep 'first that fits'
"$huiliu" list --library "$LIBRARY" | grep running_total
"$huiliu" schema --topology --library "$LIBRARY" | grep '"const": "bands"'
"$huiliu" explain "$example/topology.yaml" --at fines.csv:6 | grep E901_NO_BAND

"$huiliu" run --quiet --parallelism 3 "$example/topology.yaml"
diff - "$OUTPUT/fines.ndjson" <<'END'
{"dept":"market","party":"A","amount":200,"band":"small","total":200}
{"dept":"market","party":"B","amount":5000,"band":"large","total":5200}
{"dept":"traffic","party":"A","amount":150,"band":"small","total":150}
{"dept":"market","party":"A","amount":30000,"band":"large","total":35200}
{"dept":"traffic","party":"C","total":150}
END

# A copy, which finds no header beside itself.
cp -r "$example" "$work/fines"
DESTDIR='' cmake --install "$4" --prefix "$work/installed" >/dev/null
cmake -G Ninja -S "$work/fines" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/installed" >/dev/null
cmake --build "$work/build"
LIBRARY=$work/build/libfines.so "$work/installed/bin/huiliu" test "$example/cases.yaml"

# Headers with a virtual function more, which changes no size of anything, as another huiliu would
# install them.
headers=$work/installed/include/huiliu
sed -i 's/^  virtual void close() {}/&\n  virtual void another() {}/' "$headers/runtime/component/operator.h"
cmake "-DHEADERS=$headers/runtime/component/operator.h" "-DFOLDER=$headers" \
  "-DOUTPUT=$headers/runtime/component/headers_digest.h" -P cmake/headers_digest.cmake
cmake --build "$work/build"
if LIBRARY=$work/build/libfines.so "$huiliu" validate "$example/topology.yaml" 2> "$work/refused"; then
  echo "a library of other headers was accepted" >&2
  exit 1
fi
grep 'it was built with other headers than this huiliu' "$work/refused"
