// The long run: both guests fill up, then take turns until all events are used
// up. Nothing here knows what an address looks like.

import { Wrong } from "./feed.mjs";
import { mib, peakRss, rss, Span } from "./memory.mjs";
import { PlainGuest } from "./plain-guest.mjs";
import { PrivateGuest } from "./private-guest.mjs";
import { expectBooks, expectSound } from "./verdict.mjs";

/** How far what is resident may move once everything is mapped. */
const MOST_GROWTH_MIB = 64;

class Progress {
  phases = [];
  events = 0;
  /** Since everything is mapped; null before. */
  flat = null;
  flatFrom = 0;

  onBatch = () => this.flat?.add(rss());

  onPhase = (phase) => {
    this.phases.push({ ...phase, residentMib: mib(rss()) });
    this.events += phase.events;
  };

  mapped() {
    this.flat = new Span();
    this.flatFrom = this.events;
    this.flat.add(rss());
  }
}

function memoryOf(guest) {
  const { engineBytes, bytes } = guest.vm.tables();
  const { pages } = guest.expected;
  return {
    pages,
    tableMib: mib(engineBytes),
    kvmTableMib: mib(bytes),
    bytesAPage: engineBytes / pages,
    ofKvm: engineBytes / bytes,
  };
}

// Both guests' hits of a round: the private one's are a ninth.
async function turns(shape, progress, plain, private_) {
  for (let round = 0; round < shape.rounds; round++) {
    const left = Math.max(0, shape.events - progress.events);
    const share = Math.floor(left / (shape.rounds - round) / 2);
    await plain.round(round);
    await private_.round(round);
    await private_.hits(Math.floor(share / 8), round);
    await plain.hits(share, round);
  }
}

/**
 * @param hooks `onPhase` for progress, `signal` to stop
 * @returns what was done and what it took; throws `Wrong` where something came out otherwise
 */
export async function runScale(shape, { onBatch, onPhase, signal }) {
  const progress = new Progress();
  const hooks = {
    signal,
    onBatch: (phase) => {
      progress.onBatch();
      onBatch(phase, progress);
    },
    onPhase: (phase) => {
      progress.onPhase(phase);
      onPhase(phase, progress);
    },
  };
  const start = performance.now();
  const guests = { plain: new PlainGuest(shape, hooks), private: new PrivateGuest(shape, hooks) };
  const emptyMib = mib(rss());
  await guests.plain.map();
  await guests.private.map();
  await guests.plain.log();
  progress.mapped();
  await turns(shape, progress, guests.plain, guests.private);
  await guests.plain.finish();
  await guests.plain.hits(Math.max(0, shape.events - progress.events), 3);
  const grownMib = mib(progress.flat.bytes);
  const ranMs = performance.now() - start;
  const audits = {};
  for (const [name, guest] of Object.entries(guests)) {
    expectBooks(name, guest);
    audits[name] = expectSound(name, guest);
  }
  if (grownMib > MOST_GROWTH_MIB)
    throw new Wrong(`memory grew by ${grownMib.toFixed(1)} MiB, once all was mapped`);
  return {
    events: progress.events,
    ranMs,
    auditMs: audits,
    phases: progress.phases,
    memory: {
      emptyMib,
      peakMib: mib(peakRss()),
      flat: {
        fromEvent: progress.flatFrom,
        leastMib: mib(progress.flat.least),
        mostMib: mib(progress.flat.most),
      },
      guests: Object.fromEntries(Object.entries(guests).map(([name, guest]) => [name, memoryOf(guest)])),
    },
  };
}
