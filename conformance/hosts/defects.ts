/**
 * What is known to be wrong with signalk-server's own loader for WebAssembly plugins (2.32.0), and the test here that would
 * notice it. A test of this list sees to it that those tests are there.
 */

export interface Defect {
  readonly there: string;
  /** Below `hosts/signalk/src`, unless it begins with a slash: then from the root. */
  readonly file: string;
  /** The test's name; of tests in a table, what their names have in common. */
  readonly test: string;
}

export const defects: readonly Defect[] = [
  {
    there: "Every command (PUT) to a plugin is answered 500, though its handler ran",
    file: "run.test.ts",
    test: "a command that a plugin answers is COMPLETED, 200, and can be looked at again",
  },
  {
    there: "A handler of commands in AssemblyScript gets no string of its own memory, which is corrupted",
    file: "defects.test.ts",
    test: "a handler of commands in AssemblyScript gets its value as a string, and its guest is well afterwards",
  },
  {
    there: "The request of an endpoint is UTF-16 with the length of something else; documented is UTF-8",
    file: "/packages/remora/src/abi/text-guest.test.ts",
    test: "an AssemblyScript export with two parameters gets UTF-8 bytes, one with one a string",
  },
  {
    there: "`dataRead` and `dataWrite` are not enforced",
    file: "run.test.ts",
    test: "a plugin that may not write, command or read does not, and the audit says so",
  },
  {
    there: "`httpEndpoints` is not enforced, and plugins rely on that",
    file: "run.test.ts",
    test: "undeclared endpoints are served by a grant for compatibility that the operator can see and withhold",
  },
  {
    there: "A status that a plugin sets is never shown",
    file: "run.test.ts",
    test: "the administration's list has what signalk-server's has, and the status that the plugin set",
  },
  {
    there: "`$source` is the package's name instead of the plugin's id",
    file: "run.test.ts",
    test: "a plugin's delta is in the model, with the plugin's id as its source and the server's time",
  },
  {
    there: "`sk_get_self_path` is always 0",
    file: "guest/env.test.ts",
    test: "sk_get_self_path gives a value as JSON, 0 for nothing and for a buffer that is too small",
  },
  {
    there: "`sk_get_path` is declared by the SDK and does not link",
    file: "guest/env.test.ts",
    test: "sk_get_path, which the SDK declares, answers too",
  },
  {
    there: "`sk_read_config` of a package with a scope reads another file, and finds nothing",
    file: "defects.test.ts",
    test: "a plugin whose package has a scope reads its own configuration, all of it, and no byte more",
  },
  {
    there: "After a trap the plugin's state is `running`, and nothing starts it again",
    file: "plugin/life.test.ts",
    test: "a plugin that traps is started again after 2, 4, 8 and 16 seconds, and then no more",
  },
  {
    there: "A guest may grow its memory to gigabytes",
    file: "hostile.test.ts",
    test: "a plugin whose memory is larger than it may be is refused, and one that grows gets no more",
  },
  {
    there: "A loop in a handler stops the whole server",
    file: "hostile.test.ts",
    test: "is ended, and others are answered meanwhile",
  },
  {
    there: "The endpoints of a disabled plugin keep answering",
    file: "run.test.ts",
    test: "endpoints answer while the plugin is enabled, and no longer when it is not",
  },
  {
    there: "A plugin that waits for the network in `plugin_start` holds up whoever saved its settings",
    file: "hostile.test.ts",
    test: "a plugin that hangs in plugin_start holds up neither its settings nor anybody else",
  },
  {
    there: "At the first start a plugin's files are in a temporary folder that is deleted",
    file: "guest/env.test.ts",
    test: "a plugin's files are in its own root, from the first start on",
  },
  {
    there: "Reloading loses the plugin's server, and no request reloads",
    file: "plugin/life.test.ts",
    test: "a new version of the file is taken while the host runs, and requests find one or the other",
  },
  {
    there: "Commands, sockets and providers of radars stay registered after a stop",
    file: "defects.test.ts",
    test: "providers and sockets of a plugin go when it stops",
  },
  {
    there: "The same of commands",
    file: "signalk-server/node-plugin.test.ts",
    test: "its commands, resources and endpoints are the server's, and end with it",
  },
  {
    there: "What is written into a guest of AssemblyScript is not pinned, and its collector may take it",
    file: "guest/pinned.test.ts",
    test: "a configuration, a delta and a request are whole though the guest collects its garbage before it reads them",
  },
  {
    there: "One plugin, signalk-logviewer, passes the checks by its name",
    file: "run.test.ts",
    test: "no name gives a plugin more than its manifest asks for: signalk-logviewer has what any other has",
  },
  {
    there: "The SDK's reader of the configuration decodes a whole buffer, and knows 1 KB of it",
    file: "defects.test.ts",
    test: "a plugin whose package has a scope reads its own configuration, all of it, and no byte more",
  },
  {
    there: "Patterns of paths can be made to backtrack for years (mended in 70aff849)",
    file: "subscriptions/listener.test.ts",
    test: "a pattern that makes others backtrack for years is matched in steps of both lengths",
  },
];
