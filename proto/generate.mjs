// Makes src/wire/generated/seshat.{js,d.ts} from seshat.proto with protobufjs-cli, and a copy of the .js in
// dist/ for the built program. Does nothing while the schema and this script are unchanged.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const schema = join(here, "seshat.proto");
const sources = join(root, "src", "wire", "generated");
const built = join(root, "dist", "wire", "generated");

const STAMP = "// made from: ";
const hash = createHash("sha256")
  .update(readFileSync(schema))
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

const isCurrent = (path) => existsSync(path) && readFileSync(path, "utf8").startsWith(STAMP + hash);

/** Whole or not at all: two test runs may generate at once. */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${STAMP}${hash}\n${text}`);
  renameSync(temporary, path);
}

/** protobufjs-cli refuses to return text together with the types, so both go through files. */
async function generate() {
  const require = createRequire(import.meta.url);
  const pbjs = require("protobufjs-cli/pbjs");
  const script = join(sources, `pbjs.${process.pid}.js`);
  mkdirSync(sources, { recursive: true });
  const types = script.replace(/\.js$/, ".d.ts");
  const options = [
    "--target=static-module",
    "--wrap=esm",
    "--dts",
    "--force-number", // uint64 as number; the range is checked in src/wire
    "--no-verify",
    "--no-convert",
    "--no-delimited",
    "--no-service",
    "--no-create",
    "--no-typeurl",
  ];
  await new Promise((resolve, reject) => {
    pbjs.main([...options, `--out=${script}`, schema], (error) => (error ? reject(error) : resolve()));
  });
  return { script, types };
}

async function main() {
  const script = join(sources, "seshat.js");
  const types = join(sources, "seshat.d.ts");
  if (!isCurrent(script) || !isCurrent(types)) {
    const made = await generate();
    const { rmSync } = await import("node:fs");
    // Plain numbers for uint64: without Long the runtime returns them, and the classes below must be made after.
    const text = readFileSync(made.script, "utf8").replace(
      /^import .* from "protobufjs[^"]*";$/m,
      'import $protobuf from "protobufjs/minimal.js";\n$protobuf.util.Long = undefined;\n$protobuf.configure();',
    );
    if (!text.includes("$protobuf.configure()")) throw new Error("pbjs writes another import line than expected");
    write(script, text);
    write(types, readFileSync(made.types, "utf8"));
    rmSync(made.script);
    rmSync(made.types);
  }
  const copy = join(built, "seshat.js");
  if (!isCurrent(copy)) {
    write(copy, readFileSync(script, "utf8").slice(STAMP.length + hash.length + 1));
  }
}

await main();
