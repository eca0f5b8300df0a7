import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "remora/base";
import type { ConfigProblem } from "../errors.ts";
import { parseTakConfig } from "./parse.ts";
import { takLimits } from "./plugins.ts";
import type { TakConfig } from "./settings.ts";

const parse = (text: string): TakConfig => parseTakConfig(text, "tak.yaml");

function problemsOf(text: string): readonly ConfigProblem[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(isRemoraError(error, "tak/config"), String(error));
    // The code says what the details are.
    return (error.details as { problems: readonly ConfigProblem[] }).problems;
  }
  assert.fail("the file was accepted");
}

/** Each problem as `line:column path`, and its message has the given words. */
function expectProblems(text: string, ...expected: readonly [place: string, words: string][]): void {
  const problems = problemsOf(text);
  assert.deepEqual(
    problems.map(({ line, column, path }) => `${line}:${column} ${path}`),
    expected.map(([place]) => place),
    problems.map(({ message }) => message).join("\n"),
  );
  for (const [index, [, words]] of expected.entries())
    assert.ok(problems[index]?.message.includes(words), words);
}

const whole = `
listeners:
  - id: clients
    protocol: tcp
    bind_addr: 127.0.0.1:8087
  - id: secure
    protocol: tls
    bind_addr: "[::1]:8089"
    max_connections: 5
    tls:
      cert_path: server.pem
      key_path: server-key.pem
      client_auth: { required: true, ca_path: ca.pem }
  - { id: mesh, protocol: udp, bind_addr: "0.0.0.0:6969", multicast_group: 239.2.3.1 }
servers:
  - id: upstream
    address: tak.example.org:8089
    protocol: tls
    tls: { ca_path: ca.pem, cert_path: c.pem, key_path: k.pem, verify_server: false, server_name: tak }
    reconnect: { initial_delay_secs: 2, max_delay_secs: 1m, backoff_multiplier: 1.5, max_attempts: 7 }
  - name: second
    host: 192.0.2.7
    port: 8087
    protocol: tcp
    enabled: false
    auto_reconnect: false
filters:
  - id: friends
    type: affiliation
    allow: [friend, Assumed_Friend]
    on_failure: pass
  - id: unused
    enabled: false
    type: uid
    uids: [x]
plugins:
  plugin_dir: ./plugins
  hot_reload: false
  resource_limits:
    max_execution_time_ms: 5
    max_memory_bytes: 1000000
    max_concurrent_executions: 100
  sandbox_policy:
    allow_network: false
    allow_filesystem_read: false
    allow_filesystem_write: false
    allow_env_vars: false
    allowed_paths: []
  filters:
    - id: geofence
      path: geofence.wasm
      config: { min_lat: 35.1, zones: [a, null, true] }
      on_failure: pass
      limits: { fuel: 1000, memory_pages: 4 }
      isolation: worker
      grants: [tak.log, { capability: tak.clock }]
      xml_payload: true
  transformers:
    - id: add-detail
      path: add.wasm
    - { id: off, path: off.wasm, enabled: false }
chain: [geofence, friends, off, add-detail]
strategy: first_match
default_destination: clients
routes:
  - id: threats
    description: Hostile in the air or west of Fiji
    priority: 10
    filter:
      type: and
      filters:
        - { type: affiliation, allow: [hostile, suspect] }
        - type: not
          filter: { type: team, teams: [Cyan] }
        - type: or
          filters:
            - { type: dimension, allow: [air] }
            - { type: geo_bounding_box, min_lat: -20, max_lat: -15, min_lon: 177, max_lon: -178 }
            - { type: type, types: [a-f-G-*] }
            - { type: group, pattern: ^SOF }
    destinations: [upstream, mesh]
aggregation: { dedup_window_secs: 30, max_uids: 5000 }
limits: { max_event_bytes: 65536, max_bad_events: 3, max_queue_bytes: 100000 }
`;

