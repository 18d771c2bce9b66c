/** An answer as a kernel would word it: "0" and what was read, or the errno's name. */

const DONE = "0";

/** @throws whatever `act` throws that is no refusal of KVM's */
export function outcomeOf(act: () => unknown): readonly [outcome: string, value?: unknown] {
  try {
    const value = act();
    return value === undefined ? [DONE] : [DONE, value];
  } catch (error) {
    const errno = error instanceof Error && "errno" in error ? error.errno : "";
    if (typeof errno === "string" && errno !== "") return [errno];
    throw error;
  }
}
