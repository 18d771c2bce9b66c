/** A world in the reference walker. */
import { FETCH, IMPLICIT, USER, WRITE } from "../reference-walker/access.js";
import { GuestMemory } from "../reference-walker/guest-memory.js";
import { beneathEpt, beneathNpt, nptRegisters } from "../reference-walker/nested.js";
import { loadPdptrs, NO_PDPTRS, type Pdptrs } from "../reference-walker/pdptrs.js";
import { References } from "../reference-walker/references.js";
import type { SecondLevel } from "../reference-walker/second-level.js";
import { walk } from "../reference-walker/walk.js";
import { eptpOf, l1Registers } from "./beneath.js";
import { outcomeText, type Played } from "./play.js";
import { addressOf, arenaOf } from "./tables.js";
import { ARENA_FRAMES, type Query, registersOf, type World } from "./world.js";

const PAGE = 4096n;

export const accessOf = ({ write, fetch, user, implicit }: Query): bigint =>
  (write ? WRITE : 0n) | (fetch ? FETCH : 0n) | (user ? USER : 0n) | (implicit ? IMPLICIT : 0n);

function memoryOf(world: World): GuestMemory {
  const memory = new GuestMemory();
  const arena = arenaOf(world);
  const words = new BigUint64Array(arena.buffer);
  for (const [at, word] of words.entries()) if (word !== 0n) memory.words.set(BigInt(at) * 8n, word);
  for (const [id, { gpa, from, frames, logs, readonly }] of world.slots.entries())
    memory.slots.set(id, {
      id,
      gpa: BigInt(gpa) * PAGE,
      bytes: BigInt(frames) * PAGE,
      offset: BigInt(from) * PAGE,
      isReadOnly: readonly,
      logsDirty: logs,
    });
  for (const { frame, state } of world.protections)
    memory.protections.set(BigInt(frame), state === "none" ? "none" : "ro");
  return memory;
}

function beneathOf(world: World, memory: GuestMemory, references: References): SecondLevel | undefined {
  const tables = references.of("beneath", memory);
  if (world.beneath === "none") return undefined;
  if (world.beneath.startsWith("npt")) {
    const l1 = l1Registers(world);
    return beneathNpt({ registers: nptRegisters(l1, l1.cr3), features: world.features }, tables);
  }
  const capabilities = {
    executeOnly: world.executeOnly,
    twoMegabytes: true,
    oneGigabyte: world.features.hasGigabytePages,
  };
  return beneathEpt({ eptp: eptpOf(world), features: world.features, capabilities }, tables);
}

export function playReference(world: World): Played {
  const memory = memoryOf(world);
  const references = new References();
  const beneath = beneathOf(world, memory, references);
  const registers = registersOf(world);
  let pdptrs: Pdptrs = NO_PDPTRS;
  if (world.mode === "pae") pdptrs = loadPdptrs(memory, registers, world.features, beneath) ?? NO_PDPTRS;
  const vcpu = { registers, features: world.features, pdptrs, ...(beneath && { beneath }) };
  const own = references.of("own", memory);
  const answers = world.queries.map((query) => {
    references.all.length = 0;
    const outcome = walk(vcpu, own, addressOf(world.mode, query.indexes, query.offset), accessOf(query));
    return outcomeText(outcome, references.all);
  });
  const arena = new BigUint64Array(ARENA_FRAMES * 512);
  for (const [at, word] of memory.words) arena[Number(at / 8n)] = word;
  const dirtied = memory.dirtied.map(({ slot, page }) => `${slot}:${page}`);
  return { answers, dirtied, arena: new Uint8Array(arena.buffer) };
}
