/** Whether a choice of many events still shows the rule: one VM, and column batches through it. */
import { EventBatch } from "../columns/event-batch.js";
import { OutcomeBatch } from "../columns/outcome-batch.js";
import type { Vm } from "../vm.js";
import type { EventRows } from "./event-rows.js";
import { verdictOf } from "./judge.js";
import { startStory } from "./live-story.js";
import { OutOfTime, type Pace } from "./pace.js";
import type { Story, Target } from "./story.js";

const BATCH = 16_384;
/** Below so many events a turn of the loop costs more than they do. */
const WORTH_A_THREAD = 1024;

export class RowProbe {
  readonly #start: Story;
  readonly #rows: EventRows;
  readonly #target: Target;
  readonly #pace: Pace;
  readonly #events = new EventBatch(BATCH);
  readonly #outcomes = new OutcomeBatch(BATCH);

  constructor(start: Story, rows: EventRows, target: Target, pace: Pace) {
    this.#start = start;
    this.#rows = rows;
    this.#target = target;
    this.#pace = pace;
  }

  /** How many of these rows there have to be, from the first on, until the rule fires; 0 if it does not. */
  async firesAfter(chosen: Uint32Array): Promise<number> {
    await this.#pace.beforeProbe();
    let vm: Vm | undefined;
    try {
      vm = startStory(this.#start);
      return await this.#run(vm, chosen);
    } catch (error) {
      if (error instanceof OutOfTime) throw error;
      // What cannot be had or done shows nothing.
      return 0;
    } finally {
      vm?.close();
    }
  }

  async #run(vm: Vm, chosen: Uint32Array): Promise<number> {
    for (let at = 0; at < chosen.length; ) {
      at = this.#rows.fill(this.#events, chosen, at);
      await this.#apply(vm);
      const found = this.#target.byAudit ? undefined : verdictOf(vm, this.#target);
      if (found !== undefined) return found.firstEvent + 1;
      await this.#pace.turn();
    }
    return verdictOf(vm, this.#target) === undefined ? 0 : chosen.length;
  }

  async #apply(vm: Vm): Promise<void> {
    this.#pace.counted(this.#events.count);
    if (this.#events.count < WORTH_A_THREAD) vm.runSync(this.#events, this.#outcomes);
    else await vm.run(this.#events, this.#outcomes);
  }
}