test("a whole configuration is read as it is written", () => {
  const config = parse(whole);
  assert.deepEqual(
    config.listeners.map(({ id, protocol, host, port, connectionsMax }) => [
      id,
      protocol,
      host,
      port,
      connectionsMax,
    ]),
    [
      ["clients", "tcp", "127.0.0.1", 8087, 100],
      ["secure", "tls", "::1", 8089, 5],
      ["mesh", "udp", "0.0.0.0", 6969, 100],
    ],
  );
  assert.deepEqual(config.listeners[1]?.tls, {
    certPath: "server.pem",
    keyPath: "server-key.pem",
    clientAuth: { required: true, caPath: "ca.pem" },
  });
  assert.equal(config.listeners[2]?.multicastGroup, "239.2.3.1");
  assert.deepEqual(config.servers[0], {
    id: "upstream",
    enabled: true,
    protocol: "tls",
    host: "tak.example.org",
    port: 8089,
    tls: {
      certPath: "c.pem",
      keyPath: "k.pem",
      caPath: "ca.pem",
      isServerVerified: false,
      serverName: "tak",
    },
    connectTimeoutMs: 10_000,
    reconnect: { initialDelayMs: 2_000, maxDelayMs: 60_000, factor: 1.5, attemptsMax: 7 },
    multicastTtl: undefined,
  });
  assert.equal(config.servers[1]?.id, "second");
  assert.equal(config.servers[1]?.reconnect, undefined);
  const [geofence] = config.plugins;
  assert.deepEqual(geofence, {
    id: "geofence",
    kind: "filter",
    path: "geofence.wasm",
    enabled: true,
    config: { min_lat: 35.1, zones: ["a", null, true] },
    onFailure: "pass",
    limits: { ...takLimits, fuelMax: 1_000, deadlineMs: 5, memoryPagesMax: 4 },
    isolation: "worker",
    grants: [{ capability: "tak.log" }, { capability: "tak.clock" }],
    givesXml: true,
  });
  assert.deepEqual(config.plugins[1]?.limits, { ...takLimits, deadlineMs: 5, memoryPagesMax: 15 });
  assert.deepEqual(config.plugins[1]?.onFailure, "block");
  assert.deepEqual(config.plugins[1]?.grants, []);
  assert.deepEqual(
    config.chain.map(({ kind, id }) => `${kind} ${id}`),
    ["plugin geofence", "native friends", "plugin add-detail"],
  );
  assert.deepEqual(config.chain[1], {
    kind: "native",
    id: "friends",
    onFailure: "pass",
    filter: { type: "affiliation", allow: ["friend", "assumedfriend"] },
  });
  assert.equal(config.routing?.strategy, "first_match");
  assert.equal(config.routing?.defaultDestination, "clients");
  assert.deepEqual(config.routing?.routes[0]?.destinations, ["upstream", "mesh"]);
  assert.deepEqual(config.aggregation, { enabled: true, uidsMax: 5_000, windowMs: 30_000 });
  assert.deepEqual(config.limits, { eventBytesMax: 65_536, badEventsMax: 3, queueBytesMax: 100_000 });
});

test("an empty file is a host that listens nowhere and grants nothing", () => {
  for (const text of ["", "# nothing\n", "plugins:\nlisteners:\n"]) {
    const { listeners, servers, chain, routing, plugins } = parse(text);
    assert.deepEqual([listeners, servers, chain, plugins, routing], [[], [], [], [], undefined]);
  }
});

test("without a chain, native filters come before plugins and filters before transformers", () => {
  const { chain } = parse(`
plugins:
  transformers: [{ id: t, path: t.wasm }]
  filters: [{ id: p, path: p.wasm }, { id: q, path: q.wasm, enabled: false }]
filters: [{ id: n, type: uid, uids: [x] }]
`);
  assert.deepEqual(
    chain.map(({ id }) => id),
    ["n", "p", "t"],
  );
});

test("all problems are told at once, each with its line and column", () => {
  expectProblems(
    `listeners:
  - id: clients
    protocol: tcpp
    bind_addr: 127.0.0.1
    max_conections: 5
plugins:
  filters:
    - id: a
      path: 7
    - id: a
      path: b.wasm
      enabled: yes please
chain: [a, b]
`,
    ["3:15 listeners[0].protocol", 'Must be "tcp", "tls" or "udp", found "tcpp"; did you mean "tcp"?'],
    ["4:16 listeners[0].bind_addr", "Must be host:port"],
    ["5:5 listeners[0].max_conections", 'Unknown key "max_conections"; did you mean "max_connections"?'],
    ["9:13 plugins.filters[0].path", "Must be text, found 7"],
    ["10:11 plugins.filters[1].id", '"a" is used twice: also by plugins.filters[0].id'],
    ["12:16 plugins.filters[1].enabled", 'Must be true or false, found the text "yes please"'],
    ["13:12 chain[1]", 'There is no filter or plugin "b"; did you mean "a"?'],
  );
});

