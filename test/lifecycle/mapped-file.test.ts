import { beforeAll, describe, expect, test } from "vitest";
import { type Refusal, reportOf } from "./run-fixture.js";

interface Shrunk {
  decode: Refusal;
  head: string;
  closed: string;
  empty: [number, number];
  missing: Refusal;
  directory: Refusal;
}

describe("a mapped file", () => {
  let seen: Shrunk;
  beforeAll(async () => {
    seen = await reportOf<Shrunk>("shrunk-file");
  });

  test("that shrank after it was opened is ERR_IO with both sizes, not SIGBUS", () => {
    expect(seen.decode).toMatchObject({ code: "ERR_IO", values: { mapped: 32768, bytes: 100 } });
    expect(seen.decode.message).toMatch(/has shrunk from 32768 to 100 bytes, '.*trace'$/);
    expect(seen.head).toBe("ERR_IO");
  });

  test("that cannot be opened is ERR_IO with the errno's name and the path", () => {
    expect(seen.missing).toMatchObject({ code: "ERR_IO" });
    expect(seen.missing.message).toMatch(/^ENOENT: .*'.*missing'$/);
    expect(seen.directory.message).toMatch(/^EISDIR: /);
  });

  test("that is closed refuses to be read", () => {
    expect(seen.closed).toBe("ERR_IO");
  });

  test("may be empty", () => {
    expect(seen.empty).toEqual([0, 0]);
  });
});
