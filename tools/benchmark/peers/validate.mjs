// validate.mjs FOLDER MILLISECONDS: ajv's compiled validators on the cases of a folder.
// Prints what it is, then for each case: its name, validations a second from the bytes
// (text decoded, parsed, validated), and from a text that is decoded already.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

const [folder, milliseconds] = process.argv.slice(2);
const WARM_SHARE = 0.5;

/** Calls a second; the answers are used, so that none is left out. */
function rate(call, spanMs) {
  let done = 0;
  let batch = 1;
  const start = performance.now();
  for (;;) {
    for (let i = 0; i < batch; i++)
      if (!call()) throw new Error("not valid any more");
    done += batch;
    const passed = performance.now() - start;
    if (passed >= spanMs) return (done * 1000) / passed;
    batch = Math.max(1, Math.min(batch * 2, Math.floor((done / passed) * (spanMs / 20))));
  }
}

const version = createRequire(import.meta.url)("ajv/package.json").version;
console.log(`ajv ${version}, node ${process.versions.node}`);
for (const name of readFileSync(`${folder}/cases`, "utf8").split("\n").filter(Boolean)) {
  const ajv = new Ajv({ strict: false });
  formats(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(`${folder}/${name}.schema.json`)));
  const bytes = readFileSync(`${folder}/${name}.json`);
  const text = bytes.toString();
  if (!validate(JSON.parse(text))) throw new Error(`${name}: ${ajv.errorsText(validate.errors)}`);
  if (validate(JSON.parse(readFileSync(`${folder}/${name}.broken.json`))))
    throw new Error(`${name}: what is broken is found valid`);
  const fromBytes = () => validate(JSON.parse(bytes.toString()));
  const fromText = () => validate(JSON.parse(text));
  rate(fromBytes, milliseconds * WARM_SHARE);
  rate(fromText, milliseconds * WARM_SHARE);
  console.log(name, rate(fromBytes, milliseconds / 2), rate(fromText, milliseconds / 2));
}