test("ids are taken once among filters and plugins, and once among listeners and servers", () => {
  expectProblems(
    `filters: [{ id: x, type: uid, uids: [a] }]
plugins:
  transformers: [{ id: x, path: x.wasm }]
`,
    ["3:24 plugins.transformers[0].id", '"x" is used twice'],
  );
  expectProblems(
    `listeners: [{ id: x, protocol: tcp, bind_addr: "0.0.0.0:1" }]
servers: [{ id: x, protocol: tcp, address: "h:1" }]
routes:
  - { id: r, filter: { type: uid, uids: [a] }, destinations: [x] }
  - { id: r, filter: { type: uid, uids: [a] }, destinations: [y] }
`,
    ["2:17 servers[0].id", "used twice"],
    ["5:11 routes[1].id", "used twice"],
    ["5:63 routes[1].destinations[0]", 'There is no listener or server "y"'],
  );
});

test("two listeners cannot take one port, unless one has datagrams or the port is any", () => {
  expectProblems(
    `listeners:
  - { id: a, protocol: tcp, bind_addr: "0.0.0.0:8087" }
  - { id: b, protocol: tcp, bind_addr: "0.0.0.0:8087" }
  - { id: c, protocol: udp, bind_addr: "0.0.0.0:8087" }
  - { id: d, protocol: tcp, bind_addr: "0.0.0.0:8087", enabled: false }
  - { id: e, protocol: tcp, bind_addr: "0.0.0.0:0" }
  - { id: f, protocol: tcp, bind_addr: "0.0.0.0:0" }
`,
    ["3:40 listeners[1].bind_addr", "used twice"],
  );
});

test("what OmniTAK has and this host does not do is refused by name", () => {
  expectProblems(
    `plugins:
  trust: everybody
  sandbox_policy:
    allow_network: true
    allowed_paths: [/data]
  filters:
    - { id: p, path: p.wasm, grants: [{ capability: net.http, origins: ["https://example.org"] }] }
servers:
  - { id: w, address: "h:1", protocol: websocket }
  - { id: m, address: "10.2.3.1:6969", protocol: multicast, multicast_ttl: 5 }
  - { id: t, address: "h:2", protocol: tcp, tags: [a], read_timeout_secs: 30 }
filters:
  mode: whitelist
  rules: []
api: { bind_addr: "127.0.0.1:9443" }
storage: { backend: memory }
`,
    ["2:10 plugins.trust", "verified"],
    ["4:20 plugins.sandbox_policy.allow_network", "use a plugin's grants"],
    ["5:20 plugins.sandbox_policy.allowed_paths", "use a plugin's grants"],
    ["7:39 plugins.filters[0].grants[0]", '"net.http" is not available yet'],
    ["9:40 servers[0].protocol", "WebSocket is not available yet"],
    ["10:23 servers[1].address", "Must be a multicast address"],
    ["11:45 servers[2].tags", "no meaning"],
    ["11:56 servers[2].read_timeout_secs", "Not available yet"],
    ["13:3 filters", "write a list of filters"],
    ["15:1 api", "Not available"],
    ["16:1 storage", "Not available"],
  );
});

test("a multicast group is a server with datagrams", () => {
  const [server] = parse(
    'servers: [{ id: m, address: "239.2.3.1:6969", protocol: multicast, multicast_ttl: 5 }]',
  ).servers;
  assert.deepEqual(
    [server?.protocol, server?.host, server?.port, server?.multicastTtl],
    ["udp", "239.2.3.1", 6_969, 5],
  );
});

test("settings of connections are refused where there are none", () => {
  expectProblems(
    `listeners:
  - { id: u, protocol: udp, bind_addr: "h:1", max_connections: 5, multicast_group: example.org }
servers:
  - { id: v, protocol: udp, address: "h:1", auto_reconnect: true, multicast_ttl: 300 }
  - { id: w, protocol: tcp, address: "h:1", multicast_ttl: 3 }
`,
    ["2:47 listeners[0].max_connections", "no meaning for datagrams"],
    ["2:84 listeners[0].multicast_group", "Must be a multicast address"],
    ["4:45 servers[0].auto_reconnect", "no meaning for datagrams"],
    ["4:82 servers[0].multicast_ttl", "from 0 to 255"],
    ["5:45 servers[1].multicast_ttl", 'for "udp" alone'],
  );
});

