/** What a thread of the pool runs: one world, and what there is to say of it. */
import { parentPort, workerData } from "node:worker_threads";
import { loadAddon } from "../native/addon.js";
import { exploring } from "./explore-world.js";
import { NO_NOTEBOOK, notebookIn } from "./notebook.js";
import { plain } from "./plain-error.js";
import type { Said } from "./pool.js";
import type { CheckBound, SmallWorld } from "./world.js";

const say = (said: Said): void => parentPort?.postMessage(said);

const { world, bound, folder } = workerData as { world: SmallWorld; bound: CheckBound; folder?: string };
try {
  const notebook = folder === undefined ? NO_NOTEBOOK : notebookIn(folder, world, bound);
  const slices = exploring(loadAddon(), world, bound, notebook);
  let slice = slices.next();
  for (; !slice.done; slice = slices.next()) say({ is: "progress", coverage: slice.value });
  say({ is: "answer", explored: slice.value });
} catch (error) {
  say({ is: "error", error: plain(error) });
}
