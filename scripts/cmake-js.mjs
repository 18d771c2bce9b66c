// The addon as cmake-js builds it, and proof that this build loads: what it
// says of itself must be what the node-gyp build says.
import { createRequire } from "node:module";
import { buildInTree } from "./cmake-addon.mjs";
import { main, Stop, say } from "./process.mjs";
import { addonPath } from "./setup/addon.mjs";

const require = createRequire(import.meta.url);

function tables(path) {
  const { layout, strategies, formats, errors } = require(path);
  return JSON.stringify({ layout: layout(), strategies: strategies(), formats: formats(), errors: errors() });
}

await main(() => {
  const path = buildInTree();
  const [cmake, gyp] = [tables(path), tables(addonPath)];
  if (cmake !== gyp) throw new Stop(`cmake-js: the two builds differ:\n${cmake}\n${gyp}`);
  say(`cmake-js: its build loads and reports ${cmake.slice(0, 72)}...`);
});
