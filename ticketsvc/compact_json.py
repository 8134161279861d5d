"""The JSON that Python writes: without white space, as the JSON that Postgres writes."""

import json

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
