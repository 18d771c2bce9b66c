/** One scenario, engine against model, and the report of where they part. */
import { scenarioText } from "../../support/scenario-text.js";
import type { Scenario } from "../../support/sequence.js";
import { inBatches, type Mismatch, stepByStep } from "./players.js";
import { type Answer, transcribe } from "./transcript.js";

const SHOWN_LINES = 10;

/** Throws unless the engine, asked either way, answers all that the model does. */
export function agree(scenario: Scenario): void {
  const { exchanges } = transcribe(scenario);
  const mismatch = stepByStep(scenario.config, exchanges) ?? inBatches(scenario.config, exchanges);
  if (mismatch !== undefined) throw new Error(report(scenario, mismatch));
}

function report(scenario: Scenario, { player, exchange, got }: Mismatch): string {
  const { request, answer, step } = exchange;
  const where = step === undefined ? "before step 0" : `at step ${step}`;
  return [
    `engine, ${player}, and model differ ${where}: ${JSON.stringify(request)}`,
    ...difference(answer, got),
    scenarioText(scenario),
  ].join("\n");
}

function difference(expected: Answer, got: Answer): string[] {
  if (typeof expected === "string" || typeof got === "string")
    return [`model:  ${expected}`, `engine: ${got}`];
  const [inModel, inEngine] = [new Set(expected), new Set(got)];
  return [
    ...expected
      .filter((line) => !inEngine.has(line))
      .slice(0, SHOWN_LINES)
      .map((line) => `model:  ${line}`),
    ...got
      .filter((line) => !inModel.has(line))
      .slice(0, SHOWN_LINES)
      .map((line) => `engine: ${line}`),
  ];
}
