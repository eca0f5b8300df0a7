import assert from "node:assert/strict";
import { test } from "node:test";
import { printPackages } from "./print.ts";
import { parseWit } from "./resolve.ts";

const canonical = `/// A package.
package local:demo@1.0.0;

/// Types.
@since(version = 1.0.0)
interface types {
  /// A record.
  record r {
    /// A field.
    a: u8,
    %type: list<u8, 4>,
  }

  variant v {
    none,
    some(option<r>),
  }

  flags f {
    read,
    %export,
  }

  type alias = result<_, string>;
  resource plain;

  resource file {
    constructor(name: string) -> result<file, string>;

    /// Reads.
    @unstable(feature = x)
    read: async func(size: u32) -> stream<u8>;

    open: static func() -> future;
  }

  go: func(a: borrow<file>, b: map<string, tuple<u8, f64>>) -> result;
}

interface other {
  use types.{r, file as handle};

  keep: func(h: handle) -> r;
}

world w {
  import types;
  import one: other;

  @external-id("two")
  import two: func();

  export run: async func() -> u32;

  export inside: interface {
    log: func();
  }
}
`;

test("what is printed is what was read, down to the last character", () => {
  const { root } = parseWit([{ path: "a.wit", text: canonical }], { features: "all" });
  assert.equal(printPackages([root]), canonical);
});

test("further packages stand in braces", () => {
  const text = `package local:demo;

world w {
  import a:b/c@0.1.0;
}

package a:b@0.1.0 {
  interface c {
    f: func();
  }
}
`;
  const { root, packages } = parseWit([{ path: "a.wit", text }]);
  assert.equal(printPackages([root, ...[...packages.values()].filter((each) => each !== root)]), text);
});
