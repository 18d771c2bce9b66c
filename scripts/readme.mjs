// Puts what `npm start` prints first into README.md, at 80 columns, so that
// its figures are those of this version. test/cli/examples.test.ts holds it to
// them.
//
//   node scripts/readme.mjs    after `npm run build`
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, main, root, Stop } from "./process.mjs";

const BLOCK = /(\$ npm start\n)[\s\S]*?(```)/;

await main(() => {
  const path = join(root, "README.md");
  const readme = readFileSync(path, "utf8");
  if (!BLOCK.test(readme)) throw new Stop("readme: README.md has no block that begins with $ npm start");
  const [line = ""] = capture(process.execPath, [join(root, "scripts/start.mjs"), "--print"]).stdout.split(
    "\n",
  );
  const args = [join(root, "dist/cli/main.js"), ...line.split(" ")];
  const shown = capture(process.execPath, args, { env: { ...process.env, COLUMNS: "80" } });
  if (shown.code !== 0) throw new Stop(`readme: gpalias ${line} ended with ${shown.code}: ${shown.stderr}`);
  writeFileSync(
    path,
    readme.replace(BLOCK, (_, head, tail) => `${head}$ gpalias ${line}\n${shown.stdout}${tail}`),
  );
});
