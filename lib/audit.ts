/** What an audit of a VM has to say. */
import type { NativeAudit, NativeAuditFinding } from "./native/addon-types.js";

/** One thing that a structural rule finds wrong: which rule, why, and where if it is about one entry or table. */
export type AuditFinding = NativeAuditFinding;

/** What an audit found: how much in all, and of each rule the first hundred. */
export type Audit = NativeAudit;
