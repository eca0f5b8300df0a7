/**
 * Modules from npm packages, with their own JavaScript, doing what they are made for. The packages are installed
 * into `meter/npm` when the benchmark first runs; each variant gets a fresh copy of the glue, which then finds a
 * `WebAssembly` that loads its way.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { kernelBytes } from "./kernels.ts";
import { type Loader, withGlobal } from "./loaders.ts";
import type { Program } from "./program.ts";

const folder = join(import.meta.dirname, "npm");
const require = createRequire(join(folder, "package.json"));

/** False when the packages are not there and cannot be had. */
export function installPackages(): boolean {
  if (existsSync(join(folder, "node_modules"))) return true;
  try {
    execFileSync("npm", ["install", "--ignore-scripts", "--no-package-lock", "--no-audit"], {
      cwd: folder,
      stdio: "pipe",
    });
    return true;
  } catch {
    // No registry here: the benchmark says that these figures are missing.
    return false;
  }
}

// The glue of ten packages: its types are not worth ten sets of declarations.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Glue = any;

interface PackageProgram {
  readonly name: string;
  readonly source: string;
  readonly hasSeveralModules?: boolean;
  /** Fresh glue, with our `WebAssembly` in place. */
  readonly load: () => Promise<() => string>;
}

/** A module of a package with none of what an earlier variant left in it. */
function freshRequire(name: string): Glue {
  for (const path of Object.keys(require.cache)) if (path.startsWith(folder)) delete require.cache[path];
  return require(name);
}

let importCount = 0;

function freshImport(path: string): Promise<Glue> {
  return import(`${pathToFileURL(path).href}?fresh=${importCount++}`);
}

function packageFile(path: string): string {
  return join(folder, "node_modules", path);
}

const text = Array.from(
  { length: 900 },
  (_, index) => `line ${index}: the quick brown fox ${index * 7919}`,
).join("\n");
const bytes = new TextEncoder().encode(text);

