#!/usr/bin/env bash
# Makes the Debian package, installs it in a fresh Debian 12, and runs what it brings.
# usage: package_test.sh BUILD_FOLDER [FOLDER]     FOLDER is where the root is made (default: temporary)
# Needs root, mmdebstrap and systemd-analyze, about a minute, and Debian's packages by network. The
# log says each step; the first that fails ends it.
set -euo pipefail
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" -eq 0 ] || { echo "package_test.sh: needs root to make a Debian root" >&2; exit 1; }
for tool in mmdebstrap systemd-analyze cpack dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || { echo "package_test.sh: needs $tool" >&2; exit 1; }
done
work=$(mktemp -d "${2:-${TMPDIR:-/tmp}}/huiliu-package.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

echo "== the package"
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/package" >"$work/cpack.log" || { cat "$work/cpack.log"; exit 1; }
deb=$(echo "$work"/package/huiliu_*.deb)
ls -l "$deb" | awk '{print "  " $5 " bytes"}'

echo "== a fresh Debian 12 with it"
mmdebstrap --quiet --variant=apt --include=systemd bookworm "$root" \
  --customize-hook="copy-in $deb /tmp" \
  --customize-hook='chroot "$1" sh -c "apt-get install -q -y --no-install-recommends /tmp/huiliu_*.deb"' \
  >"$work/install.log" 2>&1 || { tail -40 "$work/install.log"; exit 1; }
inside() { chroot "$root" "$@"; }

echo "== what it brought"
inside huiliu --version
inside huiliu list >/dev/null
inside getent passwd huiliu
[ "$(inside stat -c '%U:%G %a' /etc/huiliu)" = "root:huiliu 750" ]
[ "$(inside stat -c '%U:%G %a' /var/lib/huiliu)" = "huiliu:huiliu 750" ]
dpkg-deb --fsys-tarfile "$deb" | tar -t >"$work/files"
for file in man/man1/huiliu.1.gz bash-completion/completions/huiliu zsh/vendor-completions/_huiliu \
    fish/vendor_completions.d/huiliu.fish; do
  # Debian's slim images leave man pages out, and so may a root: the package is what must have it.
  grep -qx "./usr/share/$file" "$work/files" || { echo "no $file"; exit 1; }
done
# The page has no request that man does not know, and completion is a script that bash takes.
MANROFFSEQ='' man --warnings -E UTF-8 -l "$root/usr/share/man/man1/huiliu.1.gz" \
  >"$work/page" 2>"$work/man.log"
grep -q 'huiliu run' "$work/page"
[ ! -s "$work/man.log" ] || { cat "$work/man.log"; exit 1; }
inside bash -c '. /usr/share/bash-completion/completions/huiliu && complete -p huiliu'
if grep -rl "$build" "$root/usr/lib/cmake/huiliu" "$root/usr/include/huiliu"; then
  echo "the files above name the folder of the build"; exit 1
fi

echo "== the unit"
systemd-analyze verify --man=no --root="$root" huiliu@tiny.service 2>&1 | tee "$work/verify.log"
[ ! -s "$work/verify.log" ]
systemd-analyze security --offline=true --threshold=15 "$root/usr/lib/systemd/system/huiliu@.service" | tail -1

echo "== a run"
python3 -B "$here/service_test.py" "$root"

echo "== gone again"
inside dpkg --purge huiliu >"$work/purge.log" 2>&1 || { cat "$work/purge.log"; exit 1; }
[ ! -e "$root/usr/bin/huiliu" ]
[ -e "$root/var/lib/huiliu/out.ndjson" ] && [ -e "$root/etc/huiliu/tiny/topology.yaml" ]
echo "the package installs, runs and goes; state and topologies stay"
