#!/bin/sh
# gevent 26.9.0: monkey.patch_all() looks for plugins again for each module it patches, and each time reads the entry points
# of all installed packages.
#
# Plugins subscribe to its events (GeventWillPatchModuleEvent and others) as entry points. For each event it asks
# importlib.metadata.entry_points() for one group. That function keeps nothing: it opens the entry_points.txt of every
# installed package to find those of one group. The time that patching takes grows with the environment, and a pre-fork server
# spends it again in each worker.
#
# Seen: 25 calls for 5 groups, which open the metadata of every installed package, although no package has such a plugin. With
# 200 more empty packages patch_all() takes several times as long. Expected: one look at the metadata.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gevent==26.9.0
cat > "$folder/patch.py" << 'PYTHON'
import sys
import time
from importlib import metadata

import gevent.monkey

calls = []
lookup = metadata.entry_points


def counted(**parameters):
    calls.append(parameters)
    return lookup(**parameters)


metadata.entry_points = counted
began = time.process_time()
gevent.monkey.patch_all()
took = time.process_time() - began
packages = len({each.name for each in metadata.distributions()})
print(f"{packages} packages: {len(calls)} calls for {len({call['group'] for call in calls})} groups, {took * 1000:.0f} ms")
sys.exit(len(calls) < 10)
PYTHON
run() {
    "$folder/venv/bin/python" "$folder/patch.py" || { echo "The behaviour has changed: fewer calls." >&2; exit 1; }
}
run
packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
number=0
while [ $number -lt 200 ]; do
    number=$((number + 1))
    mkdir "$packages/empty_$number-1.0.dist-info"
    printf 'Metadata-Version: 2.1\nName: empty-%s\nVersion: 1.0\n' $number > "$packages/empty_$number-1.0.dist-info/METADATA"
done
run
