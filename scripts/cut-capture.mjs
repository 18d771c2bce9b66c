// The front of a capture as a capture of its own, with a .json in which every
// figure is that of the cut.
//
//   node scripts/cut-capture.mjs ../shared/traces/storm-q35-2c-1g.faults.bin.br 200000 examples/storm-head-q35-2c-1g
//
// writes NAME.faults.bin.br and NAME.json. What the .json says of the machine
// is kept, counts are made anew, and everything else is left out, because it
// would speak of the whole run.
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, createBrotliDecompress } from "node:zlib";
import { countsOf, RECORD_BYTES } from "./capture-counts.mjs";
import { main, Stop, say } from "./process.mjs";

const SUFFIX = ".faults.bin.br";
/** Captures are packed like this; a window of 2^24 bytes holds 524,288 records. */
const BROTLI = {
  [constants.BROTLI_PARAM_QUALITY]: 11,
  [constants.BROTLI_PARAM_LGWIN]: 24,
};
/** Keys of a capture's .json that are true of any part of it. */
const OF_THE_MACHINE = [
  "params",
  "guest_kernel",
  "guest_cmdline",
  "e820",
  "swiotlb",
  "memslots",
  "mmio_ranges",
  "bounce_range",
];

await main(async () => {
  const { capture, records, name } = asked();
  const { raw, isWhole } = await firstBytes(capture, records * RECORD_BYTES);
  if (raw.length < records * RECORD_BYTES) {
    throw new Stop(`cut-capture: ${capture} has only ${Math.floor(raw.length / RECORD_BYTES)} records`, 3);
  }
  const packed = brotliCompressSync(raw, {
    params: { ...BROTLI, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
  });
  const json = { ...described(capture, name, raw, isWhole), bytes_br: packed.length };
  writeFileSync(`${name}${SUFFIX}`, packed);
  writeFileSync(`${name}.json`, `${JSON.stringify(json, null, 1)}\n`);
  say(`${name}${SUFFIX}: ${records} records, ${packed.length} bytes`);
});

function asked() {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [capture, count, name] = positionals;
  const records = Number(count);
  if (positionals.length !== 3 || !capture.endsWith(SUFFIX) || !(Number.isInteger(records) && records > 0)) {
    throw new Stop(`cut-capture: expected CAPTURE${SUFFIX}, a number of records, and the new NAME`, 2);
  }
  return { capture, records, name };
}

/** At most `bytes` from the front, and whether that is all there is. */
async function firstBytes(capture, bytes) {
  const parts = [];
  let length = 0;
  for await (const chunk of createReadStream(capture).pipe(createBrotliDecompress())) {
    parts.push(chunk);
    length += chunk.length;
    if (length > bytes) break;
  }
  return { raw: Buffer.concat(parts).subarray(0, bytes), isWhole: length <= bytes };
}

function described(capture, name, raw, isWhole) {
  const whole = JSON.parse(readFileSync(capture.replace(SUFFIX, ".json"), "utf8"));
  const machine = OF_THE_MACHINE.filter((key) => key in whole).map((key) => [key, whole[key]]);
  return {
    name: basename(name),
    ...(!isWhole && { cut_from: { file: whole.file, records: whole.records, sha256_raw: whole.sha256_raw } }),
    ...Object.fromEntries(machine),
    ...countsOf(raw),
    sha256_raw: createHash("sha256").update(raw).digest("hex"),
    file: `${basename(name)}${SUFFIX}`,
    bytes_raw: raw.length,
  };
}
