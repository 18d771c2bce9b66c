/** The rights with which KVM maps a page for a shadow page fault. */
import { expect, test } from "vitest";
import { READ, USER, WRITE } from "./reference-walker/access.js";
import { effectiveRights } from "./reference-walker/effective-rights.js";
import { AT_RESET, CR0_WP, CR4_SMEP } from "./reference-walker/registers.js";

const READ_ONLY = { user: true, write: false, execute: true };
const WP_OFF = AT_RESET;
const WP_ON = { ...AT_RESET, cr0: CR0_WP };

test("a supervisor's write without CR0.WP makes a read-only page writable and the supervisor's own", () => {
  expect(effectiveRights(WP_OFF, READ_ONLY, WRITE, true)).toEqual({
    user: false,
    write: true,
    execute: true,
  });
});

test("under SMEP such a page is not executable either", () => {
  const registers = { ...WP_OFF, cr4: CR4_SMEP };
  expect(effectiveRights(registers, READ_ONLY, WRITE, true)).toEqual({
    user: false,
    write: true,
    execute: false,
  });
  const noExecute = { ...READ_ONLY, execute: false };
  expect(effectiveRights(WP_OFF, noExecute, WRITE, true)).toMatchObject({ execute: false });
});

test("a page is mapped as the tables say for a user, a read, with CR0.WP, where W is there, and without a slot", () => {
  const writable = { user: true, write: true, execute: true };
  expect(effectiveRights(WP_OFF, READ_ONLY, WRITE | USER, true)).toEqual(READ_ONLY);
  expect(effectiveRights(WP_OFF, READ_ONLY, READ, true)).toEqual(READ_ONLY);
  expect(effectiveRights(WP_ON, READ_ONLY, WRITE, true)).toEqual(READ_ONLY);
  expect(effectiveRights({ ...WP_OFF, cr4: CR4_SMEP }, writable, WRITE, true)).toEqual(writable);
  expect(effectiveRights(WP_OFF, READ_ONLY, WRITE, false)).toEqual(READ_ONLY);
});
