/** An error that has been through a structured clone is the error that it was. */
import { expect, test } from "vitest";
import { plain, revived } from "../../lib/check/plain-error.js";
import { MmuError } from "../../lib/index.js";

const sent = (error: unknown): Error => revived(structuredClone(plain(error)));

test("a refusal keeps its class, code, errno, values and stack between threads", () => {
  const error = new MmuError("ERR_OUT_OF_MEMORY", "no room", { errno: "ENOMEM", values: { states: 7 } });
  const back = sent(error) as MmuError;
  expect(back).toBeInstanceOf(MmuError);
  const { code, message, errno, values, stack } = back;
  expect({ code, message, errno, values, stack }).toEqual({
    ...{ code: "ERR_OUT_OF_MEMORY", message: "no room", errno: "ENOMEM", values: { states: 7 } },
    stack: error.stack,
  });
});

test("what is no refusal does not become one", () => {
  expect(sent(new TypeError("ours"))).not.toBeInstanceOf(MmuError);
  expect(sent(new TypeError("ours")).message).toBe("ours");
  expect(sent(Object.assign(new Error("a file"), { code: "ENOENT" }))).not.toBeInstanceOf(MmuError);
  expect(sent("a word").message).toBe("a word");
});
