// The mutation score: of the faults that the engine can be made to have, the
// share that the checks report, by rules and audits in small worlds, without a
// test that knows what the fault is. Wrong rules of guest walks are for this
// machine's KVM to find, and are counted apart; where there is none they are skipped.
//
//   node scripts/faults.mjs [--json] [--addon FILE] [part of a name]...
//
// --addon: an engine with the faults in it that was built before.
//
// Exit code 1: a fault that should be reported was not, or one that is said to
// survive was, or the share is below 95 %.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildInTree } from "./cmake-addon.mjs";
import { faults } from "./faults/list.mjs";
import { HEADER, HEADER_TEXT, weave } from "./faults/weave.mjs";
import { main, root, Stop, say } from "./process.mjs";

const LEAST_SHARE = 0.95;
const LIMIT_MS = 10 * 60_000;

// Away from where it was built: the next build there is another engine.
function buildWoven(folder) {
  const woven = weave((path) => readFileSync(join(root, path), "utf8"));
  say("faults: building an engine with every fault in it ...");
  const addon = join(folder, "gpalias.node");
  cpSync(buildInTree(woven.set(HEADER, HEADER_TEXT)), addon);
  return addon;
}

const HUNTERS = { check: "scripts/faults/hunt.mjs", kvm: "scripts/faults/ask-kvm.mjs" };

/** What a process with one fault says: what was found, null, or undefined where it did not live to tell. */
function hunt(addon, number, by = "check") {
  const env = { ...process.env, GPALIAS_ADDON: addon, GPALIAS_FAULT: String(number) };
  const child = spawn(process.execPath, [join(root, HUNTERS[by])], {
    env,
    timeout: LIMIT_MS,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => {
    child.on("close", (code) => resolve(code === 0 ? JSON.parse(text) : undefined));
  });
}

function verdict({ name, survives }, found) {
  if (found === undefined) return `${name}: CRASHED, which is no report`;
  if (found?.skipped) return `${name}: SKIPPED: ${found.skipped}`;
  if (found?.kind) return `${name}: a ${found.kind} script of ${found.from} steps, made small to ${found.to}`;
  if (found !== null)
    return `${name}: ${found.rule} in ${found.run}, ${found.story.length} operations, world ${found.world}`;
  return survives === undefined ? `${name}: NOT REPORTED` : `${name}: not reported: ${survives}`;
}

const SOUND = { name: "no fault" };

const isAccused = (found) => found !== null && !found?.skipped;

function expectSound(addon, found) {
  if (found === undefined) throw new Stop(`faults: ${addon} did not live through a hunt without any fault`);
  if (isAccused(found)) throw new Stop(`faults: the sound engine is accused: ${JSON.stringify(found)}`);
}

// The sound engine first: a hunt that finds nothing takes longest.
async function huntAll(addon, chosen) {
  const hunters = new Set(chosen.map((fault) => fault.by));
  const queue = [...[...hunters].map((by) => ({ ...SOUND, by })), ...chosen];
  const results = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < queue.length; index = next++) {
      const fault = queue[index];
      // 0, for that without a fault, is no place in the list.
      const found = await hunt(addon, faults.indexOf(fault) + 1, fault.by);
      if (index < hunters.size) {
        if (isAccused(found)) next = queue.length;
        expectSound(addon, found);
        continue;
      }
      results[index - hunters.size] = { fault, found };
      say(verdict(fault, found));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

const isReported = ({ found }) => found !== null && found !== undefined;
const isAsSaid = (result) => isReported(result) === (result.fault.survives === undefined);

function scoreOf(results, by) {
  const hunted = results.filter(({ fault, found }) => fault.by === by && !found?.skipped);
  const reported = hunted.filter(isReported).length;
  return { faults: hunted.length, reported, share: hunted.length === 0 ? 1 : reported / hunted.length };
}

const words = ({ faults, reported, share }) => `${reported} of ${faults}, ${(100 * share).toFixed(1)} %`;

function report(all, asJson) {
  const [checked, asked] = [scoreOf(all), scoreOf(all, "kvm")];
  const results = all.filter(({ found }) => !found?.skipped);
  const asSaid = results.filter(isAsSaid).length;
  const document = all.map(({ fault, found }) => ({ fault: fault.name, found: found ?? null }));
  const text = `faults reported by the checks: ${words(checked)}\nwrong rules found beside KVM: ${words(asked)}\n`;
  const { share } = checked;
  process.stdout.write(asJson ? `${JSON.stringify({ share, faults: document }, null, 2)}\n` : text);
  process.stdout.write(asJson ? "" : `${asSaid} passed, ${results.length - asSaid} failed\n`);
  return asSaid === results.length && share >= LEAST_SHARE ? 0 : 1;
}

await main(async () => {
  const { values, positionals: parts } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, addon: { type: "string" } },
  });
  const isChosen = ({ name }) => parts.length === 0 || parts.some((part) => name.includes(part));
  const chosen = faults.filter(isChosen);
  if (chosen.length === 0) throw new Stop(`faults: none is named ${parts.join(" or ")}`, 2);
  const folder = mkdtempSync(join(tmpdir(), "gpalias-faults-"));
  try {
    const addon = values.addon ?? buildWoven(folder);
    return report(await huntAll(addon, chosen), values.json);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
