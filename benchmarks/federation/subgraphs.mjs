// The four subgraphs of the benchmark in one process, each at POST /<name>; they answer from plain data and keep answers
// by body, so that nearly all of the work measured is the gateway's. POST /plain answers a whole client operation as one
// schema would. GET /stats: requests to subgraphs so far; GET /reset: start counting again, forget kept answers.
// usage: node subgraphs.mjs PORT   (NODE_PATH or the working directory must lead to the package `graphql`)
import http from "node:http";
import { createRequire } from "node:module";

const { parse } = createRequire(process.cwd() + "/")("graphql");
const TEXT =
  "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna " +
  "aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip.";
const USERS = 6, PRODUCTS = 9, REVIEWS = 27;
const MAX_KEPT_BYTES = 400e6;

// Every id tells its seed: with another seed in each request, no two subgraph requests are alike.
const user = (seed, i) => ({ type: "User", seed, i, id: String(seed * USERS + i + 1), name: `User ${i}`, username: `user${i}` });
const product = (seed, i) => ({
  type: "Product", seed, i, upc: String(seed * PRODUCTS + i + 1), name: `Product ${i}`,
  price: 100 + i * 37, weight: 10 + i * 5, inStock: i % 2 === 0,
});
const review = (seed, i) => ({ type: "Review", seed, i, id: String(seed * REVIEWS + i + 1), body: TEXT });
const byId = (make, id, size) => make(Math.floor((id - 1) / size), (id - 1) % size);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

const entities = {
  User: (given) => byId(user, +given.id, USERS),
  Product: (given) => ({ ...byId(product, +given.upc, PRODUCTS), ...(given.price === undefined ? {} : { price: given.price, weight: given.weight }) }),
  Review: (given) => byId(review, +given.id, REVIEWS),
};
const resolvers = {
  Query: {
    user: (_, { id }) => byId(user, +id, USERS),
    users: (_, { seed = 0 }) => upTo(USERS).map((i) => user(seed, i)),
    topProducts: (_, { first = 5, seed = 0 }) => upTo(first).map((i) => product(seed, i)),
    _entities: (_, { representations }) => representations.map((given) => entities[given.__typename](given)),
  },
  User: { reviews: (u) => upTo(REVIEWS).filter((i) => (i * 7) % USERS === u.i).map((i) => review(u.seed, i)) },
  Product: {
    reviews: (p) => [p.i, p.i + PRODUCTS, p.i + 2 * PRODUCTS].map((i) => review(p.seed, i)),
    shippingEstimate: (p) => (p.price > 1000 ? 0 : Math.round(p.weight / 2)),
  },
  Review: { author: (r) => user(r.seed, (r.i * 7) % USERS), product: (r) => product(r.seed, r.i % PRODUCTS) },
};

function read(node, variables) {
  switch (node.kind) {
    case "Variable": return variables[node.name.value];
    case "ListValue": return node.values.map((value) => read(value, variables));
    case "ObjectValue": return Object.fromEntries(node.fields.map((f) => [f.name.value, read(f.value, variables)]));
    case "IntValue": return Number(node.value);
    case "NullValue": return null;
    default: return node.value;
  }
}

function collect(selectionSet, type, fragments, into = new Map()) {
  for (const selection of selectionSet.selections) {
    if (selection.kind === "Field") {
      const key = selection.alias?.value ?? selection.name.value;
      const known = into.get(key);
      if (!known) into.set(key, { field: selection, sets: selection.selectionSet ? [selection.selectionSet] : [] });
      else if (selection.selectionSet) known.sets.push(selection.selectionSet);
      continue;
    }
    const fragment = selection.kind === "FragmentSpread" ? fragments[selection.name.value] : selection;
    const condition = fragment.typeCondition?.name.value;
    if (!condition || condition === type) collect(fragment.selectionSet, type, fragments, into);
  }
  return into;
}

function execute(sets, object, type, fragments, variables) {
  const fields = new Map();
  for (const set of sets) collect(set, type, fragments, fields);
  const out = {};
  for (const [key, { field, sets: below }] of fields) {
    const name = field.name.value;
    if (name === "__typename") { out[key] = type; continue; }
    const args = Object.fromEntries((field.arguments ?? []).map((a) => [a.name.value, read(a.value, variables)]).filter((a) => a[1] !== undefined));
    const value = resolvers[type]?.[name] ? resolvers[type][name](object, args) : object[name];
    const shape = (item) => (below.length ? execute(below, item, item.type, fragments, variables) : item);
    out[key] = Array.isArray(value) ? value.map(shape) : value === undefined ? null : shape(value);
  }
  return out;
}

const documents = new Map();
function answer(body) {
  const { query, variables = {} } = JSON.parse(body);
  let known = documents.get(query);
  if (!known) {
    const definitions = parse(query).definitions;
    const fragments = Object.fromEntries(definitions.filter((d) => d.kind === "FragmentDefinition").map((d) => [d.name.value, d]));
    known = { fragments, operation: definitions.find((d) => d.kind === "OperationDefinition") };
    documents.set(query, known);
  }
  return Buffer.from(JSON.stringify({ data: execute([known.operation.selectionSet], {}, "Query", known.fragments, variables) }));
}

let count = 0, keptBytes = 0;
const kept = new Map();
http
  .createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.method === "GET") {
      if (request.url === "/reset") { count = 0; keptBytes = 0; kept.clear(); }
      if (request.url === "/count-from-zero") count = 0;
      response.end(JSON.stringify({ count }));
      return;
    }
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = chunks.length === 1 ? chunks[0].toString() : Buffer.concat(chunks).toString();
      const isPlain = request.url === "/plain";
      if (!isPlain) count++;
      let out = kept.get(body);
      if (!out) {
        out = answer(body);
        if (!isPlain && keptBytes < MAX_KEPT_BYTES) { kept.set(body, out); keptBytes += out.length + body.length; }
      }
      response.writeHead(200, { "content-type": "application/json", "content-length": out.length });
      response.end(out);
    });
  })
  .listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
