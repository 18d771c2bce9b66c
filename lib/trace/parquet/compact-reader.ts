/**
 * Thrift's compact protocol, which Parquet writes its footer and page headers
 * in, read with every length held against the bytes that are there.
 *
 * It stands in front of the Parquet library, which allocates what a file
 * claims. Integers and nested structs are kept, all else is passed over.
 */

/** The integers of a struct by field number, and its structs. */
export type Fields = ReadonlyMap<number, number | Fields>;

/** The bytes are not what they should be. */
export class Malformed extends Error {}

const [TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12];
/** Parquet nests six deep. */
const MAX_DEPTH = 16;
const LONG_LIST = 15;
const MAX_VARINT_BYTES = 10;

export class CompactReader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  byte(): number {
    const value = this.#bytes[this.at++];
    if (value === undefined) throw new Malformed("a structure that does not end early");
    return value;
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new Malformed("a length within what is left");
    this.at += bytes;
  }

  /** Unsigned; inexact beyond 2^53, where every check of a length fails anyway. */
  varint(): number {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new Malformed("a number of at most 64 bits");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  struct(depth = 0): Fields {
    if (depth > MAX_DEPTH) throw new Malformed(`structures at most ${MAX_DEPTH} deep`);
    const fields = new Map<number, number | Fields>();
    let field = 0;
    for (let head = this.byte(); head % 16 !== 0; head = this.byte()) {
      field = head < 16 ? this.zigzag() : field + (head >> 4);
      const value = this.#value(head % 16, depth);
      if (value !== undefined) fields.set(field, value);
    }
    return fields;
  }

  #value(type: number, depth: number): number | Fields | undefined {
    if (type === TRUE || type === FALSE) return undefined;
    if (type === BYTE) return this.byte();
    if (type === I16 || type === I32 || type === I64) return this.zigzag();
    if (type === STRUCT) return this.struct(depth + 1);
    if (type === DOUBLE) this.skip(8);
    else if (type === BINARY) this.skip(this.varint());
    else if (type === LIST) this.#list(depth + 1);
    else throw new Malformed("a known type of field");
    return undefined;
  }

  // An element takes a byte at least, so a list cannot claim more than is left.
  #list(depth: number): void {
    if (depth > MAX_DEPTH) throw new Malformed(`structures at most ${MAX_DEPTH} deep`);
    const head = this.byte();
    const size = head >> 4 === LONG_LIST ? this.varint() : head >> 4;
    if (size > this.left) throw new Malformed("a list within what is left");
    const type = head % 16;
    for (let index = 0; index < size; index++) {
      if (type === TRUE || type === FALSE) this.byte();
      else this.#value(type, depth);
    }
  }
}
