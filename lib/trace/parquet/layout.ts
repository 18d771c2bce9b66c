/** The columns that gpalias writes, and what a Parquet file begins and ends with. */
import type { SchemaElement } from "hyparquet";

export const MAGIC = "PAR1";

/** Rows of a row group. A reader holds one in memory, and so does the writer. */
export const GROUP_ROWS = 65_536;

const REQUIRED = "REQUIRED";

/** Types that SQL has: addresses are signed 64-bit, as no one has a sign; a rip may be in the upper half. */
export const SCHEMA: SchemaElement[] = [
  { name: "schema", num_children: 8 },
  { name: "time", type: "DOUBLE", repetition_type: REQUIRED },
  { name: "kind", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: REQUIRED },
  { name: "vcpu", type: "INT32", repetition_type: REQUIRED },
  { name: "gpa", type: "INT64", repetition_type: REQUIRED },
  { name: "bytes", type: "INT64", repetition_type: REQUIRED },
  { name: "errorCode", type: "INT64", repetition_type: REQUIRED },
  { name: "access", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: REQUIRED },
  { name: "rip", type: "INT64", converted_type: "UINT_64", repetition_type: REQUIRED },
];
