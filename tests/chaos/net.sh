# net.sh - hosts on one machine: network namespaces with names and addresses of their own, on a switch that is a bridge in
# one more namespace.  Nothing of it is seen outside; net_down, which runs at the end of the test however that comes,
# removes all of it.  They share files and processors.
#
#     net_up node1 node2 node3        10.99.0.1, .2, .3
#     on node1 COMMAND...             runs it there
#     cut_off node3; mend node3           takes it off the network, and back
#     processes node3                 what runs there, a line each

NET=lockstep$$ # prefix of the namespaces; nsrsh needs it, too
export NET
chaos=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
net_hosts=()

net_permitted() {
    [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null && command -v unshare >/dev/null || return 1
    ip netns add "$NET-sw" 2>/dev/null
}

net_up() {
    net_permitted || skip "network namespaces are not permitted here, or iproute2 is missing"
    trap net_down EXIT
    net_hosts=("$@")
    ip -n "$NET-sw" link add br0 type bridge
    ip -n "$NET-sw" link set br0 up
    local i name
    for ((i = 1; i <= $#; i++)); do
        name=$NET-${!i}
        ip netns add "$name"
        ip -n "$name" link set lo up
        ip -n "$NET-sw" link add "p$i" type veth peer name eth0 netns "$name"
        ip -n "$NET-sw" link set "p$i" master br0 up
        ip -n "$name" addr add "10.99.0.$i/24" dev eth0
        ip -n "$name" link set eth0 up
        mkdir -p "/etc/netns/$name" # `ip netns exec` shows these as /etc/hosts
        { echo "127.0.0.1 localhost"; net_names "$@"; } >"/etc/netns/$name/hosts"
    done
}

net_names() {
    local i
    for ((i = 1; i <= $#; i++)); do echo "10.99.0.$i ${!i}"; done
}

net_down() {
    local name
    for name in "${net_hosts[@]}" sw; do
        ip netns pids "$NET-$name" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
        ip netns del "$NET-$name" 2>/dev/null
        rm -rf "/etc/netns/$NET-$name"
    done
    rmdir /etc/netns 2>/dev/null
    return 0
}

on() {
    local host=$1
    shift
    ip netns exec "$NET-$host" unshare --uts sh -c 'hostname "$0" && exec "$@"' "$host" "$@"
}

port() { # HOST: its port of the switch
    local i
    for i in "${!net_hosts[@]}"; do [ "${net_hosts[i]}" = "$1" ] && echo "p$((i + 1))"; done
}

cut_off() { ip -n "$NET-sw" link set "$(port "$1")" down; }
mend() { ip -n "$NET-sw" link set "$(port "$1")" up; }

processes() {
    local pid
    for pid in $(ip netns pids "$NET-$1"); do
        printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c1-80)"
    done
}
