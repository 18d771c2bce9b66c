/**
 * Checks of arguments, and the sentences of those that fail.
 *
 * Each sentence names the option, what was expected and what came. It must
 * not know any option.
 */

/** A mistake in an argument: `TypeError` or `RangeError` with a code. */
export interface ConfigError extends Error {
  readonly code: "ERR_CONFIG";
}

/** The wrong type: `vcpus must be an integer, got "4"`. */
export function wrongType(option: string, expected: string, value: unknown): TypeError & ConfigError {
  const error = new TypeError(`${option} must be ${expected}, got ${show(value)}`);
  return Object.assign(error, { code: "ERR_CONFIG" as const });
}

/** The right type and a value that cannot be: `vcpus must be from 1 to 65536, got 0`. */
export function outOfRange(option: string, expected: string, value: unknown): RangeError & ConfigError {
  const error = new RangeError(`${option} must be ${expected}, got ${show(value)}`);
  return Object.assign(error, { code: "ERR_CONFIG" as const });
}

/** A key that does not exist: the sentence is the caller's. */
export function unknownKey(sentence: string): TypeError & ConfigError {
  return Object.assign(new TypeError(sentence), { code: "ERR_CONFIG" as const });
}

/** Returns `value` if it is an integer in [min, max]; throws a sentence if not. */
export function expectInteger(option: string, value: unknown, min: number, max: number): number {
  const expected = `an integer from ${min} to ${max}`;
  if (typeof value !== "number") throw wrongType(option, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(option, expected, value);
  return value;
}

/** A value as a reader would type it; long ones are cut. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const text = safeJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Throws unless `value` is an object with only these keys; suggests the nearest one. */
export function expectKeys(option: string, value: unknown, keys: readonly string[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongType(option, "an object", value);
  }
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue;
    const near = nearest(key, keys);
    const hint = near === undefined ? `the keys are ${keys.join(", ")}` : `did you mean ${near}?`;
    throw unknownKey(`${option} has no key ${show(key)}; ${hint}`);
  }
}

/** Returns `value` if it is one of `names`; throws a sentence that lists them if not. */
export function expectOneOf<Name extends string>(
  option: string,
  value: unknown,
  names: readonly Name[],
): Name {
  if (typeof value !== "string") throw wrongType(option, "a string", value);
  if ((names as readonly string[]).includes(value)) return value as Name;
  const near = nearest(value, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  const expected = names.length === 1 ? show(names[0]) : `one of ${names.map(show).join(", ")}`;
  throw outOfRange(option, `${expected}${hint}`, value);
}

/** The name that differs in the fewest letters, if it is near enough to be meant. */
export function nearest<Name extends string>(word: string, names: readonly Name[]): Name | undefined {
  let best: Name | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

// Levenshtein, one row at a time; two letters that changed places count once.
function editDistance(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (above[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    [above, row] = [row, next];
  }
  return row[b.length] as number;
}

function safeJson(value: object): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
