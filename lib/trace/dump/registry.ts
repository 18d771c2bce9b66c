/** The kinds of dump there are: every file in `kinds/`. It knows none by name. */
import { readdir } from "node:fs/promises";
import type { DumpKind } from "./dump-kind.js";

const FOLDER = new URL("./kinds/", import.meta.url);

let found: Promise<readonly DumpKind[]> | undefined;

/** The kind whose first bytes these are. */
export async function dumpKindOf(head: Uint8Array): Promise<DumpKind | undefined> {
  found ??= readFolder();
  return (await found).find(({ magic }) => magic.some((bytes) => startsWith(head, bytes)));
}

function startsWith(head: Uint8Array, bytes: Uint8Array): boolean {
  return head.length >= bytes.length && bytes.every((byte, at) => head[at] === byte);
}

async function readFolder(): Promise<readonly DumpKind[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).sort();
  const modules = await Promise.all(files.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: DumpKind }).default);
}
