// The engine's memslot lookup beside vm-memory's, of rust-vmm: in turns, at
// random addresses, medians compared.
//
//   node bench/rust-vmm.mjs [--json] [--pairs 9]
//
// The program under bench/rust-vmm is built offline, from the crates that
// Debian packages; without them, or a Rust compiler, it says so and ends with 4.
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { capture, has, main, root, Stop, say } from "../scripts/process.mjs";
import { machine, machineLine } from "./machine.mjs";
import { median } from "./stats.mjs";
import { trialTable } from "./table.mjs";
import { startAsked, startTurns } from "./turns.mjs";

const CRATES = "/usr/share/cargo/registry";
const REGIONS = [1, 8, 64, 512];
const CALLS = ["find_region", "get_host_address"];

function missing() {
  if (!has("cargo") || !has("rustc")) return "a Rust compiler (Debian: cargo)";
  if (!existsSync(join(CRATES, "vm-memory-0.10.0"))) return "vm-memory (Debian: librust-vm-memory-dev)";
  return undefined;
}

// In a copy, as cargo writes a lock file beside the manifest.
function buildPeer() {
  const lacking = missing();
  if (lacking !== undefined) throw new Stop(`rust-vmm: SKIPPED, it needs ${lacking}`, 4);
  const folder = join(root, "out/rust-vmm");
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, "src"), { recursive: true, force: true });
  cpSync(join(root, "bench/rust-vmm"), folder, { recursive: true });
  const replaced = [`source.crates-io.replace-with="debian"`, `source.debian.directory="${CRATES}"`];
  const options = replaced.flatMap((each) => ["--config", each]);
  const done = capture("cargo", ["build", "--release", "--offline", ...options], { cwd: folder });
  if (done.code !== 0) throw new Stop(`${done.stderr}rust-vmm: it did not build`);
  return join(folder, "target/release/rust-vmm-lookups");
}

async function compared(peer, regions, pairs) {
  const engine = startTurns(`slot-lookup-${regions}`);
  const samples = new Map(["engine", ...CALLS].map((name) => [name, []]));
  for (let pair = 0; pair <= pairs; pair++) {
    const turns = [["engine", engine, "turn"], ...CALLS.map((call) => [call, peer, `${call} ${regions}`])];
    for (const [name, side, line] of pair % 2 === 0 ? turns : turns.reverse()) {
      const ns = await side.ask(line);
      if (pair > 0) samples.get(name).push(ns);
    }
  }
  engine.stop();
  const nsPerEvent = median(samples.get("engine"));
  return CALLS.map((call) => {
    const floorNsPerEvent = median(samples.get(call));
    return {
      ...{ name: `slot-lookup-${regions} over ${call}`, nsPerEvent, floorNsPerEvent },
      ratio: nsPerEvent / floorNsPerEvent,
    };
  });
}

await main(async () => {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, pairs: { type: "string", default: "9" } },
  });
  const program = buildPeer();
  const peer = startAsked(program, []);
  const trials = [];
  for (const regions of REGIONS) {
    say(`rust-vmm: ${regions} regions`);
    trials.push(...(await compared(peer, regions, Number(values.pairs))));
  }
  peer.stop();
  const rust = capture("rustc", ["--version"]).stdout.trim();
  const result = { schemaVersion: 1, machine: { ...machine(), rust }, trials };
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(`${machineLine(result.machine)}; ${rust}\n\n${trialTable(trials)}`);
});
