/** A capture with a few events of another guest planted in its middle, as a file. */
import { readFileSync, writeFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

const RECORD = 32;
const MARKER = 0x8000;

export interface Planted {
  readonly gpa?: bigint;
  /** PFERR bits: 2 a write, 4 a read. */
  readonly code?: number;
  readonly vcpu?: number;
  /** 1 zap all, 2 dirty round. */
  readonly marker?: number;
}

/** Writes the capture, uncompressed, with these records in the middle; returns the number of the first of them. */
export function plant(capture: string, into: string, planted: readonly Planted[]): number {
  const stored = readFileSync(capture);
  const records = brotliDecompressSync(stored);
  const middle = Math.floor(records.length / RECORD / 2);
  const time = records.readBigUInt64LE(middle * RECORD);
  const between = planted.map((each) => recordOf(each, time));
  const [before, after] = [records.subarray(0, middle * RECORD), records.subarray(middle * RECORD)];
  writeFileSync(into, Buffer.concat([before, ...between, after]));
  return middle;
}

function recordOf({ gpa = 0n, code = 0, vcpu = 0, marker = 0 }: Planted, time: bigint): Buffer {
  const record = Buffer.alloc(RECORD);
  record.writeBigUInt64LE(time, 0);
  record.writeBigUInt64LE(gpa, 8);
  record.writeUInt32LE(code, 24);
  record.writeUInt16LE(vcpu, 28);
  record.writeUInt16LE(marker === 0 ? 0 : MARKER + marker, 30);
  return record;
}
