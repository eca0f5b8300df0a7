import assert from "node:assert/strict";
import { test } from "node:test";
import type { CotMessage } from "./cot/message.ts";
import { Distributor, type Outlet } from "./distribute.ts";
import { messageOf } from "./filters/harness.test.ts";
import { RouteTable } from "./routes/route-table.ts";

class Inbox implements Outlet {
  readonly got: string[] = [];
  isReading = true;
  send(message: CotMessage): boolean {
    if (this.isReading) this.got.push(message.uid);
    return this.isReading;
  }
}

test("without routes a message goes to everyone but its origin", () => {
  const [a, b, c] = [new Inbox(), new Inbox(), new Inbox()];
  const distributor = new Distributor();
  distributor.add("clients", a);
  distributor.add("clients", b);
  distributor.add("upstream", c);
  distributor.distribute(messageOf({ uid: "u" }), a);
  assert.deepEqual([a.got, b.got, c.got], [[], ["u"], ["u"]]);
  assert.deepEqual(distributor.counts(), { sent: 2, dropped: 0, unrouted: 0 });
});

test("with routes a message goes to their destinations alone", () => {
  const [a, b] = [new Inbox(), new Inbox()];
  const routes = new RouteTable({
    strategy: "all",
    defaultDestination: undefined,
    routes: [
      {
        id: "hostile",
        description: "",
        filter: { type: "affiliation", allow: ["hostile"] },
        destinations: ["threats", "not connected"],
        priority: 0,
        enabled: true,
      },
    ],
  });
  const distributor = new Distributor(routes);
  distributor.add("clients", a);
  distributor.add("threats", b);
  distributor.distribute(messageOf({ uid: "h", type: "a-h-G" }), undefined);
  distributor.distribute(messageOf({ uid: "f", type: "a-f-G" }), undefined);
  assert.deepEqual([a.got, b.got], [[], ["h"]]);
  assert.equal(distributor.counts().unrouted, 1);
});

test("a peer that does not read loses its own messages and nobody else's", () => {
  const [slow, quick] = [new Inbox(), new Inbox()];
  slow.isReading = false;
  const distributor = new Distributor();
  distributor.add("clients", slow);
  distributor.add("clients", quick);
  distributor.distribute(messageOf({ uid: "u" }), undefined);
  assert.deepEqual(quick.got, ["u"]);
  assert.deepEqual(distributor.counts(), { sent: 1, dropped: 1, unrouted: 0 });
});

test("a connection that is gone gets nothing", () => {
  const gone = new Inbox();
  const distributor = new Distributor();
  distributor.add("clients", gone);
  distributor.remove("clients", gone);
  distributor.remove("nobody", gone);
  distributor.distribute(messageOf(), undefined);
  assert.deepEqual(gone.got, []);
});
