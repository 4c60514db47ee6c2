# shellcheck shell=sh disable=SC2034,SC2154
#
# servers.sh - SFTP servers to speak to. Sourced after scenario/lib.sh:
#
#	start_sshd DIR [OPTION...]	sshd.py; $port is its port
#	start_proxy DIR PORT OPTION...	proxy.py; $port is its port
#	start_hostile DIR OPTION...	hostile.py; $port is its port
#	start_agent DIR			an ssh-agent without keys; its socket is
#					$PWD/DIR/agent
#	has_paramiko			start_hostile can do it
#	stop_server DIR			ends the one of this DIR
#
# All end with the script. DIR/pid is the number of the process.

server_dirs=
server_python=python3

wait_for_port()
{
	for _ in $(seq 1200); do
		[ ! -s "$1/port" ] || break
		kill -0 "$(cat "$1/pid")" 2>/dev/null || break
		sleep 0.05
	done
	if [ ! -s "$1/port" ]; then
		sed 's/^/# /' "$1/out"
		fail "a server for $1"
		exit 1
	fi
	port=$(cat "$1/port")
}

# start_server DIR SCRIPT ARGUMENT...
start_server()
{
	server_dir=$1
	server_script=$2
	shift 2
	mkdir -p "$server_dir"
	case $server_script in
	sshd.py) ;; # it takes the same port again
	*) rm -f "$server_dir/port" ;;
	esac
	rm -f "$server_dir/up"
	$server_python "$SRCDIR/tests/servers/$server_script" "$server_dir" "$@" \
		>"$server_dir/out" 2>&1 &
	server_is $!
}

# server_is PID: what server_dir has ends with the script.
server_is()
{
	echo "$1" >"$server_dir/pid"
	server_dirs="$server_dirs $server_dir"
	trap 'lib_status=$?
		stop_servers
		[ $lib_status -ne 0 ] || [ $lib_failed -eq 0 ] || exit 1' EXIT
}

start_sshd()
{
	server_dir=$1
	shift
	[ -x /usr/sbin/sshd ] || skip 'no sshd'
	start_server "$server_dir" sshd.py "$@"
	for _ in $(seq 1200); do
		[ ! -e "$server_dir/up" ] || break
		kill -0 "$(cat "$server_dir/pid")" 2>/dev/null || break
		sleep 0.05
	done
	wait_for_port "$server_dir"
}

start_proxy()
{
	server_dir=$1
	shift
	start_server "$server_dir" proxy.py "$@"
	wait_for_port "$server_dir"
}

# A package of the distribution's is not there for another Python.
has_paramiko()
{
	for server_python in python3 /usr/bin/python3; do
		! $server_python -c 'import paramiko' 2>/dev/null || return 0
	done
	server_python=python3
	return 1
}

start_hostile()
{
	server_dir=$1
	shift
	has_paramiko || skip 'no python3-paramiko'
	start_server "$server_dir" hostile.py "$@"
	server_python=python3
	wait_for_port "$server_dir"
}

start_agent()
{
	server_dir=$1
	mkdir -p "$server_dir"
	ssh-agent -D -a "$PWD/$server_dir/agent" >/dev/null 2>&1 &
	server_is $!
	for _ in $(seq 100); do
		[ ! -S "$server_dir/agent" ] || break
		sleep 0.05
	done
}

stop_server()
{
	[ -s "$1/pid" ] || return 0
	server_pid=$(cat "$1/pid")
	rm -f "$1/pid"
	kill "$server_pid" 2>/dev/null || :
	wait "$server_pid" 2>/dev/null || :
}

stop_servers()
{
	for server_dir in $server_dirs; do
		stop_server "$server_dir"
	done
}
