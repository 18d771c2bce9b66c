// What a user installs: the tarball's contents, its entry points, its types,
// and the C library that the addon asks for.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { filesOf, readTypeScript, root } from "../support/source-graph.js";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "gpalias-package-"));
const user = join(scratch, "user");
const installed = join(user, "node_modules/gpalias");
let tarball = "";
let packed: string[] = [];

const npm = (...args: string[]): string =>
  execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

function asUser(program: string, env: Record<string, string> = {}): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: user,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
}

beforeAll(() => {
  if (!existsSync(join(root, "dist/index.js")))
    throw new Error("dist/ is missing: run `npm run build` first");
  const [report] = JSON.parse(npm("pack", "--json", "--ignore-scripts", `--pack-destination=${scratch}`));
  tarball = join(scratch, report.filename);
  packed = report.files.map((file: { path: string }) => file.path);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  cpSync(join(root, "node_modules/node-gyp-build"), join(user, "node_modules/node-gyp-build"), {
    recursive: true,
  });
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("the tarball", () => {
  test("holds the library, the command, the native sources and the papers", () => {
    const wanted = [
      "dist/index.js",
      "dist/index.d.ts",
      "dist/cli/main.js",
      "binding.gyp",
      "native/sources.mjs",
    ];
    expect(packed).toEqual(expect.arrayContaining([...wanted, "LICENSE", "README.md", "CHANGELOG.md"]));
    expect(packed.filter((path) => path.startsWith("native/core/")).length).toBeGreaterThan(10);
  });

  test("holds nothing that only development needs", () => {
    const allowed =
      /^(dist|native|prebuilds)\/|^(package\.json|binding\.gyp|LICENSE|README\.md|CHANGELOG\.md)$/;
    expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
  });

  test("works where node-gyp-build is the only other package", () => {
    const program = 'import * as gpalias from "gpalias"; console.log(Object.keys(gpalias).sort().join(" "));';
    const names = asUser(program, { GPALIAS_ADDON: join(root, "build/Release/gpalias.node") })
      .trim()
      .split(" ");
    expect(names).toEqual(expect.arrayContaining(["createVm", "openTrace", "replay", "MmuError"]));
  });

  test("says what to do where no build of the addon fits", () => {
    const program = `
      try {
        const { createVm } = await import("gpalias");
        createVm();
      } catch (error) {
        console.log(error.message);
      }`;
    expect(asUser(program, { GPALIAS_ADDON: "" })).toContain("cannot load the native addon");
  });

  test("runs nothing at install", () => {
    expect(manifest.gypfile).toBe(false);
    const hooks = ["preinstall", "install", "postinstall", "prepare"];
    expect(hooks.filter((hook) => hook in manifest.scripts)).toEqual([]);
  });
});

describe("package.json", () => {
  test("has no complaint from publint", async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  test("offers types that every ESM resolver finds", () => {
    const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const args = [attw, tarball, "--profile", "esm-only", "--no-emoji"];
    const report = execFileSync(process.execPath, args, { encoding: "utf8" });
    expect(report).toContain("OK (ESM)");
  });

  // npm leaves out an optional package that its registry lacks on the day, and `npm ci` then refuses the lockfile.
  test("has a lockfile that names every package it needs, and no address", () => {
    const text = readFileSync(join(root, "package-lock.json"), "utf8");
    const packages: Record<string, { optionalDependencies?: object; dependencies?: object }> =
      JSON.parse(text).packages;
    const present = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
    const needed = Object.values(packages).flatMap((each) =>
      Object.keys({ ...each.dependencies, ...each.optionalDependencies }),
    );
    expect(needed.length).toBeGreaterThan(100);
    expect(needed.filter((name) => !present.has(name))).toEqual([]);
    expect(text).not.toContain('"resolved"');
  });

  test("declares every package that a source imports, for users where lib/ does", () => {
    const usedBy = (...folders: string[]): string[] => {
      const files = folders.flatMap((folder) => filesOf(folder, /\.(ts|mjs)$/));
      const names = files.flatMap((path) => readTypeScript(path).external);
      const packages = names.map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
      return [...new Set(packages.filter((name) => !name.startsWith("node:") && name !== "gpalias"))];
    };
    const forUsers = Object.keys(manifest.dependencies);
    const forAll = [...forUsers, ...Object.keys(manifest.devDependencies)];
    expect(usedBy("lib").filter((name) => !forUsers.includes(name))).toEqual([]);
    expect(usedBy("test", "bench", "scripts").filter((name) => !forAll.includes(name))).toEqual([]);
  });
});

describe("the addon", () => {
  const newest = (symbols: string, prefix: string): string =>
    [...symbols.matchAll(new RegExp(`\\b${prefix}_([0-9.]+)`, "g"))]
      .map((match) => match[1] ?? "")
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
      .at(-1) ?? "0";
  const atMost = (version: string, limit: string): boolean =>
    version.localeCompare(limit, "en", { numeric: true }) <= 0;

  test.skipIf(process.platform !== "linux")("loads on glibc 2.34 and libstdc++ 3.4.29 (Linux only)", () => {
    const symbols = execFileSync("objdump", ["-T", join(root, "build/Release/gpalias.node")], {
      encoding: "utf8",
    });
    const [glibc, libstdcxx] = [newest(symbols, "GLIBC"), newest(symbols, "GLIBCXX")];
    expect(symbols).toContain("napi_");
    expect(atMost(glibc, "2.34"), `needs GLIBC_${glibc}`).toBe(true);
    expect(atMost(libstdcxx, "3.4.29"), `needs GLIBCXX_${libstdcxx}`).toBe(true);
  });
});
