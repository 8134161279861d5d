#!/bin/sh
# xllamacpp 2026.10.11549 (the server of llama.cpp, build 11549): a JSON schema with "maxItems": 2000 is refused.
#
# The server turns the schema of a request's response_format into a grammar, whose parser limits repetitions. For an array of
# strings, maxItems from 1999 to 2001 are too many for it; less is fine, and so is more. The schema is valid, and OpenAI's strict
# mode knows maxItems. Other limits, such as "minItems": 3000 or "minLength": 2001, are refused in the same words.
#
# Seen: 1000: 200, 2000: 400 "Failed to initialize samplers: failed to parse grammar", 10000: 200.
# Expected: 200 for all three, or at least an error that says which member of the schema is too large. (The log says only that
# there are too many repetitions.) This service looks for the name of what a server rejects, so it also looks for "samplers".
#
# The model has random weights, and a token for each byte: the request fails before the model computes anything.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0
cd "$folder"
"$folder/venv/bin/python" - 2> log <<'PYTHON' || { tail -n 5 log >&2; exit 1; }
import json
import urllib.error
import urllib.request

import gguf
import numpy
import xllamacpp

SIZE = 32
tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", *map(chr, range(33, 127))]
writer = gguf.GGUFWriter("model.gguf", "llama")
writer.add_context_length(256)
writer.add_embedding_length(SIZE)
writer.add_block_count(1)
writer.add_feed_forward_length(SIZE)
writer.add_head_count(1)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_tokenizer_model("llama")
writer.add_token_list(tokens)
writer.add_token_scores([0.0] * len(tokens))
writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * 95)
random = numpy.random.default_rng(0)
matrices = [f"blk.0.{name}" for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")]
shapes = dict.fromkeys(matrices, (SIZE, SIZE))
shapes |= dict.fromkeys(("token_embd", "output"), (len(tokens), SIZE))
shapes |= dict.fromkeys(("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"), (SIZE,))
for name, shape in shapes.items():
    writer.add_tensor(f"{name}.weight", random.standard_normal(shape).astype(numpy.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

settings = xllamacpp.CommonParams()
settings.model.path = "model.gguf"
settings.warmup = False
server = xllamacpp.Server(settings)


def ask(most: int) -> str:
    """Return the status of a request, with the message of an error."""
    names = {"type": "array", "items": {"type": "string"}, "maxItems": most}
    schema = {"type": "object", "properties": {"names": names}, "required": ["names"], "additionalProperties": False}
    body = {
        "messages": [{"role": "user", "content": "Which names?"}],
        "max_tokens": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "names", "strict": True, "schema": schema}},
    }
    request = urllib.request.Request(f"{server.listening_address}/v1/chat/completions", json.dumps(body).encode())
    try:
        return str(urllib.request.urlopen(request, timeout=60).status)
    except urllib.error.HTTPError as error:
        return f"{error.code} {json.load(error)['error']['message']}"


seen = {most: ask(most) for most in (1000, 2000, 10_000)}
print(seen)
refused = "400 Failed to initialize samplers: failed to parse grammar"
assert seen == {1000: "200", 2000: refused, 10_000: "200"}, "The behaviour has changed."
PYTHON
