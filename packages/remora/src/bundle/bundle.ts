/** A plugin's bundle: packed from files, opened from bytes, and read file by file without being unpacked to disk. */

import { nearNames } from "../base/index.ts";
import type { Vocabulary } from "../policy/index.ts";
import { artifactNames, checkArtifact, type NamesOfArtifact } from "./artifact-names.ts";
import { type ArtifactNames, capabilityUses, type KnownUses } from "./capability-use.ts";
import {
  type BundleEntry,
  type BundleSignature,
  type Container,
  readContainer,
  writeContainer,
} from "./container.ts";
import { beginning, bundleErrors } from "./errors.ts";
import {
  type BundleLimits,
  defaultBundleLimits,
  iconBytesMax,
  manifestBytesMax,
  readmeBytesMax,
} from "./limits.ts";
import {
  MANIFEST_NAME,
  type Manifest,
  type ManifestArtifact,
  namedFiles,
  parseManifest,
} from "./manifest/manifest.ts";
import { checkWorlds, type KnownHost } from "./world-exports.ts";

export interface BundleOptions {
  /** The capabilities that there are. Default: those of the core. */
  readonly vocabulary?: Vocabulary;
  readonly limits?: Partial<BundleLimits>;
}

export interface PackOptions extends BundleOptions {
  /** What there is to import and export, and the capabilities behind it: they are then compared with the declared. */
  readonly uses?: KnownUses;
  /** The hosts that are known, and what guests of their worlds export: artifacts are then compared with that. */
  readonly hosts?: readonly KnownHost[];
}

/** An artifact in a bundle. */
export interface BundleArtifact extends ManifestArtifact {
  readonly sizeBytes: number;
  /** Of its bytes, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Makes a bundle. The same files give the same digest, in whatever order they come.
 *
 * @param files By name: `remora.toml` and all that it names, and nothing else.
 * @returns     The file's bytes, unsigned.
 * @throws bundle/manifest        the manifest has problems, or names a file that is not there
 * @throws bundle/unnamed-entry   a file is there that the manifest does not name
 * @throws bundle/not-an-artifact bundle/not-an-icon bundle/limit a file is not what it is named as, or is too large
 * @throws bundle/capabilities    with `uses`: declared and used capabilities differ
 * @throws bundle/exports         with `hosts`: an artifact does not export what its world has to
 * @throws wasm/… component/…     an artifact cannot be read
 */
export function packBundle(files: ReadonlyMap<string, Uint8Array>, options: PackOptions = {}): Uint8Array {
  if (!files.has(MANIFEST_NAME)) {
    throw bundleErrors["no-such-entry"]({
      name: MANIFEST_NAME,
      near: nearNames(MANIFEST_NAME, files.keys()),
    });
  }
  // What is written is what would be read, with all of its checks.
  const bytes = writeContainer(files);
  const bundle = openBundle(bytes, options);
  const { name } = bundle.manifest;
  bundle.checkContents();
  const names = bundle.artifactNames();
  const uses = options.uses === undefined ? [] : capabilityUses(bundle.manifest, names, options.uses);
  if (uses.length > 0) throw bundleErrors.capabilities({ plugin: name, uses });
  checkWorlds(bundle, options.hosts ?? []);
  return bytes;
}

/**
 * Opens a bundle: checks its head, and none of its files before they are read.
 *
 * @param bytes The whole file; must not change while the bundle is in use.
 * @throws bundle/not-a-bundle bundle/unexpected-end bundle/malformed bundle/limit bundle/bad-name
 *         bundle/duplicate-name   what is wrong with the head, with its offset
 */
export function openBundle(bytes: Uint8Array, options: BundleOptions = {}): Bundle {
  const limits = { ...defaultBundleLimits, ...options.limits };
  return new Bundle(readContainer(bytes, limits), options.vocabulary);
}

/** An open bundle. Reading from it runs nothing and writes nothing. */
export class Bundle {
  readonly #container: Container;
  readonly #vocabulary: Vocabulary | undefined;
  readonly #byName: ReadonlyMap<string, BundleEntry>;
  /** What was read once: an install looks at each file several times. */
  readonly #unpacked = new Map<string, Uint8Array>();
  #manifest: Manifest | undefined;
  #names: ReadonlyMap<string, NamesOfArtifact> | undefined;

  constructor(container: Container, vocabulary: Vocabulary | undefined) {
    this.#container = container;
    this.#vocabulary = vocabulary;
    this.#byName = new Map(container.entries.map((entry) => [entry.name, entry]));
  }

  /** SHA-256 over names, sizes and digests of all files, in hexadecimal; the same with any signature or none. */
  get digest(): string {
    return this.#container.digest;
  }

  /** In the order of names. */
  get entries(): readonly BundleEntry[] {
    return this.#container.entries;
  }

