/** What is no vector, and checks of what may stand in one. */

/** Its message says what was expected. */
export class Malformed extends Error {}

/** What one argument of an operation may be. */
export type Check = (value: unknown) => boolean;

const U32 = 2 ** 32;
export const u32: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < U32;
export const flag: Check = (value) => value === 0 || value === 1;
/** In hex: plain numbers hold no 64 bits. */
export const u64: Check = (value) => typeof value === "string" && /^0x[0-9a-f]{1,16}$/.test(value);
export const u32InHex: Check = (value) => typeof value === "string" && /^0x[0-9a-f]{1,8}$/.test(value);
export const integer: Check = Number.isInteger;
