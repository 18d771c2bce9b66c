// The result of a long run for a person.

const whole = (value) => Math.round(value).toLocaleString("en-US");
const ns = (ms, events) => ((ms * 1e6) / events).toFixed(1);

// Phases of one name are one row: the rounds repeat them.
function rowsOf(phases) {
  const rows = new Map();
  for (const phase of phases) {
    const key = `${phase.guest}: ${phase.name}`;
    const row = rows.get(key) ?? { key, events: 0, sptesChanged: 0, makeMs: 0, runMs: 0, judgeMs: 0 };
    for (const field of ["events", "sptesChanged", "makeMs", "runMs", "judgeMs"]) row[field] += phase[field];
    rows.set(key, row);
  }
  return [...rows.values()];
}

function phaseTable(phases) {
  const head = ["phase", "events", "entries changed", "ns an event", "ns an entry"];
  const body = rowsOf(phases).map(({ key, events, sptesChanged, runMs }) => [
    key,
    whole(events),
    whole(sptesChanged),
    ns(runMs, events),
    sptesChanged > 0 ? ns(runMs, sptesChanged) : "",
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column].length)));
  const padded = (row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ");
  return [head, ...body].map((row) => `${padded(row).trimEnd()}\n`).join("");
}

const total = (phases, field) => phases.reduce((sum, phase) => sum + phase[field], 0);

function guestLine([name, { pages, tableMib, bytesAPage, ofKvm }]) {
  return `${name}: ${whole(pages)} pages, tables of ${whole(tableMib)} MiB, ${bytesAPage.toFixed(2)} bytes a page, ${ofKvm.toFixed(3)} of KVM's\n`;
}

export function scaleText({ events, ranMs, auditMs, phases, memory }) {
  const { emptyMib, peakMib, flat, guests } = memory;
  const [make, run, judge] = ["makeMs", "runMs", "judgeMs"].map((field) => ns(total(phases, field), events));
  return [
    phaseTable(phases),
    `\n${whole(events)} events in ${(ranMs / 1000).toFixed(1)} s; ns an event: ${run} in the engine, ${make} to make it, ${judge} to judge it\n`,
    ...Object.entries(guests).map(guestLine),
    `resident: ${whole(emptyMib)} MiB at first, ${whole(peakMib)} MiB at most; `,
    `over the last ${whole(events - flat.fromEvent)} events between ${whole(flat.leastMib)} and ${whole(flat.mostMib)} MiB\n`,
    `audits, which found nothing: ${Object.values(auditMs)
      .map((ms) => `${(ms / 1000).toFixed(1)} s`)
      .join(", ")}\n`,
  ].join("");
}
