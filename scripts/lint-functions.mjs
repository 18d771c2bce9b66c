// Prints the functions that are longer than their ceiling. A notice, not a
// failure: an exception is argued in a comment where it is made.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root, say } from "./process.mjs";

const CEILING = 40;

function filesOf(folder, pattern) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .sort();
}

function typescriptFunctions(path) {
  const file = ts.createSourceFile(
    path,
    readFileSync(join(root, path), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const lineOf = (position) => file.getLineAndCharacterOfPosition(position).line + 1;
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const line = lineOf(node.getStart(file));
      const name = node.name?.getText(file) ?? node.parent.name?.getText(file) ?? "(anonymous)";
      found.push({ path, line, name, lines: lineOf(node.end) - line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

// By layout, which clang-format guarantees: a body opens at the end of a line
// with a parenthesis, and closes on a line of its own with the same indent.
function nativeFunctions(path) {
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  const found = [];
  const opens = /^( {0,4})(?!if|for|while|switch|else|\})\S.*\)( const)?( noexcept)?( override)?( ->.*)? \{$/;
  lines.forEach((line, at) => {
    const match = opens.exec(line);
    if (!match) return;
    const end = lines.findIndex((other, index) => index > at && other.startsWith(`${match[1]}}`));
    const name = /([\w~:]+)\(/.exec(line)?.[1] ?? line.trim();
    if (end > 0) found.push({ path, line: at + 1, name, lines: end - at + 1 });
  });
  return found;
}

export function reportLongFunctions() {
  const native = filesOf("native", /\.(cpp|hpp)$/).flatMap(nativeFunctions);
  const typescript = filesOf("lib", /\.ts$/).flatMap(typescriptFunctions);
  const long = [...native, ...typescript].filter((each) => each.lines > CEILING);
  for (const each of long.sort((a, b) => b.lines - a.lines)) {
    say(`note: ${each.path}:${each.line} ${each.name} has ${each.lines} lines, the ceiling is ${CEILING}`);
  }
}
