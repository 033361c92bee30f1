// A client on a released TypeScript SDK that connects anew as often as it is told: `node ladder.mjs 1` or `... 2`.
//
// Every line is one JSON object. Of standard input `{"connect": URL, "elicits": {...}}` makes a connection, with that
// capability of asking; `{"tool": ..., "arguments": ...}` is a call. The line of standard output for it has what a host
// would show its model: `text` and `isError`, or the `code` and `message` of what the SDK raised. A line with `question`,
// and `url` where there is one, comes before that where the person is asked; the next line of input is their answer.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// The SDK is installed beside the Python environment, not beside this file.
const require = createRequire(`${process.env.SDK_FOLDER}/package.json`);
const load = (part) => import(pathToFileURL(require.resolve(part)));
const [version] = process.argv.slice(2);

async function sdk() {
  if (version === "2") {
    const { Client, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");
    const options = { versionNegotiation: { mode: "auto" } };
    return { Client, StreamableHTTPClientTransport, options, asking: "elicitation/create" };
  }
  const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
  const { StreamableHTTPClientTransport } = await load("@modelcontextprotocol/sdk/client/streamableHttp.js");
  const { ElicitRequestSchema } = await load("@modelcontextprotocol/sdk/types.js");
  return { Client, StreamableHTTPClientTransport, options: {}, asking: ElicitRequestSchema };
}

const { Client, StreamableHTTPClientTransport, options, asking } = await sdk();
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const say = (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`);

async function connected({ connect, elicits }) {
  const capabilities = elicits ? { elicitation: elicits } : {};
  const client = new Client({ name: "ladder", version: "1" }, { ...options, capabilities });
  if (elicits) {
    client.setRequestHandler(asking, async ({ params }) => {
      say({ question: params.message, url: params.url });
      return await next();
    });
  }
  await client.connect(new StreamableHTTPClientTransport(new URL(connect)));
  await client.listTools(); // as hosts do: from then on the SDK checks results against the tools' output schemas
  say({ connected: true });
  return client;
}

async function called(client, { tool, arguments: given }) {
  try {
    const result = await client.callTool({ name: tool, arguments: given });
    return { text: result.content.map((block) => block.text ?? "").join("\n"), isError: Boolean(result.isError) };
  } catch (error) {
    return { code: error.code ?? null, message: String(error.message), shown: error.data?.elicitations ?? [] };
  }
}

let client;
for (let line = await next(); line; line = await next()) {
  if (line.connect) {
    await client?.close();
    client = await connected(line);
  } else {
    say(await called(client, line));
  }
}
await client?.close();
