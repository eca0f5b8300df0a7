/** A real browser without a window, driven by Chrome's DevTools protocol over its WebSocket. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** What somebody does to a page. Each waits until what it is about is there. */
export interface Page {
  click(selector: string): Promise<void>;
  type(selector: string, text: string): Promise<void>;
  /** Picks a file in a field for one. */
  chooseFile(selector: string, path: string): Promise<void>;
  /** What is written there. */
  text(selector: string): Promise<string>;
}

/** Undefined where there is no Chromium. The browser ends with the test. */
export async function openPage(t: TestContext, address: string): Promise<Page | undefined> {
  const profile = mkdtempSync(join(tmpdir(), "remora-browser-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const child = spawn(
    "chromium",
    [...flags, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const isThere = await once(child, "spawn").then(
    () => true,
    () => false,
  );
  if (!isThere) {
    rmSync(profile, { recursive: true });
    return undefined;
  }
  t.after(async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  let said = "";
  for await (const chunk of child.stderr.setEncoding("utf8")) {
    said += chunk;
    if (/^DevTools listening on \S+$/m.test(said)) break;
  }
  const [, browser = ""] = /^DevTools listening on (\S+)$/m.exec(said) ?? [];
  const opened = await fetch(`http://${new URL(browser).host}/json/new?${encodeURIComponent(address)}`, {
    method: "PUT",
  });
  const { webSocketDebuggerUrl } = (await opened.json()) as { webSocketDebuggerUrl: string }; // as its protocol has it
  return pageOver(await connected(webSocketDebuggerUrl));
}

async function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  return socket;
}

interface Reply {
  readonly id: number;
  /** Absent when the page went away meanwhile, as the empty one does that a browser begins with. */
  readonly result?: {
    readonly result?: { readonly value?: unknown; readonly objectId?: string };
    readonly exceptionDetails?: unknown;
  };
}

function pageOver(socket: WebSocket): Page {
  const waiting = new Map<number, (reply: Reply) => void>();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply; // as its protocol has it
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  const send = (method: string, params: object) =>
    new Promise<Reply["result"]>((resolve) => {
      waiting.set(++last, ({ result }) => resolve(result));
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  const run = async (expression: string, returnByValue: boolean) => {
    let done: Reply["result"];
    do done = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue });
    while (done === undefined);
    if (done.exceptionDetails !== undefined) throw new Error(JSON.stringify(done.exceptionDetails));
    return done.result;
  };
  // In the page: the element, as soon as there is one.
  const found = (selector: string) => `(async () => {
    for (;;) {
      const element = document.querySelector(${JSON.stringify(selector)});
      if (element !== null) return element;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })()`;
  const act = async (selector: string, expression: string) =>
    (await run(`${found(selector)}.then((element) => { ${expression} })`, true))?.value;
  return {
    click: async (selector) => void (await act(selector, "element.click()")),
    async type(selector, text) {
      const written = JSON.stringify(text);
      // The page's framework notices what is set by the element's own setter, and then told as an event.
      const set = "Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set";
      const told = "element.dispatchEvent(new Event('input', { bubbles: true }))";
      await act(selector, `${set}.call(element, ${written}); ${told};`);
    },
    async chooseFile(selector, path) {
      const element = await run(found(selector), false);
      await send("DOM.setFileInputFiles", { files: [path], objectId: element?.objectId });
    },
    text: async (selector) => String(await act(selector, "return element.textContent")),
  };
}
