#!/usr/bin/env bash
# Makes README's pictures from recorded sessions: each `*.session` of this folder is played in tmux, brought to the place
# its `.keys` file names, and drawn.
#
#     swift build -c release && assets/screenshot/make.sh [NAME…]
#
# A session is written by `fovea record FILE`. NAME.keys holds lines for `tmux send-keys`, after the session was played.
# Needs tmux, and Python with Pillow.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${FOVEA:-$(cd "$here/../.." && swift build -c release --show-bin-path)/fovea}
[ -x "$program" ] || { echo "no program at $program: swift build -c release" >&2; exit 1; }
work=$(mktemp -d)
trap 'tmux -S "$work/tmux" kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
names=("$@")
[ ${#names[@]} -gt 0 ] || for file in "$here"/*.session; do names+=("$(basename "$file" .session)"); done
screen() { tmux -S "$work/tmux" capture-pane -e -N -p -t "$1"; }
for name in "${names[@]}"; do
    [ -f "$here/$name.session" ] || { echo "no session $here/$name.session" >&2; exit 1; }
    tmux -S "$work/tmux" -f /dev/null new-session -d -s "$name" -x 132 -y 40 \
        "env LANG=C.UTF-8 TERM=xterm-256color COLORTERM=truecolor '$program' replay --speed 50 '$here/$name.session'"
    last="" same=0
    # Played to its end when nothing has changed for a while.
    for _ in $(seq 200); do
        sleep 0.1
        now=$(screen "$name" | cksum)
        if [ "$now" = "$last" ]; then same=$((same + 1)); else same=0; fi
        last=$now
        [ $same -ge 15 ] && break
    done
    if [ -f "$here/$name.keys" ]; then
        while read -r keys; do
            # shellcheck disable=SC2086 -- the words of a line are keys
            [ -z "$keys" ] || tmux -S "$work/tmux" send-keys -t "$name" $keys
            sleep 0.2
        done < "$here/$name.keys"
        sleep 0.5
    fi
    screen "$name" | python3 "$here/ansi2png.py" "$here/$name.png" --columns 132 --rows 40
    tmux -S "$work/tmux" kill-session -t "$name"
    echo "$here/$name.png"
done
