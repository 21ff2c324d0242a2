// Composes with the reference composer. In: JSON lines, each [{name, url, sdl}]. Out: one JSON line each.
import { createRequire } from "node:module";
import readline from "node:readline";

const require = createRequire(process.argv[2] + "/");
const { composeServices } = require("@apollo/composition");
const { parse } = require("graphql");

function compose(line) {
  try {
    const services = JSON.parse(line).map((s) => ({ name: s.name, url: s.url, typeDefs: parse(s.sdl) }));
    const { errors, supergraphSdl } = composeServices(services);
    return { errors: (errors ?? []).map((e) => [e.extensions?.code, e.message]), sdl: supergraphSdl ?? null };
  } catch (error) {
    return { errors: [[error.extensions?.code ?? "THROWN", String(error.message)]], sdl: null };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(compose(line)));
}
