#!/bin/sh
# polars 2.1.0: read_ndjson() silently drops members that the first 100 lines do not have.
#
# The columns of a file are those of its first 100 lines (infer_schema_length=100). A later line with another member is read
# without it: there is no error and no warning, although the value is lost. scan_ndjson() does the same. A file whose
# producer leaves out empty members, as many do, loses data this way.
#
# Seen: 100 lines {"id": n} and one line {"id": 100, "confidence": 0.5} are read as 101 rows with the column id only.
# Expected: an error, as for a value whose type does not fit the inferred one, or a column with 100 nulls.
# Writing all members in each line, null where they are empty, avoids it; so does infer_schema_length=None.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json
import warnings

import polars

warnings.simplefilter("error")
with open("rows.ndjson", "w") as file:
    for number in range(100):
        file.write(json.dumps({"id": number}) + "\n")
    file.write(json.dumps({"id": 100, "confidence": 0.5}) + "\n")

for name, frame in (
    ("read_ndjson", polars.read_ndjson("rows.ndjson")),
    ("scan_ndjson", polars.scan_ndjson("rows.ndjson").collect()),
):
    print(f"{name}: {frame.height} rows, columns {frame.columns}")
    assert (frame.height, frame.columns) == (101, ["id"]), "polars no longer drops the member"
complete = polars.read_ndjson("rows.ndjson", infer_schema_length=None)
print(f"with infer_schema_length=None: columns {complete.columns}")
assert complete.columns == ["id", "confidence"]
PYTHON
