#!/bin/sh
# Enrich one table from cron, which sends what is printed here by mail: only what needs a person.
#   15 * * * *  /srv/enrich/enrich.sh /srv/enrich accounts.yaml
# The folder has the spec, and .env (mode 600) with PARALLEL_API_KEY=... and, where cron has a short PATH, PATH=...
set -u
cd "$1" || exit 2
if [ -f .env ]; then
  set -a
  . ./.env
  set +a
fi
rowcite run "$2" --yes --no-progress --quiet --log-format json 2>>rowcite.log
code=$?
case $code in
  0 | 4 | 5 | 130) ;; # finished, or the next turn continues it
  *)
    echo "rowcite run $2 ended with $code. The last lines of $1/rowcite.log:"
    tail -n 3 rowcite.log
    ;;
esac
exit $code
