#!/bin/bash
# Builds the node image of `--cluster kind --offline` without an image registry: Debian from its package archive, Kubernetes from programs that
# were built before, and the files of this folder. Needs root, debootstrap, and a Docker that answers.
#
#   kind/node-image/build.sh PROGRAMS VERSION IMAGE
#
# PROGRAMS  a folder with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy, kubeadm, kubelet, kubectl and pause
# VERSION   the Kubernetes version of these programs, as v1.36.3
# IMAGE     the name of the image to make
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,9p' "$0" >&2; exit 2; }
programs=$1 version=$2 image=$3
here=$(cd "$(dirname "$0")" && pwd)
debian=bookworm
packages=systemd,systemd-sysv,dbus,containerd,runc,containernetworking-plugins,iptables,iproute2,conntrack,ethtool,kmod,mount,procps,socat,util-linux

for needed in debootstrap docker tar; do
    command -v "$needed" >/dev/null || { echo "build.sh: $needed is missing; apt-get install docker.io debootstrap" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/var/tmp}/tidegate-node.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

say() { echo "node image: $*"; }

say "Debian $debian"
debootstrap --variant=minbase --include="$packages" "$debian" "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$work/log" 2>&1 ||
    { tail -n 15 "$work/log" >&2; exit 1; }
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/* "$root"/boot/*

say "files and services"
cp -r "$here/files/." "$root/"
install -m 755 "$here/../offline/runc" "$root/usr/local/sbin/runc"
for program in kubelet kubeadm kubectl kube-proxy; do install -m 755 "$programs/$program" "$root/usr/bin/$program"; done
echo "$version" >"$root/kind/version"
mkdir -p "$root/etc/kubernetes/manifests" "$root/kind/images"
# Nothing of a real machine is started in a container: no devices, no consoles, no timers.
rm -f "$root"/lib/systemd/system/{multi-user,local-fs,basic}.target.wants/* "$root"/etc/systemd/system/*.wants/* \
    "$root"/lib/systemd/system/sockets.target.wants/*{udev,initctl}* \
    "$root"/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
ln -sf /dev/null "$root/etc/systemd/system/systemd-binfmt.service"
for unit in containerd images kubelet kube-proxy; do chroot "$root" systemctl enable --quiet "$unit.service"; done
echo 'ReadKMsg=no' >>"$root/etc/systemd/journald.conf"

say "images of the control plane"
# One layer under four names: the programs are told apart by the command that kubeadm gives. What runs is the etcd of the programs, whatever its tag says.
names=()
while read -r name; do
    case "$name" in
        */coredns:* | */kube-proxy:*) ;;
        *) names+=("$name") ;;
    esac
done < <("$programs/kubeadm" config images list --kubernetes-version "$version" 2>/dev/null)
mkdir -p "$work/plane/usr/local/bin" "$work/plane/tmp" "$work/pause"
cp "$programs"/{etcd,kube-apiserver,kube-controller-manager,kube-scheduler} "$work/plane/usr/local/bin/"
cp "$programs/pause" "$work/pause/"
made=()
plane=$(tar -C "$work/plane" -c . | docker import -c 'ENV PATH=/usr/local/bin' -c 'CMD ["kube-apiserver"]' - "tidegate.dev/control-plane:$version")
made+=("tidegate.dev/control-plane:$version")
for name in "${names[@]}"; do
    case "$name" in
        */pause:*)
            tar -C "$work/pause" -c . | docker import -c 'ENTRYPOINT ["/pause"]' -c 'USER 65535:65535' - "$name" >/dev/null
            grep -q "\"$name\"" "$root/etc/containerd/config.toml" || { echo "build.sh: containerd's sandbox_image is not $name" >&2; exit 1; }
            ;;
        *) docker tag "$plane" "$name" ;;
    esac
    made+=("$name")
done
docker save -o "$root/kind/images/control-plane.tar" "${names[@]}"
docker rmi --force "${made[@]}" >/dev/null
rm -rf "$work/plane" "$work/pause"

say "$image"
tar -C "$root" --numeric-owner -c . | docker import \
    -c 'ENV container=docker' \
    -c 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' - "$image" >/dev/null
