// Runs one trial in this process and prints one line of JSON.
//
//   node bench/trial.mjs NAME [--seconds 2]
//
// What the trial computes is checked before it is timed, and again after.
import { parseArgs } from "node:util";
import { main, Stop } from "../scripts/process.mjs";
import { measure } from "./harness.mjs";
import { allTrials } from "./trials.mjs";

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: "string", default: "2" } },
  });
  const [name] = positionals;
  const trial = (await allTrials()).find((each) => each.name === name);
  if (trial === undefined) throw new Stop(`trial: no trial "${name}"; node bench/run.mjs --list`, 2);
  const { events, run, verify } = await trial.prepare();
  await run();
  await verify();
  const measured = await measure({
    run,
    events,
    isAsync: trial.isAsync,
    seconds: Number(values.seconds),
  });
  await verify();
  process.stdout.write(`${JSON.stringify({ name, ...measured })}\n`);
});
