/**
 * Apache Parquet: the columns of a trace for DuckDB, pandas and the like.
 *
 * Its index is at the end, so it is read by ranges of a file. The libraries
 * are loaded when a Parquet file is first read or written.
 */
import { MAGIC } from "../parquet/layout.js";
import { parquetEncoder } from "../parquet/parquet-encoder.js";
import { readParquet } from "../parquet/read-parquet.js";
import { defineTraceFormat } from "../trace-format.js";

export default defineTraceFormat({
  name: "parquet",
  summary: "Apache Parquet, a column a field, for SQL and data frames",
  suffixes: [".parquet"],
  hasOperations: true,
  ranged: true,
  detect: (head) =>
    head.byteLength >= MAGIC.length &&
    [...MAGIC].every((letter, at) => head.getUint8(at) === letter.charCodeAt(0)),
  read: readParquet,
  blockEncoder: parquetEncoder,
});
