#!/bin/bash
# Compiles every shader here to SPIR-V, beside its source, and writes Sources/CShaders/shaders.c, which embeds them.
#
#   regenerate.sh           writes what has changed
#   regenerate.sh --check   writes nothing; fails when a committed file is not what its source gives
#
# A shader whose first line is "// variants: NAME a b c" is compiled once for each of a, b, c, with -DNAME_a and so on,
# into <shader>_a.spv, …; others into <shader>.spv. A second such line multiplies them: <shader>_a_x.spv, ….
# "@formats" and "@blocks" stand for the weight formats in formats.list, or those of them that are marked "blocks".
# Building the program needs none of this: SPIR-V is committed.
#
# A line "// needs: EXTENSION" names one that Debian 12's glslc does not know: such shaders are compiled with GLSLC_NEWER
# (.ci/newer-glslc), and stay as they are where there is none.
#
# The others are made with Debian 12's glslc. Unoptimized: drivers optimize themselves, and lavapipe's code was up to a fifth slower
# after spirv-opt had been at it. Other versions of the compiler give other bytes: --check says so and compares nothing.
set -euo pipefail
cd "$(dirname "$0")"
embedding=../../CShaders/shaders.c
flags=(--target-env=vulkan1.3 -O0)
stamp=compiler.version

check=no
[ "${1:-}" = --check ] && check=yes
command -v glslc > /dev/null || { echo "regenerate.sh: glslc is not installed (Debian: apt-get install glslc)" >&2; exit 2; }
version() { "$1" --version | sed -n '1,3s/  */ /gp' | paste -sd ' '; }
made() { sed -n "$1p" $stamp; }
version=$(version glslc) newer=${GLSLC_NEWER:-}
if [ $check = yes ] && [ "$version" != "$(made 1)" ]; then
    echo "regenerate.sh: notice: SPIR-V was made by \"$(made 1)\", this is \"$version\": not compared" >&2
    exit 0
fi
newerVersion=$(made 2)
if [ -z "$newer" ]; then
    echo "regenerate.sh: notice: GLSLC_NEWER is not set: shaders that need it are left as they are" >&2
elif [ $check = yes ] && [ "$(version "$newer")" != "$newerVersion" ]; then
    echo "regenerate.sh: notice: \"$(version "$newer")\" is not \"$newerVersion\", which made the shaders that need it: not compared" >&2
    newer=
else
    newerVersion=$(version "$newer")
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stale=0
modules=()

# accept NEW COMMITTED: takes over a new file, or in a check counts it as stale.
accept() {
    cmp -s "$1" "$2" && return
    if [ $check = yes ]; then
        echo "regenerate.sh: $2 is not what its source gives" >&2
        stale=1
    else
        cp "$1" "$2"
        echo "wrote $2"
    fi
}

compile() { # SOURCE MODULE [flag…]
    modules+=("$2")
    local compiler=glslc
    if grep -q '^// needs: ' "$1"; then compiler=$newer; fi
    [ -n "$compiler" ] || return 0
    mkdir -p "$work/$(dirname "$2")"
    "$compiler" "${flags[@]}" "${@:3}" "$1" -o "$work/$2.spv"
    accept "$work/$2.spv" "$2.spv"
}

formats=$(awk '!/^#/ { print $1 }' formats.list)
blocks=$(awk '!/^#/ && $2 == "blocks" { print $1 }' formats.list)

# The values of line N of a source, where that is "// variants: NAME values…": NAME_value for each.
variants() { # SOURCE N
    sed -n "$2s|^// variants: ||p" "$1" | {
        read -r name values || return 0
        case $values in @formats) values=$formats ;; @blocks) values=$blocks ;; esac
        for value in $values; do echo "${name}_$value"; done
    }
}

while read -r source; do
    module=${source%.comp}
    first=$(variants "$source" 1) second=$(variants "$source" 2)
    for a in ${first:-none}; do
        for b in ${second:-none}; do
            name=$module flag=()
            if [ "$a" != none ]; then name+=_${a#*_} flag+=("-D$a"); fi
            if [ "$b" != none ]; then name+=_${b#*_} flag+=("-D$b"); fi
            compile "$source" "$name" ${flag[@]+"${flag[@]}"}
        done
    done
done < <(find . -name '*.comp' | sed 's|^\./||' | LC_ALL=C sort)

{
    echo "// Written by Sources/Compute/Shaders/regenerate.sh: do not edit."
    echo '#include "CShaders.h"'
    echo
    index=0
    for module in "${modules[@]}"; do
        echo "static const _Alignas(4) unsigned char code$index[] = {"
        echo "#embed \"../Compute/Shaders/$module.spv\""
        echo "};"
        index=$((index + 1))
    done
    echo
    echo "static const fovea_shader shaders[] = {"
    index=0
    for module in "${modules[@]}"; do
        echo "    {\"$module\", code$index, sizeof code$index},"
        index=$((index + 1))
    done
    echo "};"
    echo
    echo "const size_t fovea_shader_count = sizeof shaders / sizeof shaders[0];"
    echo "const fovea_shader *fovea_shader_at(size_t index) { return &shaders[index]; }"
} > "$work/shaders.c"
accept "$work/shaders.c" "$embedding"
printf '%s\n%s\n' "$version" "$newerVersion" > "$work/version"
accept "$work/version" "$stamp"

# SPIR-V whose source is gone.
while read -r file; do
    [[ " ${modules[*]} " == *" ${file%.spv} "* ]] && continue
    if [ $check = yes ]; then
        echo "regenerate.sh: $file has no source" >&2
        stale=1
    else
        rm "$file"
        echo "removed $file"
    fi
done < <(find . -name '*.spv' | sed 's|^\./||' | LC_ALL=C sort)
exit $stale
