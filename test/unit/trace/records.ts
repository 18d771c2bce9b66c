/** Records of the binary format, written by hand so that tests do not trust the encoder. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { EventBatch } from "../../../lib/index.js";

export interface RawRecord {
  readonly ns?: number;
  readonly gpa?: number;
  readonly rip?: bigint;
  readonly code?: number;
  readonly vcpu?: number;
  readonly flags?: number;
}

export const MARKER = 0x8000;

export function recordBytes(records: readonly RawRecord[]): Buffer {
  const bytes = Buffer.alloc(records.length * 32);
  for (const [index, { ns = 0, gpa = 0, rip = 0n, code = 0, vcpu = 0, flags = 0 }] of records.entries()) {
    const at = index * 32;
    bytes.writeBigUInt64LE(BigInt(ns), at);
    bytes.writeBigUInt64LE(BigInt(gpa), at + 8);
    bytes.writeBigUInt64LE(rip, at + 16);
    bytes.writeUInt32LE(code, at + 24);
    bytes.writeUInt16LE(vcpu, at + 28);
    bytes.writeUInt16LE(flags, at + 30);
  }
  return bytes;
}

/** `count` writes, one page and one microsecond after the other, on two vCPUs. */
export function someRecords(count: number): RawRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    ns: 1000 * (i + 1),
    gpa: 4096 * i + 8,
    rip: 0xffff_ffff_8100_0000n + BigInt(i),
    code: 2,
    vcpu: i % 2,
  }));
}

/** A folder for the files of one test file. */
export function aFolder(): (name: string, content: string | Uint8Array) => string {
  const folder = mkdtempSync(join(tmpdir(), "gpalias-test-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

/** Every row of every batch, as plain values: batches are reused. */
export async function rowsOf(batches: AsyncIterable<EventBatch>): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const batch of batches) {
    for (let row = 0; row < batch.count; row++) {
      const { gpa, bytes, errorCode, vcpu, kind, access, time, ripLow, ripHigh } = batch;
      const columns = [gpa, bytes, errorCode, vcpu, kind, access, time, ripLow, ripHigh];
      rows.push(columns.flatMap((column) => (column === undefined ? [] : [column[row] as number])));
    }
  }
  return rows;
}
