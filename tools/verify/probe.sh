# What both pods of a run execute: `sh -c THIS egress-probe ROLE CONVERGE HOLD ATTEMPT QUESTION TARGET...`, with times in
# seconds and each TARGET as one argument "ID tcp|dns ADDRESS PORT [gate]".
#
# POSIX shell and three programs: agnhost, dig, sleep. Each attempt is a new process, so a new connection. A runner first
# tries every target marked "gate", which must be denied, until it meets silence; then both try everything in rounds. A
# line is written for each attempt that says something new, and at most eight run at once.
role=$1 converge=$2 hold=$3 timeout=$4 question=$5
shift 5
trap 'exit 143' TERM INT
newline='
'

clock() { read -r now idle </proc/uptime; }

attempt() { # ID KIND ADDRESS PORT: sets begun, now, outcome and said
  clock
  begun=$now
  case $2 in
    tcp)
      case $3 in *:*) to="[$3]:$4" ;; *) to=$3:$4 ;; esac
      said=$(/agnhost connect --timeout="${timeout}s" "$to" 2>&1)
      case $?/$said in
        0/*) outcome=connected ;;
        */TIMEOUT*) outcome=timeout ;;
        */REFUSED*) outcome=refused ;;
        */*unreachable* | */*'no route'* | */*'cannot assign'*) outcome=unreachable ;;
        *) outcome=error ;;
      esac
      ;;
    dns)
      said=$(dig +short +tries=1 +time="$timeout" -p "$4" "@$3" "$question" A 2>&1)
      case $?/$said in
        0/*) outcome=connected ;;
        9/*refused*) outcome=refused ;;
        9/*unreachable*) outcome=unreachable ;;
        9/*) outcome=timeout ;;
        *) outcome=error ;;
      esac
      ;;
    *) outcome=error said="no such kind: $2" ;;
  esac
  clock
}

report() { # PHASE ROUND ID
  case $outcome in error | unreachable) ;; *) said= ;; esac
  echo "egress-probe attempt $1 $2 $3 $outcome $begun $now ${said%%"$newline"*}"
}

gate() { # ID KIND ADDRESS PORT [gate]
  [ "${5-}" = gate ] || return 0
  last=
  while :; do
    attempt "$@"
    [ "$outcome" = "$last" ] || report gate 0 "$1"
    last=$outcome
    case $outcome in connected | refused) ;; *) return 0 ;; esac
    [ $((${now%.*} - start)) -lt "$converge" ] || return 0
    sleep 0.2
  done
}

hold() { # ROUND ID KIND ADDRESS PORT [gate]
  round=$1
  shift
  attempt "$@"
  report hold "$round" "$1"
}

clock
start=${now%.*}
echo "egress-probe start $now"
if [ "$role" = runner ]; then
  for target; do
    # shellcheck disable=SC2086 # a target is a list of words
    gate $target &
  done
  wait
  clock
  echo "egress-probe gates-done $now"
fi
since=${now%.*}
number=0
while :; do
  number=$((number + 1)) running=0
  for target; do
    # shellcheck disable=SC2086
    hold $number $target &
    running=$((running + 1))
    [ $((running % 8)) -ne 0 ] || wait
  done
  wait
  clock
  echo "egress-probe round $number $now"
  [ $number -lt 2 ] || [ $((${now%.*} - since)) -lt "$hold" ] || break
  sleep 1 &
  wait
done
echo "egress-probe done $now"
