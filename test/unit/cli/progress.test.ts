import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { startProgress, withProgress } from "../../../lib/cli/progress.js";
import type { Terminal } from "../../../lib/cli/terminal.js";
import { rejectionOf } from "../thrown.js";

const HIDE_CURSOR = "\u001b[?25l";
const CLEAR_LINE = "\u001b[2K";
const SHOW_CURSOR = "\u001b[?25h";

/** A terminal's stderr as far as a progress line uses it, and all that was written to it. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = 80;
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function terminal(interactive: boolean): Terminal {
  return { columns: 80, color: false, interactive, print: async () => {}, say: () => {} };
}

test("on a terminal the line has label, share and events, and is gone afterwards", async () => {
  const stream = new Screen();
  const progress = await startProgress(terminal(true), "replay", { patience: 0, stream });
  progress.update(65_536, 0.256);
  expect(stream.text).toContain(HIDE_CURSOR);
  expect(stream.text).toMatch(/replay \[#{8}\.{22}\] 25% {2}65,536 events/);
  progress.stop();
  const { text } = stream;
  expect(text.indexOf(SHOW_CURSOR)).toBeGreaterThan(text.indexOf("65,536"));
  expect(text.endsWith(CLEAR_LINE)).toBe(true);
});

test("a trace of unknown size shows its count and an empty bar", async () => {
  const stream = new Screen();
  const progress = await startProgress(terminal(true), "replay", { patience: 0, stream });
  progress.update(1000, undefined);
  progress.stop();
  expect(stream.text).toMatch(/\[\.{30}\] 0% {2}1,000 events/);
});

test("a bar is never full before the end", async () => {
  const stream = new Screen();
  const progress = await startProgress(terminal(true), "replay", { patience: 0, stream });
  progress.update(7, 1);
  progress.stop();
  expect(stream.text).toContain("99%");
});

test("a second stop writes nothing", async () => {
  const stream = new Screen();
  const progress = await startProgress(terminal(true), "replay", { patience: 0, stream });
  progress.update(7, 0.5);
  progress.stop();
  const { text } = stream;
  progress.stop();
  expect(stream.text).toBe(text);
});

test.each([
  ["while patience lasts", true, { patience: 60_000 }],
  ["when told to be quiet", true, { patience: 0, quiet: true }],
  ["where stderr is no terminal", false, { patience: 0 }],
])("nothing is written %s", async (_, interactive, options) => {
  const stream = new Screen();
  const progress = await startProgress(terminal(interactive), "replay", { ...options, stream });
  progress.update(1000, 0.5);
  progress.stop();
  expect(stream.text).toBe("");
});

test("work that fails passes its error on", async () => {
  const work = withProgress(terminal(false), "replay", false, async () => {
    throw new Error("no more");
  });
  expect((await rejectionOf(work)).message).toBe("no more");
});
