#!/bin/sh
# openapi-python-client 0.29.1: of several media types with one schema, the client always sends the last.
#
# A body may be sent as application/json or as application/merge-patch+json, with the same schema. The generated function has
# one parameter for it, of type `Item | Item`, no parameter for the media type, and one `if isinstance(body, Item)` after the
# other, each of which replaces the body and Content-Type of the one before.
#
# Seen:     Content-Type application/merge-patch+json
# Expected: the first media type, or a parameter that chooses one; or at least a warning
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
      "patch": {
        "operationId": "changeItem",
        "requestBody": {
          "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Item"}},
            "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/Item"}}
          }
        },
        "responses": {"204": {"description": "Changed."}}
      }
    }
  },
  "components": {"schemas": {"Item": {"type": "object", "properties": {"name": {"type": "string"}}}}}
}
END
echo 'post_hooks: []' > config.yml
environment/bin/python -m openapi_python_client generate --path document.json --meta none --output-path items \
    --config config.yml --fail-on-warning > log
sent=$(environment/bin/python -c '
from items.api.default import change_item
from items.models import Item
print(change_item._get_kwargs(body=Item(name="a"))["headers"]["Content-Type"])
')
echo "Content-Type: $sent"
[ "$sent" = application/merge-patch+json ] || { echo "The behaviour has changed." >&2; exit 1; }
