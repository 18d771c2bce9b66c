/**
 * What `gpalias doctor` looks at: each check is one function that returns one
 * finding, and a finding that is not "ok" says what to do.
 *
 * Looks at this machine; prints nothing and changes nothing.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Diagnosis, Finding } from "../index.js";
import type { Library } from "./command.js";

const OLDEST_NODE = [20, 17] as const;
const ENOUGH_MEMORY = 2 ** 30;
const HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled";

export async function diagnose(library: Library): Promise<Diagnosis> {
  const build = buildOf(library);
  const info = build instanceof Error ? undefined : build;
  const findings = [
    nodeFinding(process.versions.node),
    addonFinding(build),
    ...(info === undefined ? [] : [buildFinding(info)]),
    cpuFinding(info),
    await hugePageFinding(),
    await memoryFinding(library),
    ...(await Promise.all(TOOLS.map(toolFinding))),
  ];
  return {
    schemaVersion: 1,
    version: library.VERSION,
    ok: findings.every(({ status }) => status !== "failure"),
    findings,
    ...(info !== undefined && { build: info }),
  };
}

type Build = ReturnType<Library["buildInfo"]>;

function buildOf({ buildInfo }: Library): Build | Error {
  try {
    return buildInfo();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  const value = `${version} (${process.platform} ${process.arch})`;
  if (!isOld) return { name: "node", status: "ok", value };
  return { name: "node", status: "failure", value, advice: `install Node ${OLDEST_NODE.join(".")} or newer` };
}

function addonFinding(build: Build | Error): Finding {
  const name = "addon";
  if (build instanceof Error) {
    const advice = 'run "npm run build:native"; it needs g++ 12 or newer, make and python3';
    return { name, status: "failure", value: build.message, advice };
  }
  return { name, status: "ok", value: addonPlace() };
}

/** The library finds the addon in the same order. */
function addonPlace(): string {
  const named = process.env["GPALIAS_ADDON"];
  if (named) return `${named} (named by GPALIAS_ADDON)`;
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const require = createRequire(import.meta.url);
  const path: string = require("node-gyp-build").path(root);
  const how = path.includes("prebuilds") ? "came with the package" : "built here";
  return `${relative(root, path)} (${how})`;
}

function buildFinding(build: Build): Finding {
  const { compiler, assertions, sanitizer, layout, nodeApi } = build;
  const value = `compiler ${compiler}, Node-API ${nodeApi}, column layout ${layout}`;
  const slow = [assertions === true && "assertions", sanitizer !== "none" && `${sanitizer} sanitizer`];
  const reasons = slow.filter((reason) => reason !== false);
  if (reasons.length === 0) return { name: "build", status: "ok", value };
  const advice = `built with ${reasons.join(" and ")}: fine for tests, slow; "npm run build:native" makes a fast one`;
  return { name: "build", status: "warning", value, advice };
}

function cpuFinding(build: Build | undefined): Finding {
  const all = cpus();
  const vectors = [build?.["avx2"] === true && "AVX2", build?.["avx512"] === true && "AVX-512"];
  const has = vectors.filter((name) => name !== false);
  const value = [`${all.length} x ${all[0]?.model.trim() ?? process.arch}`, ...has].join(", ");
  return { name: "cpu", status: "ok", value };
}

async function hugePageFinding(): Promise<Finding> {
  const name = "huge pages";
  const setting = await readFile(HUGE_PAGES, "utf8").catch(() => "");
  const mode = /\[(\w+)\]/.exec(setting)?.[1] ?? "unknown";
  const value = `transparent huge pages: ${mode}`;
  if (mode === "always" || mode === "madvise") return { name, status: "ok", value };
  const advice = `page tables of large guests replay slower; as root: echo madvise > ${HUGE_PAGES}`;
  return { name, status: "warning", value, advice };
}

async function memoryFinding({ formatBytes }: Library): Promise<Finding> {
  const available = await availableMemory();
  const value = `${formatBytes(available)} available of ${formatBytes(totalmem())}`;
  if (available >= ENOUGH_MEMORY) return { name: "memory", status: "ok", value };
  const advice =
    "a guest needs about 2 MiB of tables per GiB mapped with 4K pages; free some memory for large ones";
  return { name: "memory", status: "warning", value, advice };
}

/** What can be had without swapping, which is more than what is free. */
async function availableMemory(): Promise<number> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? totalmem() : Number(kibibytes) * 1024;
}

interface Tool {
  readonly command: string;
  readonly wantedFor: string;
  readonly debianPackage: string;
}

const TOOLS: readonly Tool[] = [
  { command: "g++", wantedFor: "building the addon", debianPackage: "g++" },
  { command: "make", wantedFor: "building the addon", debianPackage: "make" },
  { command: "python3", wantedFor: "building the addon", debianPackage: "python3" },
  { command: "cmake", wantedFor: "native tests and benchmarks", debianPackage: "cmake" },
  { command: "clang++-19", wantedFor: "fuzzing", debianPackage: "clang-19" },
  { command: "clang-format-19", wantedFor: "npm run lint", debianPackage: "clang-format-19" },
];

async function toolFinding({ command, wantedFor, debianPackage }: Tool): Promise<Finding> {
  const version = await versionOf(command);
  if (version !== undefined) return { name: command, status: "ok", value: version };
  const advice = `apt-get install ${debianPackage} (optional, for ${wantedFor})`;
  return { name: command, status: "warning", value: "absent", advice };
}

async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, ["--version"], { timeout: 10_000 });
    return stdout.split("\n", 1)[0]?.trim();
  } catch {
    return undefined;
  }
}
