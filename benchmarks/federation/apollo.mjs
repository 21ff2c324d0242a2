// Apollo Gateway behind Apollo Server and Express, as its documentation sets it up. usage: node apollo.mjs SUPERGRAPH PORT
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.cwd() + "/");
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)));
  return { ...(module.default ?? {}), ...module };
};
const { ApolloServer } = await load("@apollo/server");
const { expressMiddleware } = await load("@as-integrations/express5");
const { ApolloGateway } = await load("@apollo/gateway");
const express = require("express");

const [supergraph, port] = process.argv.slice(2);
const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl: readFileSync(supergraph, "utf8") }) });
await server.start();
const app = express();
app.get("/health", (_, response) => response.send("OK"));
app.use("/graphql", express.json(), expressMiddleware(server));
createServer(app).listen(Number(port), "127.0.0.1");
