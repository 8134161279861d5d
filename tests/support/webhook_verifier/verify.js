// Verifies each delivery in a JSON array on standard input, and writes the ids of their events.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

for (const { secret, body, headers } of JSON.parse(readFileSync(0, "utf8"))) {
  console.log(new Webhook(secret).verify(body, headers).id);
}
