/**
 * NDJSON: one JSON object an event, every column under its own name, so that
 * `jq` and a script of three lines can read and write a trace.
 *
 * Exact: addresses are hex strings, as no JSON reader rounds a string; time is
 * the shortest decimal that is the same double.
 */
import type { EventBatch } from "../../columns/event-batch.js";
import { accessWordOf, kindWord } from "../event-words.js";
import { isEventObject, rowOfJson } from "../ndjson-row.js";
import { type EventRow, emptyRow, rowFault, rowOfBatch, writableFault } from "../row-check.js";
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
  suffixes: [".ndjson", ".jsonl"],
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
  const fault = writableFault(rowOfBatch(batch, index, row), index, "ndjson");
  if (fault !== undefined) throw fault;
  const { time, kind, vcpu, gpa, bytes, errorCode } = row;
  const access = accessWordOf(kind, row.access);
  return (
    `{"time":${time},"kind":"${kindWord(kind)}","vcpu":${vcpu},"gpa":"0x${gpa.toString(16)}","bytes":${bytes},` +
    `"errorCode":${errorCode},"access":"${access}","rip":"0x${ripOf(row)}"}\n`
  );
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
