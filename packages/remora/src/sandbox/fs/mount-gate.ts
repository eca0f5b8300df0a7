/**
 * The gate for the paths of one mount. A guest path is decided on by the grants; which mount it is had through is decided
 * here, and anew when something was taken: by a grant for the mount or for something in it, and not where another mount
 * is open inside of it.
 */

import { type CapabilityName, type Decision, targetKinds } from "../../policy/index.ts";
import type { Gate } from "../gate.ts";
import { FsError } from "./errno.ts";
import type { Volume } from "./volume.ts";

const { covers, folded = (path: string) => path } = targetKinds.folder;

/** A folder that a guest finds open when it starts. */
export interface Mount {
  /** As the guest sees it: "/" for its own, "/maps" for a granted one. */
  readonly guestPath: string;
  readonly volume: Volume;
  /** The plugin's own root, under `fs.private`; others are decided by `fs.read` and `fs.write`. */
  readonly isPrivate: boolean;
  /** Guest paths below this one that are mounts of other folders: while they are granted, this one's are hidden there. */
  readonly inner: readonly string[];
}

export type Access = "read" | "write";

/** What is granted of a mount now. */
interface Granted {
  readonly narrowings: number;
  /** Granted paths that are the mount's, or in what it has. */
  readonly paths: readonly string[];
  /** Granted paths in it that are other mounts', or in those; in the spelling that whoever hides compares. */
  readonly hidden: readonly string[];
}

export class MountGate {
  readonly mount: Mount;
  readonly #gate: Gate;
  #granted: Granted | undefined;

  constructor(mount: Mount, gate: Gate) {
    this.mount = mount;
    this.#gate = gate;
  }

  /** How often something was taken: whoever holds a handle can tell by it that it has to ask again. */
  get narrowings(): number {
    return this.#gate.narrowings;
  }

  /** Whether there is anything in here that is granted: whether a guest that starts now finds it. */
  get isOpen(): boolean {
    return this.mount.isPrivate ? this.#gate.has("fs.private") : this.#now().paths.length > 0;
  }

  /** Whether anything in here may be changed at all; each change passes the gate nevertheless. */
  get canChange(): boolean {
    return this.mount.isPrivate || this.#gate.has("fs.write");
  }

  /**
   * Passes the gate for a path, or throws the errno of a refusal.
   *
   * @param below Its names below the mount, links resolved, joined by "/"; empty for the mount itself.
   */
  pass(access: Access, below: string): void {
    const { capability, path } = this.#asked(access, below);
    this.#gate.act(capability, path, nothing, capability === "fs.write" ? refuseWriting : refuseAccess);
  }

  /** The same for whoever holds what passed once, when something was taken: it is no passage of its own. */
  checkStill(access: Access, below: string): void {
    const { capability, path } = this.#asked(access, below);
    if (!this.#gate.mayGoOn(capability, path))
      throw new FsError(capability === "fs.write" ? "rofs" : "acces");
  }

  /** Whoever has opened a folder may use it as long as something in it, or all around it, is granted. */
  checkLeads(below: string): void {
    const { isPrivate } = this.mount;
    const path = this.#guestPath(below);
    if (!isPrivate && this.#now().paths.some((granted) => covers(granted, path) || covers(path, granted)))
      return;
    this.checkStill("read", below);
  }

  /** What a folder itself tells, without what is in it, whoever may do anything with it may know. */
  checkAny(below: string): void {
    const { isPrivate } = this.mount;
    if (!isPrivate && this.#isHadHere(this.#guestPath(below))) return;
    this.checkStill("read", below);
  }

  /**
   * What is denied or hidden is not walked through either: whether the way goes on there would tell what is in it. Whoever may
   * write to what is denied can tell that anyway.
   *
   * @returns Undefined where there is nothing of the kind.
   */
  get passing(): ((below: string) => void) | undefined {
    const { isPrivate, inner } = this.mount;
    const hasDenials = this.#gate.hasDenials("fs.read");
    if (isPrivate || (inner.length === 0 && !hasDenials)) return undefined;
    return (below) => {
      const path = this.#guestPath(below);
      const isForbidden =
        hasDenials && this.#gate.forbids("fs.read", path) && !this.#gate.gives("fs.write", path);
      if (isForbidden || this.#isHidden(path)) this.pass("read", below);
    };
  }

  /**
   * What is moved, or gets a second name, is from then on what the rules of the new place say, and all that is in it. Between
   * places with different rules it would be a way around them: they are as far from each other as two file systems.
   */
  checkSameRules(from: string, to: string): void {
    if (this.mount.isPrivate) return;
    const [source, destination] = [this.#guestPath(from), this.#guestPath(to)];
    const areSame = (["fs.read", "fs.write"] as const).every((capability) =>
      this.#gate.decidesAlike(capability, source, destination),
    );
    if (areSame) return;
    this.#gate.refuse("fs.write", destination, `other rules hold for ${source}`);
    throw new FsError("xdev");
  }

  /** Writes down that a path was refused that leads out of the mount. */
  refuseOutside(path: string): void {
    const capability = this.mount.isPrivate ? "fs.private" : "fs.read";
    this.#gate.refuse(capability, `${this.mount.guestPath}: ${path}`, "leads outside its folder");
  }

  /** What the gate is asked for, where this mount has the path at all. */
  #asked(access: Access, below: string): { readonly capability: CapabilityName; readonly path?: string } {
    if (this.mount.isPrivate) return { capability: "fs.private" };
    const path = this.#guestPath(below);
    const capability = access === "read" ? "fs.read" : "fs.write";
    if (this.#isHidden(path)) this.#refuse(capability, path, "another folder is open there");
    if (!this.#isHadHere(path)) this.#refuse(capability, path, "what was open there was taken");
    return { capability, path };
  }

  #isHadHere(path: string): boolean {
    return this.#now().paths.some((granted) => covers(granted, path));
  }

  #isHidden(path: string): boolean {
    const { hidden } = this.#now();
    if (hidden.length === 0) return false;
    const asked = folded(path);
    return hidden.some((granted) => covers(granted, asked));
  }

  #refuse(capability: CapabilityName, path: string, rule: string): never {
    this.#gate.refuse(capability, path, rule);
    throw new FsError("acces");
  }

  #now(): Granted {
    const { narrowings } = this.#gate;
    if (this.#granted?.narrowings === narrowings) return this.#granted;
    const { guestPath, inner } = this.mount;
    const named = [...this.#gate.named("fs.read"), ...this.#gate.named("fs.write")];
    const all = named.filter((granted) => covers(guestPath, granted));
    const isInner = (granted: string): boolean =>
      inner.some((other) => covers(folded(other), folded(granted)));
    const paths = all.filter((granted) => !isInner(granted));
    this.#granted = { narrowings, paths, hidden: all.filter(isInner).map(folded) };
    return this.#granted;
  }

  /** As the guest sees it, for the gate. */
  #guestPath(below: string): string {
    const { guestPath } = this.mount;
    if (below === "") return guestPath;
    return `${guestPath === "/" ? "" : guestPath}/${below}`;
  }
}

function nothing(): void {}

function refuseAccess(_denial: Decision): never {
  throw new FsError("acces");
}

function refuseWriting(_denial: Decision): never {
  throw new FsError("rofs");
}