test("keys that become the same, and ids that would write into a terminal, are refused", () => {
  expectProblems('plugins: { filters: [{ id: p, path: p, config: { 1: a, "1": b } }] }\n', [
    "1:56 plugins.filters[0].config",
    'The key "1" is there twice',
  ]);
  expectProblems('filters: [{ id: "a\\e[2J", type: uid, uids: [x] }]\n', [
    "1:17 filters[0].id",
    "control characters",
  ]);
});

test("a grant that does not exist, or has the wrong targets, is refused where it stands", () => {
  expectProblems(
    `plugins:
  filters:
    - { id: p, path: p.wasm, grants: [tak.logs, { capability: tak.log, paths: [x] }, 7] }
`,
    ["3:39 plugins.filters[0].grants[0]", 'did you mean "tak.log"?'],
    ["3:49 plugins.filters[0].grants[1]", "unknown field"],
    ["3:86 plugins.filters[0].grants[2]", "a grant"],
  );
});

test("a program that can give more capabilities says so", () => {
  const text = `plugins: { filters: [{ id: p, path: p.wasm, grants: [kv.store] }] }`;
  assert.equal(problemsOf(text).length, 1);
  const { plugins } = parseTakConfig(text, "tak.yaml", { grantable: ["kv.store"] });
  assert.deepEqual(plugins[0]?.grants, [{ capability: "kv.store" }]);
});

test("a filter's mistakes are found where they are", () => {
  expectProblems(
    `filters:
  - { id: a, type: affiliation, allow: [freind] }
  - { id: b, type: geo_bounding_box, min_lat: 5, max_lat: 4, min_lon: 0, max_lon: 181 }
  - { id: c, type: group, pattern: "(" }
  - { id: d, type: type, types: ["a-f-G*"] }
  - { id: e, type: and, filters: [] }
  - { id: f, type: not }
  - { id: g, type: geographic, bounds: {} }
  - { id: h, type: uid, uids: [], teams: [x] }
  - { id: i, type: team, teams: [7] }
`,
    ["2:41 filters[0].allow[0]", 'did you mean "friend"?'],
    ["3:47 filters[1].min_lat", "at most max_lat"],
    ["3:83 filters[1].max_lon", "from -180 to 180"],
    ["4:36 filters[2].pattern", "missing closing"],
    ["5:34 filters[3].types[0]", '"*" is a part'],
    ["6:34 filters[4].filters", "at least 1"],
    ["7:5 filters[5]", '"filter" is missing'],
    ["8:20 filters[6].type", 'found "geographic"'],
    ["9:31 filters[7].uids", "at least 1"],
    ["9:35 filters[7].teams", "Unknown key"],
    ["10:34 filters[8].teams[0]", "Must be text"],
  );
});

test("an enabled stage that the chain leaves out is a problem", () => {
  expectProblems(
    `filters: [{ id: a, type: uid, uids: [x] }, { id: b, type: uid, uids: [x], enabled: false }]
chain: [ ]
`,
    ["2:8 chain", '"a" is enabled and has no place in the chain'],
  );
  expectProblems(
    `filters: [{ id: a, type: uid, uids: [x] }]
chain: [a, a]
`,
    ["2:12 chain[1]", "used twice"],
  );
});

