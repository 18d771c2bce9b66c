/**
 * Events to Parquet: rows gather until a row group is full, which is then
 * encoded and handed on, so that memory is that of one group.
 */
import type { ByteWriter, ColumnSource, ParquetWriter } from "hyparquet-writer";
import type { EventBatch } from "../../columns/event-batch.js";
import { accessWordOf, kindWord } from "../event-words.js";
import { emptyRow, rowOfBatch, writableFault } from "../row-check.js";
import type { BlockEncoder } from "../trace-format.js";
import { GROUP_ROWS, SCHEMA } from "./layout.js";

const WORD = 2 ** 32;

export async function parquetEncoder(): Promise<BlockEncoder> {
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const bytes = new ByteWriter();
  return new ParquetEncoder(
    bytes,
    new ParquetWriter({ writer: bytes, schema: SCHEMA, createdBy: "gpalias" }),
  );
}

/** 64-bit integers that are filled by halves: a bigint a value would cost more than the rest. */
class Longs {
  readonly values = new BigUint64Array(GROUP_ROWS);
  readonly #halves = new Uint32Array(this.values.buffer);

  set(row: number, low: number, high: number): void {
    this.#halves[2 * row] = low;
    this.#halves[2 * row + 1] = high;
  }

  setNumber(row: number, value: number): void {
    this.set(row, value % WORD, Math.floor(value / WORD));
  }
}

class ParquetEncoder implements BlockEncoder {
  readonly #bytes: ByteWriter;
  readonly #writer: ParquetWriter;
  readonly #time = new Float64Array(GROUP_ROWS);
  readonly #vcpu = new Int32Array(GROUP_ROWS);
  readonly #gpa = new Longs();
  readonly #length = new Longs();
  readonly #errorCode = new Longs();
  readonly #rip = new Longs();
  readonly #kind: string[] = [];
  readonly #access: string[] = [];
  readonly #row = emptyRow();
  #rows = 0;

  constructor(bytes: ByteWriter, writer: ParquetWriter) {
    this.#bytes = bytes;
    this.#writer = writer;
  }

  *write(batch: EventBatch): Generator<Uint8Array> {
    for (let index = 0; index < batch.count; index++) {
      this.#add(batch, index);
      if (this.#rows === GROUP_ROWS) yield this.#group();
    }
  }

  *finish(): Generator<Uint8Array> {
    if (this.#rows > 0) yield this.#group();
    this.#writer.finish();
    yield this.#taken();
  }

  #add(batch: EventBatch, index: number): void {
    const row = rowOfBatch(batch, index, this.#row);
    const fault = writableFault(row, index, "parquet");
    if (fault !== undefined) throw fault;
    const at = this.#rows++;
    this.#time[at] = row.time;
    this.#vcpu[at] = row.vcpu;
    this.#gpa.setNumber(at, row.gpa);
    this.#length.setNumber(at, row.bytes);
    this.#errorCode.setNumber(at, row.errorCode);
    this.#rip.set(at, row.ripLow, row.ripHigh);
    this.#kind[at] = kindWord(row.kind) as string;
    this.#access[at] = accessWordOf(row.kind, row.access);
  }

  #group(): Uint8Array {
    const rows = this.#rows;
    this.#rows = 0;
    const longs = ({ values }: Longs) => values.subarray(0, rows);
    const signed = (column: Longs) => new BigInt64Array(column.values.buffer, 0, rows);
    const columnData: ColumnSource[] = [
      { name: "time", data: this.#time.subarray(0, rows), encoding: "PLAIN" },
      { name: "kind", data: this.#kind.slice(0, rows) },
      { name: "vcpu", data: this.#vcpu.subarray(0, rows) },
      { name: "gpa", data: signed(this.#gpa) },
      { name: "bytes", data: signed(this.#length) },
      { name: "errorCode", data: signed(this.#errorCode) },
      { name: "access", data: this.#access.slice(0, rows) },
      { name: "rip", data: longs(this.#rip) },
    ];
    this.#writer.write({ columnData, rowGroupSize: GROUP_ROWS });
    return this.#taken();
  }

  // The writer counts file offsets apart from the place in its buffer, which starts anew.
  #taken(): Uint8Array {
    const taken = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return taken;
  }
}
