export interface ReferenceTree {
  readonly root: string;
  readonly files: readonly string[];
  readonly scripts: ReadonlySet<string>;
  readonly proofs: readonly string[];
}
export const findBrokenReferences: (tree: ReferenceTree) => string[];
export const findHere: () => string[];