test("limits out of range, and two spellings at once, are refused", () => {
  expectProblems(
    `plugins:
  resource_limits: { max_memory_bytes: 100, max_concurrent_executions: 0 }
  filters:
    - id: p
      path: p.wasm
      limits: { fuel: 0, deadline_ms: .inf, memory_pages: 2, memory_bytes: 65536 }
servers:
  - { id: s, address: "h:99999", protocol: tcp }
  - { id: t, address: "h:1", host: h, port: 1, protocol: tls }
  - { id: u, address: "h:1", protocol: tcp, tls: {} }
aggregation: { dedup_window_secs: 2d }
`,
    ["2:40 plugins.resource_limits.max_memory_bytes", "from 65536"],
    ["2:72 plugins.resource_limits.max_concurrent_executions", "from 1"],
    ["6:23 plugins.filters[0].limits.fuel", "from 1"],
    ["6:39 plugins.filters[0].limits.deadline_ms", "from 0.01"],
    ["6:62 plugins.filters[0].limits.memory_bytes", 'Says the same as "memory_pages"'],
    ["8:23 servers[0].address", "with a port from 1 to 65535"],
    ["9:5 servers[1]", '"tls" is missing'],
    ["9:14 servers[1].address", "keep one of them"],
    ["10:45 servers[2].tls", 'the protocol is "tcp"'],
    ["11:35 aggregation.dedup_window_secs", "or text like"],
  );
});

test("text that is no YAML document has a place too", () => {
  expectProblems("listeners:\n\t- x\n", ["2:1 ", "Tabs"]);
  expectProblems("chain: []\nchain: []\n", ["2:1 ", 'The key "chain" is there twice']);
  expectProblems("chain: !secret x\n", ["1:8 ", "Unresolved tag"]);
  expectProblems("chain: *nowhere\n", ["1:8 chain", 'No anchor "nowhere"']);
  expectProblems("- a\n", ["1:1 ", "Must be a mapping, found a list"]);
  expectProblems("chain: []\n---\nchain: []\n", ["2:1 ", "documents"]);
});

test("a file that grows when it is read is refused before it has grown", () => {
  const bomb = Array.from(
    { length: 30 },
    (_, n) => `  k${n}: &a${n} [${n === 0 ? "x" : `*a${n - 1}, *a${n - 1}`}]`,
  );
  const inConfig = `plugins:\n filters:\n - id: p\n   path: p\n   config:\n${bomb.map((line) => `   ${line}`).join("\n")}`;
  const started = process.threadCpuUsage();
  const keys = Array.from({ length: 60_000 }, (_, n) => `k${n}: 1`).join("\n");
  assert.ok(problemsOf(keys).some(({ message }) => message.includes("Too much")));
  const aliases = `plugins: { filters: [{ id: &x p, path: p, config: [${"*x,".repeat(60_000)}] }] }`;
  assert.ok(problemsOf(aliases).some(({ message }) => message.includes("100 aliases")));
  assert.ok(problemsOf(inConfig).some(({ message }) => message.includes("Too much")));
  assert.ok(problemsOf("plugins: &p\n  filters: [{ id: x, path: y, config: *p }]\n").length > 0);
  assert.ok(problemsOf("[".repeat(100_000)).length > 0);
  assert.ok(problemsOf(`a: ${"x".repeat(1024 * 1024)}`).length > 0);
  // Microseconds of this thread: a machine that is busy with others proves nothing.
  assert.ok(process.threadCpuUsage(started).user < 10_000_000);
});

test("a key called __proto__ is a key like any other", () => {
  assert.equal(problemsOf("__proto__: { chain: [] }\n")[0]?.path, "__proto__");
  const { plugins } = parse("plugins: { filters: [{ id: p, path: p, config: { __proto__: { a: 1 } } }] }");
  assert.deepEqual(Object.keys(plugins[0]?.config ?? {}), ["__proto__"]);
});

test("whatever the text is, the answer is a configuration or tak/config", () => {
  const lines = whole.split("\n");
  const damaged = fc
    .record({
      from: fc.nat(lines.length),
      count: fc.integer({ min: 1, max: 3 }),
      text: fc.oneof(fc.string(), fc.constantFrom("id: 1", "  - x", "}", "chain: {}", "&a", "? x", "<<: *b")),
    })
    .map(({ from, count, text }) => lines.toSpliced(from, count, text).join("\n"));
  fc.assert(
    fc.property(damaged, (text) => {
      try {
        parse(text);
      } catch (error) {
        assert.ok(isRemoraError(error, "tak/config"), String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test("heights come from a folder, and from nothing else", () => {
  assert.equal(parse("elevation: { folder: ./srtm }").elevation, "./srtm");
  assert.equal(parse("listeners: []").elevation, undefined);
  expectProblems(
    "elevation: { folders: ./srtm }",
    ["1:12 elevation", "folder"],
    ["1:14 elevation.folders", "folder"],
  );
});
