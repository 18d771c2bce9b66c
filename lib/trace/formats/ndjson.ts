/**
 * NDJSON: one JSON object an event, every column under its own name, so that
 * `jq` and a script of three lines can read and write a trace.
 *
 * Exact: addresses are hex strings, as no JSON reader rounds a string; time is
 * the shortest decimal that is the same double.
 */
import type { EventBatch } from "../../columns/event-batch.js";
import { MmuError } from "../../errors.js";
import { accessWordOf, kindWord } from "../event-words.js";
import { isEventObject, rowOfJson } from "../ndjson-row.js";
import { type EventRow, emptyRow, rowFault } from "../row-check.js";
import { defineTraceFormat, type TraceEncoder, type TraceSink } from "../trace-format.js";

/** An event takes some 150 bytes. What goes on for longer than this is no line of ours. */
const MAX_LINE_BYTES = 65_536;
/** More than the longest line that is written: 300 bytes. */
const MAX_WRITTEN_BYTES = 512;
const NEWLINE = 10;

const encoder = (): TraceEncoder => {
  const row = emptyRow();
  return {
    maxBytes: MAX_WRITTEN_BYTES,
    begin: (_out, at) => at,
    write: (batch, index, out, at) => at + out.write(lineOf(batch, index, row), at, "latin1"),
  };
};

export default defineTraceFormat<EventRow>({
  name: "ndjson",
  summary: "one JSON object an event, for jq and scripts",
  hasOperations: true,
  detect: (head) => isEventObject(firstLine(bytesOf(head)).trim()),
  open: emptyRow,
  decode: (chunk, sink, row) => decodeLines(bytesOf(chunk), sink, row),
  // An object that is closed is whole, newline or not.
  end: (chunk, sink, row) => {
    const bytes = bytesOf(chunk);
    addLine(bytes, 0, bytes.length, sink, row);
    return bytes.length;
  },
  encoder,
});

function decodeLines(bytes: Buffer, sink: TraceSink, row: EventRow): number {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    addLine(bytes, start, end, sink, row);
    start = end + 1;
  }
  if (bytes.length - start > MAX_LINE_BYTES) sink.fail(start, `a line of at most ${MAX_LINE_BYTES} bytes`);
  return start;
}

function addLine(bytes: Buffer, start: number, end: number, sink: TraceSink, row: EventRow): void {
  if (end - start > MAX_LINE_BYTES) sink.fail(start, `a line of at most ${MAX_LINE_BYTES} bytes`);
  const line = bytes.toString("utf8", start, end).trim();
  if (line === "") return;
  const fault = rowOfJson(line, row) ?? rowFault(row);
  if (fault !== undefined) sink.fail(start, fault);
  sink.row(row);
}

function lineOf(batch: EventBatch, index: number, row: EventRow): string {
  rowOfBatch(batch, index, row);
  const kind = kindWord(row.kind);
  const fault = kind === undefined ? "a known kind of event" : rowFault(row);
  if (fault !== undefined) {
    const message = `the ndjson format has no object for event ${index} of the batch: expected ${fault}`;
    throw new MmuError("ERR_TRACE", message, { values: { row: index, kind: row.kind } });
  }
  const { time, vcpu, gpa, bytes, errorCode } = row;
  const access = accessWordOf(row.kind, row.access);
  return (
    `{"time":${time},"kind":"${kind}","vcpu":${vcpu},"gpa":"0x${gpa.toString(16)}","bytes":${bytes},` +
    `"errorCode":${errorCode},"access":"${access}","rip":"0x${ripOf(row)}"}\n`
  );
}

function rowOfBatch(batch: EventBatch, index: number, row: EventRow): void {
  row.time = batch.time?.[index] ?? 0;
  row.kind = batch.kind[index] as number;
  row.vcpu = batch.vcpu[index] as number;
  row.gpa = batch.gpa[index] as number;
  row.bytes = batch.bytes[index] as number;
  row.errorCode = batch.errorCode[index] as number;
  row.access = batch.access[index] as number;
  row.ripLow = batch.ripLow?.[index] ?? 0;
  row.ripHigh = batch.ripHigh?.[index] ?? 0;
}

function ripOf({ ripLow, ripHigh }: EventRow): string {
  const low = ripLow.toString(16);
  return ripHigh === 0 ? low : ripHigh.toString(16) + low.padStart(8, "0");
}

function firstLine(head: Buffer): string {
  const end = head.indexOf(NEWLINE);
  return head.toString("utf8", 0, Math.min(end < 0 ? head.length : end, MAX_LINE_BYTES));
}

function bytesOf(view: DataView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
