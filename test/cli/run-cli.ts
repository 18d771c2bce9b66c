/** Runs the built command as a user does, and gives back all that it left behind. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/source-graph.js";

export const MAIN = join(root, "dist/cli/main.js");
export const BOOT = join(root, "examples/boot-q35-2c-1g.faults.bin.br");
export const BOOT_TEXT = join(root, "examples/boot-q35-2c-1g.kvm_page_fault.txt.br");
export const BOOT_SLOTS = join(root, "examples/boot-q35-2c-1g.json");
export const FS_BOUNCE = join(root, "examples/fs-bounce-pc-2c-4g.faults.bin.br");
export const STORM_HEAD = join(root, "examples/storm-head-q35-2c-1g.faults.bin.br");

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array | string;
  readonly cwd?: string;
  /** Whose process it is, where the tester is root. */
  readonly uid?: number;
  /** Called when the command has been started; may send it signals. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

export function gpalias(args: readonly string[], circumstances: Circumstances = {}): Promise<Ended> {
  if (!existsSync(MAIN)) throw new Error("dist/ is missing: run `npm run build` first");
  const { env = {}, stdin = "", cwd = root, uid, onStart } = circumstances;
  // Not the tester's own width and colours.
  const { COLUMNS: _columns, NO_COLOR: _noColor, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { ...inherited, ...env },
      ...(uid !== undefined && { uid }),
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.stdin.on("error", () => {}); // It may end before it reads.
    child.stdin.end(stdin);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
    onStart?.((signal) => child.kill(signal));
  });
}

/** As `gpalias`, for commands that must succeed and print one JSON document. */
// biome-ignore lint/suspicious/noExplicitAny: each test looks at a few fields of it
export async function gpaliasJson(args: readonly string[], circumstances?: Circumstances): Promise<any> {
  const { status, stdout, stderr } = await gpalias([...args, "--json"], circumstances);
  if (status !== 0) throw new Error(`gpalias ${args.join(" ")} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
