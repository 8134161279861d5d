#!/bin/sh
# openapi-python-client 0.29.1: the name of a query parameter of the style deepObject is lost.
#
# With `style: deepObject`, the object {"plan": "pro"} of the parameter `metadata` is sent as `metadata[plan]=pro` (OpenAPI
# 3.1.0, style values). The generated function adds the members of the object to the query as they are: a member may thus
# take the place of another parameter. No warning is printed, not even with --fail-on-warning.
#
# Seen:     limit=5&plan=pro; with a member `limit`, limit=all in place of the parameter limit=5
# Expected: limit=5&metadata[plan]=pro, or at least a warning
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1
cat > document.json << 'END'
{
  "openapi": "3.1.0",
  "info": {"title": "Items", "version": "1"},
  "paths": {
    "/items": {
      "get": {
        "operationId": "listItems",
        "parameters": [
          {"name": "limit", "in": "query", "schema": {"type": "integer"}},
          {
            "name": "metadata",
            "in": "query",
            "style": "deepObject",
            "explode": true,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}}
          }
        ],
        "responses": {"204": {"description": "Listed."}}
      }
    }
  }
}
END
echo 'post_hooks: []' > config.yml
environment/bin/python -m openapi_python_client generate --path document.json --meta none --output-path items \
    --config config.yml --fail-on-warning > log
sent=$(environment/bin/python -c '
import httpx
from items.api.default import list_items
from items.models import ListItemsMetadata

for members in ({"plan": "pro"}, {"limit": "all"}):
    arguments = list_items._get_kwargs(limit=5, metadata=ListItemsMetadata.from_dict(members))
    print(httpx.Request("GET", "http://localhost/items", params=arguments["params"]).url.query.decode())
')
echo "$sent"
[ "$sent" = "limit=5&plan=pro
limit=all" ] || { echo "The behaviour has changed." >&2; exit 1; }
