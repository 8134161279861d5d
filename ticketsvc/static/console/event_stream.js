// Reads server-sent events from a response. EventSource cannot be used: it sends no key, and closes permanently on a 503.

// Yields what each piece of a response completes: a list of { event, id, data, retry, lsn }, which is empty for a heartbeat. A
// message that the end of the response cuts off is not one.
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    yield blocks.map(message);
  }
}

// Lines are "name: value". One without a name is a comment; that of the position is ":lsn value".
function message(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    if (line.startsWith(":lsn ")) fields.lsn = line.slice(5);
    const [, name, value] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name) fields[name] = name === "data" && "data" in fields ? `${fields.data}\n${value}` : (value ?? "");
  }
  return fields;
}
