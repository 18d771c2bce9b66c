/**
 * The metrics there are: every other file of this folder, except the contract.
 *
 * It knows no metric by name.
 */
import { readdir } from "node:fs/promises";
import type { EventBatch } from "../columns/event-batch.js";
import type { OutcomeBatch } from "../columns/outcome-batch.js";
import { RowCounts } from "../columns/row-counts.js";
import type { Metric, MetricFields } from "./metric.js";

const FOLDER = new URL("./", import.meta.url);
const NOT_METRICS = /^(metric|registry)\./;

let found: Promise<readonly Metric[]> | undefined;

/** Every metric, by name. */
export function metrics(): Promise<readonly Metric[]> {
  found ??= readFolder();
  return found;
}

/** All metrics over one replay. */
export interface Tally {
  /** Returns how many rows were events of the trace. */
  add(events: EventBatch, outcomes: OutcomeBatch): number;
  finish(): MetricFields;
}

/** Starts every metric. */
export async function startTally(): Promise<Tally> {
  const running = (await metrics()).map((metric) => ({ metric, state: metric.init() }));
  const counts = new RowCounts();
  return {
    add: (events, outcomes) => {
      for (const { metric, state } of running) metric.add?.(state, events, outcomes);
      return counts.add(events, outcomes);
    },
    finish: () => Object.assign({}, ...running.map(({ metric, state }) => metric.finish(state, counts))),
  };
}

async function readFolder(): Promise<readonly Metric[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.[jt]s$/.test(file));
  const names = files.filter((file) => !NOT_METRICS.test(file)).sort();
  const modules = await Promise.all(names.map((file) => import(new URL(file, FOLDER).href)));
  return modules.map((module) => (module as { default: Metric }).default);
}