const packages: readonly PackageProgram[] = [
  {
    name: "sql.js",
    source: "sql.js",
    load: async () => {
      const SQL = await freshRequire("sql.js")({
        wasmBinary: readFileSync(packageFile("sql.js/dist/sql-wasm.wasm")),
      });
      return () => {
        const database = new SQL.Database();
        database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, value REAL); BEGIN");
        const insert = database.prepare("INSERT INTO t (name, value) VALUES (?, ?)");
        for (let index = 0; index < 300; index++) insert.run([`name ${index % 37}`, index * 1.5]);
        insert.free();
        database.run("COMMIT; CREATE INDEX i ON t (name)");
        const [rows] = database.exec(
          "SELECT name, count(*), sum(value) FROM t WHERE id % 3 < 2 GROUP BY name ORDER BY 3 DESC",
        );
        database.close();
        return JSON.stringify(rows.values.slice(0, 3));
      };
    },
  },
  {
    name: "quickjs",
    source: "@jitl/quickjs-wasmfile-release-sync",
    load: async () => {
      const core = require("quickjs-emscripten-core");
      const { default: variant } = freshRequire("@jitl/quickjs-wasmfile-release-sync");
      const quickjs = await core.newQuickJSWASMModuleFromVariant(variant);
      const context = quickjs.newContext();
      const code = `(() => { let s = 0; const o = {}; for (let i = 0; i < 3000; i++) { o["k" + i % 50] = i; s += Math.sqrt(i) | 0; }
        return s + Object.keys(o).length + [3, 1, 2].map((x) => x * s).sort().join(); })()`;
      return () => {
        const result = context.unwrapResult(context.evalCode(code));
        const value = context.getString(result);
        result.dispose();
        return value;
      };
    },
  },
  {
    name: "brotli",
    source: "brotli-wasm",
    load: async () => {
      const brotli = await freshRequire("brotli-wasm");
      return () => {
        const packed = brotli.compress(bytes, { quality: 5 });
        return `${packed.length} ${brotli.decompress(packed).length}`;
      };
    },
  },
  {
    name: "zstd",
    source: "@bokuweb/zstd-wasm",
    load: async () => {
      const zstd = freshRequire("@bokuweb/zstd-wasm");
      await zstd.init();
      return () => {
        const packed = zstd.compress(bytes, 9);
        return `${packed.length} ${zstd.decompress(packed).length}`;
      };
    },
  },
  {
    name: "resvg",
    source: "@resvg/resvg-wasm",
    load: async () => {
      const resvg = freshRequire("@resvg/resvg-wasm");
      await resvg.initWasm(readFileSync(packageFile("@resvg/resvg-wasm/index_bg.wasm")));
      const shapes = Array.from(
        { length: 40 },
        (_, i) =>
          `<circle cx="${i * 5}" cy="${(i * 37) % 200}" r="${5 + (i % 9)}" fill="rgb(${i * 6},80,${255 - i * 5})" opacity="0.7"/>`,
      );
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">${shapes.join("")}<path d="M10 80 C 40 10, 65 10, 95 80 S 150 150, 180 80" stroke="black" fill="none" stroke-width="4"/></svg>`;
      return () => {
        const renderer = new resvg.Resvg(svg);
        const image = renderer.render();
        const { length } = image.asPng();
        image.free();
        renderer.free();
        return String(length);
      };
    },
  },
  {
    name: "oniguruma",
    source: "vscode-oniguruma",
    load: async () => {
      const onig = freshRequire("vscode-oniguruma");
      await onig.loadWASM(readFileSync(packageFile("vscode-oniguruma/release/onig.wasm")));
      const scanner = new onig.OnigScanner([
        "\\b(fox|dog)\\b\\s+\\d{5}",
        "(?<=line )[0-9]+(?=:)",
        "[a-z]+\\s+(?:quick|slow)\\s+\\w+",
      ]);
      const string = new onig.OnigString(text.slice(0, 12_000));
      return () => {
        let matches = 0;
        for (let at = 0; ; matches++) {
          const match = scanner.findNextMatchSync(string, at);
          if (match === null) return String(matches);
          at = match.captureIndices[0].end;
        }
      };
    },
  },
  ...(["SHA256", "BLAKE3", "XXHash64"] as const).map((name) => ({
    name: `hash ${name}`,
    source: "hash-wasm",
    load: async () => {
      const hasher = await freshRequire("hash-wasm")[`create${name}`]();
      return () => {
        hasher.init();
        for (let round = 0; round < 8; round++) hasher.update(bytes);
        return hasher.digest();
      };
    },
  })),
  {
    name: "yoga",
    source: "yoga-layout",
    load: async () => {
      const { loadYoga } = await freshImport(packageFile("yoga-layout/dist/src/load.js"));
      const yoga = await loadYoga();
      return () => {
        const root = yoga.Node.create();
        root.setWidth(500);
        root.setFlexWrap(yoga.WRAP_WRAP);
        for (let index = 0; index < 60; index++) {
          const child = yoga.Node.create();
          child.setWidth(20 + (index % 7) * 10);
          child.setHeight(30);
          child.setFlexGrow(index % 3);
          const leaf = yoga.Node.create();
          leaf.setFlexGrow(1);
          child.insertChild(leaf, 0);
          root.insertChild(child, index);
        }
        root.calculateLayout(500, undefined, yoga.DIRECTION_LTR);
        const height = root.getComputedHeight();
        root.freeRecursive();
        return String(height);
      };
    },
  },
  {
    name: "wasm-tools",
    source: "@bytecodealliance/jco-transpile",
    hasSeveralModules: true,
    load: async () => {
      const { resolve } = createRequire(import.meta.url);
      const vendor = join(resolve("@bytecodealliance/jco-transpile"), "../../vendor/wasm-tools.js");
      const glue = await freshImport(vendor);
      await glue.$init;
      const module = kernelBytes("json");
      return () => String(glue.tools.print(module).length);
    },
  },
];

/** The larger modules as files, for the speed of the rewrite. */
export function npmModules(): Uint8Array[] {
  return [
    "sql.js/dist/sql-wasm.wasm",
    "@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm",
    "brotli-wasm/pkg.node/brotli_wasm_bg.wasm",
    "@bokuweb/zstd-wasm/dist/common/zstd.wasm",
    "@resvg/resvg-wasm/index_bg.wasm",
    "vscode-oniguruma/release/onig.wasm",
  ].map((path) => new Uint8Array(readFileSync(packageFile(path))));
}

export const npmPrograms: readonly Program[] = packages.map(({ load, ...program }) => ({
  ...program,
  load: async (loader: Loader) => {
    const run = await withGlobal(loader, load);
    return () => loader.run(run);
  },
}));
