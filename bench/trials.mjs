// Every trial of the JavaScript side, read from the folder beside this file.
//
// A trial is data:
//   name      what it is called on the command line
//   what      one sentence for a reader
//   beside    name of the trial that it is divided by, if any
//   isAsync   whether `run` returns a promise
//   prepare   makes { events, run, verify }; `run` handles `events` events,
//             `verify` throws if what came of them is wrong
import { readdirSync } from "node:fs";

const folder = new URL("trials/", import.meta.url);

export async function allTrials() {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".mjs"))
    .sort();
  const lists = await Promise.all(files.map((name) => import(new URL(name, folder).href)));
  return lists.flatMap((list) => list.default);
}
