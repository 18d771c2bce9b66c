/** What the addon's audits answer. Part of `addon-types.ts`, which is where to look first. */

/** One thing that a structural rule finds wrong with the state of a VM. */
export interface NativeAuditFinding {
  readonly rule: string;
  /** Id of the known defect behind it, `""` if there is none. */
  readonly defect: string;
  /** One clause, with the values. */
  readonly reason: string;
  /** First gpa, as issued, of the entry or table that it is about; absent, as the next two, where it is about none. */
  readonly gpa?: number;
  readonly level?: number;
  /** 0 direct, 1 private. */
  readonly root?: number;
}

export interface NativeAudit {
  /** Events that the VM had had. */
  readonly events: number;
  /** Findings in all. */
  readonly count: number;
  /** By rule; of each the first hundred. */
  readonly findings: readonly NativeAuditFinding[];
}
