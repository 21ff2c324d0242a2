// Starts the server of the public federation audit from a checkout (its own command line needs Node 22 and more packages).
// usage: AUDIT_DIR=checkout node --import tsx serve_audit.mjs PORT   (run inside the checkout, so that `tsx` is found there)
import { pathToFileURL } from "node:url";
import { join } from "node:path";

Promise.withResolvers ??= function () {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

const { serve } = await import(pathToFileURL(join(process.env.AUDIT_DIR, "src/index.ts")).href);
await serve(Number(process.argv[2]));
console.log("ready");
