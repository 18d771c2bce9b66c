// Rows of a benchmark as a table for a person.
import Table from "cli-table3";

const PLAIN = {
  chars: Object.fromEntries(
    "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
      .split(" ")
      .map((name) => [name, ""]),
  ),
  style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
};

const figure = (value) => (value == null ? "" : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0));

/** `nsPerEvent`, what it is compared with, and the ratio. */
export function trialTable(rows) {
  const table = new Table({
    ...PLAIN,
    head: ["trial", "ns/event", "beside", "ratio"],
    colAligns: ["left", "right", "right", "right"],
  });
  for (const { name, nsPerEvent, floorNsPerEvent, ratio } of rows) {
    table.push([name, figure(nsPerEvent), figure(floorNsPerEvent), figure(ratio)]);
  }
  return `${table}\n`;
}
