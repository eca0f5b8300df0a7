import assert from "node:assert/strict";
import { test } from "node:test";
import { MeshVersions } from "./mesh-versions.ts";

const MINUTE = 60_000;
const control = (versionMin: number, versionMax: number) => ({ versionMin, versionMax, contactUid: "" });

test("a mesh without contacts is sent version 1, and XML as soon as one contact sends XML", () => {
  const versions = new MeshVersions();
  assert.equal(versions.versionToSend(0), 1);
  versions.hear("a", 1, undefined, 0);
  assert.equal(versions.versionToSend(0), 1);
  versions.hear("b", 0, undefined, 0);
  assert.equal(versions.versionToSend(0), 0);
});

test("a contact that sends XML but says that it reads version 1 is sent version 1, for two minutes", () => {
  const versions = new MeshVersions();
  versions.hear("a", 0, control(1, 1), 0);
  assert.equal(versions.versionToSend(2 * MINUTE), 1);
  assert.equal(versions.versionToSend(2 * MINUTE + 1), 0);
});

test("a contact that reads only later versions is sent XML", () => {
  const versions = new MeshVersions();
  versions.hear("a", 1, control(2, 3), 0);
  assert.equal(versions.versionToSend(0), 0);
});

test("a contact that falls silent is forgotten, and so are the oldest of too many", () => {
  const versions = new MeshVersions();
  versions.hear("a", 0, undefined, 0);
  assert.equal(versions.versionToSend(5 * MINUTE), 0);
  assert.equal(versions.versionToSend(5 * MINUTE + 1), 1);
  for (let k = 0; k < 10_000; k++) versions.hear(`address ${k}`, 1, undefined, 6 * MINUTE);
  assert.equal(versions.contacts, 4096);
});
