#!/usr/bin/env bash
# Builds packages of Fovea for machines without Swift: a tarball that runs from any folder, and a Debian package.
#
#   assets/packaging/build.sh [--executable FILE] [--output FOLDER]
#
# Without --executable, the release build is made first, with Swift's libraries inside it. The files are
# FOLDER/fovea-VERSION-linux-ARCHITECTURE.tar.gz and FOLDER/fovea_VERSION_ARCHITECTURE.deb; FOLDER is .build/packages.
# Needs dpkg-dev; nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

executable='' output=.build/packages
while [ $# -gt 0 ]; do
    case $1 in
        --executable) executable=$2; shift 2 ;;
        --output) output=$2; shift 2 ;;
        *) echo "build.sh: unknown argument $1; usage: build.sh [--executable FILE] [--output FOLDER]" >&2; exit 2 ;;
    esac
done
if [ -z "$executable" ]; then
    swift build -c release --product fovea --static-swift-stdlib
    executable=$(swift build -c release --show-bin-path)/fovea
fi
[ -x "$executable" ] || { echo "build.sh: $executable is not an executable file" >&2; exit 1; }
if ldd "$executable" | grep -q 'libswift\|libFoundation'; then
    echo "build.sh: $executable needs Swift's libraries; build it with --static-swift-stdlib" >&2
    exit 1
fi

version=$("$executable" --version)
architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The files as an installation has them, under a prefix.
tree=$work/tree
mkdir -p "$tree/bin" "$tree/share/fovea" "$tree/share/man/man1" "$tree/share/doc/fovea" \
    "$tree/share/bash-completion/completions" "$tree/share/zsh/vendor-completions" "$tree/share/fish/vendor_completions.d"
install -m 755 "$executable" "$tree/bin/fovea"
strip --strip-unneeded "$tree/bin/fovea"
cp -r assets/models assets/configs "$tree/share/fovea/"
rm -rf "$tree"/share/fovea/models/recipe "$tree"/share/fovea/models/*/recipe
install -m 644 README.md LICENSE "$tree/share/doc/fovea/"
"$executable" --generate-completion-script bash > "$tree/share/bash-completion/completions/fovea"
"$executable" --generate-completion-script zsh > "$tree/share/zsh/vendor-completions/_fovea"
"$executable" --generate-completion-script fish > "$tree/share/fish/vendor_completions.d/fovea.fish"

# The manual: the help of all commands.
escaped() { sed -e 's/\\/\\e/g' -e "s/^\([.']\)/\\\\\&\1/"; }
{
    echo ".TH FOVEA 1 \"\" \"fovea $version\" \"User Commands\""
    printf '.SH NAME\nfovea \\- terminal playground for multimodal transformers\n'
    printf '.SH DESCRIPTION\n.nf\n'
    "$executable" --help | escaped
    printf '.fi\n.SH COMMANDS\n'
    "$executable" --help | sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' | while read -r command; do
        printf '.SS fovea %s\n.nf\n' "$command"
        "$executable" help "$command" | escaped
        echo .fi
    done
} | gzip -9n > "$tree/share/man/man1/fovea.1.gz"
chmod -R u=rwX,go=rX "$tree"

mkdir -p "$output"
name=fovea-$version-linux-$(uname -m)
cp -r "$tree" "$work/$name"
tar --owner=0 --group=0 --numeric-owner --sort=name -C "$work" -czf "$output/$name.tar.gz" "$name"

package=$work/package
mkdir -p "$package/DEBIAN" "$work/source/debian"
cp -r "$tree" "$package/usr"
# dpkg-shlibdeps reads the libraries of the executable and wants a source package around it.
printf 'Source: fovea\n\nPackage: fovea\nArchitecture: any\n' > "$work/source/debian/control"
libraries=$(cd "$work/source" && dpkg-shlibdeps -O "$package/usr/bin/fovea" 2> "$work/shlibdeps" | sed -n 's/^shlibs:Depends=//p') \
    || { cat "$work/shlibdeps" >&2; exit 1; }
cat > "$package/DEBIAN/control" <<CONTROL
Package: fovea
Version: $version
Architecture: $architecture
Maintainer: Fovea contributors <fovea@localhost>
Installed-Size: $(du -sk "$package/usr" | cut -f1)
Depends: $libraries, mesa-vulkan-drivers | vulkan-icd
Recommends: ncurses-term, ca-certificates
Section: science
Priority: optional
Description: terminal playground for multimodal transformers
 Chat with models that read pictures and sound, and watch on a heat map where
 their attention goes, token by token. The engine runs on any Vulkan 1.3
 driver, also without a graphics card.
CONTROL
dpkg-deb --root-owner-group --build "$package" "$output/fovea_${version}_$architecture.deb" > /dev/null
ls -l "$output/$name.tar.gz" "$output/fovea_${version}_$architecture.deb"
