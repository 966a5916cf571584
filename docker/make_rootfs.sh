#!/usr/bin/env bash
# Lays out what the image holds: the stripped binary, the libraries it is linked with, busybox for people and for
# wrappers that start the image with a script of their own, the folders of Kafka's image. Usage: make_rootfs.sh BINARY ROOT
set -euo pipefail
binary=$1 root=$2
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$root"/{bin,usr/bin,etc/kafka/docker,etc/kafka/secrets,etc/confluent/docker,var/lib/kafka/data,mnt/shared/config,tmp}
objcopy --strip-all "$binary" "$root/usr/bin/cohortd"

# The loader and every library, where the binary looks for them.
ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

cp /bin/busybox "$root/bin/busybox"
for name in sh sleep cat ls env grep ps chmod mkdir kill id; do ln -s busybox "$root/bin/$name"; done
printf '#!/bin/sh\nexec /bin/sh "$@"\n' > "$root/bin/bash"  # scripts that ask for bash and need no more than sh

cp "$here/run" "$root/etc/kafka/docker/run"
ln -s /etc/kafka/docker/run "$root/etc/confluent/docker/run"
cp "$here/server.properties" "$root/etc/kafka/server.properties"
cp "$here/localhost.properties" "$root/etc/kafka/localhost.properties"

echo 'appuser:x:1000:1000:appuser:/tmp:/bin/sh' > "$root/etc/passwd"
echo 'appuser:x:1000:' > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
chmod 755 "$root/bin/bash" "$root/etc/kafka/docker/run"
chmod 1777 "$root/tmp"
chown -R 1000:1000 "$root/var/lib/kafka" "$root/etc/kafka/secrets" "$root/mnt/shared/config"
