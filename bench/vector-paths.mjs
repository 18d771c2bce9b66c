// The AVX-512 path beside the AVX2 one: each in a process of its own, in turns,
// medians compared. valgrind cannot count the former.
//
//   node bench/vector-paths.mjs
import { fileURLToPath } from "node:url";
import { main, say } from "../scripts/process.mjs";
import { median } from "./stats.mjs";
import { addon, startTurns } from "./turns.mjs";

const PAIRS = 9;
const ROWS = [
  { trial: "hits-plain-1GiB", variable: "GPALIAS_REPLAY_PATH" },
  { trial: "decode-text", variable: "GPALIAS_TRACE_PATH" },
];
/** It may be so much slower, which noise makes of one that is as fast. */
const MOST = 1.15;

async function ratioOf({ trial, variable }) {
  const sides = ["avx512", "avx2"].map((path) => startTurns(trial, { [variable]: path }));
  const samples = sides.map(() => []);
  for (let pair = 0; pair <= PAIRS; pair++) {
    for (const at of pair % 2 === 0 ? [0, 1] : [1, 0]) {
      const ns = await sides[at].ask("turn");
      if (pair > 0) samples[at].push(ns);
    }
  }
  for (const side of sides) side.stop();
  const [wide, narrow] = samples.map(median);
  return { wide, narrow, ratio: wide / narrow };
}

/** Prints the ratios. Sentences about paths that are slower than they may be; none if none is. */
export async function compareVectorPaths() {
  if ((await addon()).build().avx512 !== true) {
    say("vector paths: SKIPPED, this processor has no AVX-512");
    return [];
  }
  const slow = [];
  for (const row of ROWS) {
    const { wide, narrow, ratio } = await ratioOf(row);
    const figures = `${wide.toFixed(2)} ns by AVX-512, ${narrow.toFixed(2)} by AVX2`;
    process.stdout.write(`${row.trial.padEnd(24)}${ratio.toFixed(2).padStart(8)} (${figures})\n`);
    if (ratio > MOST) slow.push(`${row.trial}: AVX-512 takes ${ratio.toFixed(2)} times as long as AVX2`);
  }
  return slow;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const slow = await compareVectorPaths();
    for (const sentence of slow) say(`vector paths: ${sentence}`);
    return slow.length === 0 ? 0 : 1;
  });
}
