/**
 * What a GPA alias strategy decides, one row each. Everything else in the
 * model asks here and holds no opinion.
 */

export interface AliasPolicy {
  /** The frame that memslots, dirty logs and reports speak of. */
  canonical(issued: number): number;
  /** The frame whose entries hardware reads for an access to `issued`. */
  hardwareFrame(issued: number): number;
  /** The frame under which KVM's side looks for, and puts, the entry. */
  kvmFrame(issued: number): number;
  /** Whether a memslot may not end on this frame. */
  refusesSlotEnd(lastFrame: number): boolean;
}

const itself = (frame: number): number => frame;

export const policies: Readonly<Record<string, AliasPolicy>> = {
  // No bit of an address is an alias bit.
  none: { canonical: itself, hardwareFrame: itself, kvmFrame: itself, refusesSlotEnd: () => false },
};

export function policyNamed(name: string): AliasPolicy {
  const policy = policies[name];
  if (policy === undefined) throw new Error(`no policy named ${name}`);
  return policy;
}