  /** What it carries for a signature; `signatureOf` says whether it holds. */
  get signature(): BundleSignature | undefined {
    return this.#container.signature;
  }

  /**
   * Read when it is first asked for.
   *
   * @throws bundle/no-such-entry there is no manifest
   * @throws bundle/wrong-digest bundle/manifest bundle/unnamed-entry
   */
  get manifest(): Manifest {
    this.#manifest ??= this.#readManifest();
    return this.#manifest;
  }

  /** The artifacts that the manifest names, in its order. @throws as `manifest` */
  get artifacts(): readonly BundleArtifact[] {
    return this.manifest.artifacts.map(({ file, world }) => {
      const { sizeBytes, sha256 } = this.#entry(file);
      return { file, world, sizeBytes, sha256 };
    });
  }

  /** The README's Markdown, undefined when there is none. @throws bundle/limit and as `read` */
  get readme(): string | undefined {
    const { readme } = this.manifest;
    if (readme === undefined) return undefined;
    return new TextDecoder().decode(this.#readAtMost(readme, readmeBytesMax));
  }

  /** The icon, a PNG, undefined when there is none. @throws bundle/limit bundle/not-an-icon and as `read` */
  get icon(): Uint8Array | undefined {
    const { icon } = this.manifest;
    if (icon === undefined) return undefined;
    const bytes = this.#readAtMost(icon, iconBytesMax);
    if (PNG.some((byte, at) => bytes[at] !== byte)) {
      throw bundleErrors["not-an-icon"]({ file: icon, found: beginning(bytes) });
    }
    return bytes;
  }

  /**
   * One file, unpacked; kept, and so not to be changed, for as long as the bundle is open.
   *
   * @throws bundle/no-such-entry it has no such file; with a near name
   * @throws bundle/wrong-digest bundle/malformed it was modified
   */
  read(name: string): Uint8Array {
    let bytes = this.#unpacked.get(name);
    if (bytes === undefined) {
      bytes = this.#container.unpack(this.#entry(name));
      this.#unpacked.set(name, bytes);
    }
    return bytes;
  }

  /**
   * SHA-256 in hex of what `read` gives, where that was unpacked here and is nobody else's; undefined where it is a part of the
   * bundle's own bytes.
   *
   * @throws bundle/no-such-entry
   */
  digestOfOwn(name: string): string | undefined {
    const { sha256, sizeBytes, packedBytes } = this.#entry(name);
    return packedBytes < sizeBytes ? sha256 : undefined;
  }

  /**
   * What its artifacts import and export, for the policy; read when it is first asked for.
   *
   * @throws bundle/not-an-artifact wasm/… component/…
   */
  artifactNames(): ArtifactNames {
    const names = [...this.#namesByFile().values()];
    return { imports: names.flatMap((one) => one.imports), exports: names.flatMap((one) => one.exports) };
  }

  /** All that one of its artifacts exports. @throws as `artifactNames` */
  exportsOf(file: string): readonly string[] {
    return this.#namesByFile().get(file)?.exported ?? [];
  }

  #namesByFile(): ReadonlyMap<string, NamesOfArtifact> {
    this.#names ??= new Map(this.artifacts.map(({ file }) => [file, artifactNames(this.read(file), file)]));
    return this.#names;
  }

  /** Reads everything once. @throws what `read`, `manifest`, `readme` and `icon` throw, the first of it */
  checkContents(): void {
    for (const { name } of this.entries) this.read(name);
    for (const { file } of this.artifacts) checkArtifact(this.read(file), file);
    void this.readme;
    void this.icon;
  }

  #entry(name: string): BundleEntry {
    const entry = this.#byName.get(name);
    if (entry !== undefined) return entry;
    throw bundleErrors["no-such-entry"]({ name, near: nearNames(name, this.#byName.keys()) });
  }

  #readAtMost(name: string, max: number): Uint8Array {
    const { sizeBytes, offset } = this.#entry(name);
    if (sizeBytes > max)
      throw bundleErrors.limit({ what: `bytes of "${name}"`, found: sizeBytes, max, offset });
    return this.read(name);
  }

  #readManifest(): Manifest {
    const bytes = this.#readAtMost(MANIFEST_NAME, manifestBytesMax);
    const files = [...this.#byName.keys()];
    const manifest = parseManifest(bytes, {
      files,
      ...(this.#vocabulary !== undefined && { vocabulary: this.#vocabulary }),
    });
    const named = new Set([MANIFEST_NAME, ...namedFiles(manifest)]);
    for (const { name, offset } of this.entries) {
      if (!named.has(name)) throw bundleErrors["unnamed-entry"]({ name, offset });
    }
    return manifest;
  }
}

/** PNG, third edition, §5.2. */
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
