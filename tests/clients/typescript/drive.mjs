// A client on the released TypeScript SDK: `node drive.mjs http URL` or `node drive.mjs stdio COMMAND ARGUMENT ...`.
//
// Every line is one JSON object. The first line of standard input says who the client is: `headers` of each request or
// `env` of the server's process, and `capabilities`. Each further line is a call: `tool` and `arguments`. The line of
// standard output for it is what the SDK handed over: `text`, `isError`, `structured` and `meta`; or the `code` and the
// `message` of what it raised. A `question` comes before that where the client's user is asked; the next line of
// standard input is then their answer, an ElicitResult.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

// The SDK is installed beside the Python environment, not beside this file.
const require = createRequire(`${process.env.SDK_FOLDER}/package.json`);
const load = (part) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${part}`)));
const { Client } = await load("client/index.js");
const { StdioClientTransport } = await load("client/stdio.js");
const { StreamableHTTPClientTransport } = await load("client/streamableHttp.js");
const { ElicitRequestSchema } = await load("types.js");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const say = (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`);

const { headers, env, capabilities } = await next();
const [kind, target, ...rest] = process.argv.slice(2);
const transport =
  kind === "http"
    ? new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers } })
    : new StdioClientTransport({ command: target, args: rest, env });
const client = new Client({ name: "typescript", version: "1" }, { capabilities });
if (capabilities.elicitation) {
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    say({ question: params.message });
    return await next();
  });
}
await client.connect(transport);
// The SDK keeps the output schemas of the tools that it has listed, and checks every result against them.
const { tools } = await client.listTools();
say({ listed: tools.filter((tool) => tool.outputSchema).map((tool) => tool.name) });

for (let call = await next(); call; call = await next()) {
  try {
    const result = await client.callTool({ name: call.tool, arguments: call.arguments });
    const text = result.content.map((block) => block.text ?? "").join("\n");
    const structured = result.structuredContent !== undefined;
    say({ text, isError: Boolean(result.isError), structured, meta: result._meta ?? {} });
  } catch (error) {
    say({ code: error.code ?? null, message: String(error.message) });
  }
}
await client.close();
