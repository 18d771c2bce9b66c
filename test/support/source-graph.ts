// Who imports whom, read from the text of the sources.
//
// An edge is an import, an export-from, an `import()` of a literal, or an
// #include in quotes; packages, Node built-ins and <system> headers are kept
// apart as `external`.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Files below `folder` whose path matches, relative to the repository, sorted. */
export function filesOf(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((path) => pattern.test(path))
    .sort();
}

export interface SourceFile {
  readonly path: string;
  /** Files of the repository, as paths. */
  readonly imports: readonly string[];
  /** The part of `imports` that is loaded together with the file. */
  readonly loads: readonly string[];
  /** Packages, built-ins, system headers: as written. */
  readonly external: readonly string[];
  readonly externalLoads: readonly string[];
}

const isRelative = (specifier: string): boolean => specifier.startsWith(".");

function resolveTs(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
}

// What is still there after compiling: not `import type`, not `import()`.
function loadedSpecifiers(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const specifiers: string[] = [];
  for (const statement of file.statements) {
    const typeOnly =
      (ts.isImportDeclaration(statement) &&
        statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly);
    if (typeOnly || !(ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))) continue;
    if (statement.moduleSpecifier && ts.isStringLiteral(statement.moduleSpecifier)) {
      specifiers.push(statement.moduleSpecifier.text);
    }
  }
  return specifiers;
}

// What a CommonJS loader made by createRequire() is asked for, by name.
function required(text: string): string[] {
  return [...text.matchAll(/\brequire\("([\w@/-]+)"\)/g)].map((each) => each[1] ?? "");
}

export function readTypeScript(path: string): SourceFile {
  const text = read(path);
  const all = ts.preProcessFile(text, true, true).importedFiles.map((each) => each.fileName);
  const loaded = loadedSpecifiers(path, text);
  return {
    path,
    imports: all.filter(isRelative).map((each) => resolveTs(path, each)),
    loads: loaded.filter(isRelative).map((each) => resolveTs(path, each)),
    external: [...all.filter((each) => !isRelative(each)), ...required(text)],
    externalLoads: loaded.filter((each) => !isRelative(each)),
  };
}

export function readNative(path: string): SourceFile {
  const includes = [...read(path).matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)];
  const named = (kind: string) => includes.filter((each) => each[1] === kind).map((each) => each[2] ?? "");
  // The include root is native/ and quoted paths are always written from it.
  const imports = named('"').map((each) => `native/${each}`);
  return { path, imports, loads: imports, external: named("<"), externalLoads: named("<") };
}

/** One cycle as a list of paths, first and last equal, or undefined. */
export function findCycle(files: readonly SourceFile[]): string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of byPath.get(path)?.imports ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const file of files) {
    const cycle = visit(file.path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** `start` and everything that is loaded with it. */
export function closureOf(start: string, files: readonly SourceFile[]): SourceFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<SourceFile>();
  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (!file || seen.has(file)) return;
    seen.add(file);
    file.loads.forEach(visit);
  };
  visit(start);
  return [...seen];
}
