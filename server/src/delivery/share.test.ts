/** Even shares, by rules alone: nodes that beat at their own moments, webhooks that always have work, and who takes what. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Share } from "./share.ts";

interface Webhook {
  gone: boolean;
}

class Node {
  readonly share = new Share<Webhook>();
  runs = new Set<Webhook>();
  given = 0;
}

/** Nodes around one heap of what nobody holds. */
class Cluster {
  readonly nodes: Node[] = [];
  /** webhooks nobody holds, and who gave them up */
  free: { by: Node | null }[];

  constructor(webhooks: number) {
    this.free = Array.from({ length: webhooks }, () => ({ by: null }));
  }

  join(): Node {
    const node = new Node();
    this.nodes.push(node);
    return node;
  }

  /** Takes as TAKE does: what was given up only with room, and never one's own. */
  take(node: Node, most: number): void {
    const room = node.share.room(node.runs.size);
    const webhooks = Math.min(most, room || most);
    const taken = this.free.filter(({ by }) => by === null || (room > 0 && by !== node)).slice(0, webhooks);
    for (const _ of taken) node.runs.add({ gone: false });
    this.free = this.free.filter((one) => !taken.includes(one));
  }

  beat(node: Node): void {
    const held = this.nodes.reduce((sum, { runs }) => sum + runs.size, 0) + this.free.filter(({ by }) => by).length;
    node.given += node.share.beat({ held, othersTaking: this.nodes.length - 1 }, node.runs);
    for (const run of [...node.runs].filter((one) => node.share.isYielded(one))) {
      node.runs.delete(run);
      this.free.push({ by: node });
    }
  }

  round(order: readonly number[]): void {
    for (const at of order) {
      const node = this.nodes[at];
      if (!node) continue;
      this.beat(node);
      for (const other of this.nodes) for (let n = 0; n < 3; n++) this.take(other, 64);
    }
  }

  get shares(): number[] {
    return this.nodes.map(({ runs }) => runs.size);
  }

  get given(): number {
    return this.nodes.reduce((sum, { given }) => sum + given, 0);
  }
}

describe("nodes with more work than they can do", () => {
  test("come to even shares within a few beats, whoever came first, and then nothing moves any more", () => {
    const anyCluster = fc.record({
      webhooks: fc.integer({ min: 1, max: 400 }),
      nodes: fc.integer({ min: 1, max: 6 }),
      seed: fc.array(fc.nat(5), { minLength: 12, maxLength: 12 }),
    });
    fc.assert(
      fc.property(anyCluster, ({ webhooks, nodes, seed }) => {
        const cluster = new Cluster(webhooks);
        const first = cluster.join();
        while (cluster.free.length > 0) cluster.take(first, 64);
        for (let n = 1; n < nodes; n++) cluster.join();
        const everybody = [...cluster.nodes.keys()];
        for (let round = 0; round < 4; round++) cluster.round([...seed.slice(round, round + 3), ...everybody]);
        const fair = webhooks / nodes;
        for (const share of cluster.shares) {
          expect(share).toBeLessThanOrEqual(Math.ceil(fair) * 1.1);
          expect(share).toBeGreaterThanOrEqual(Math.floor(fair * 0.8) - nodes);
        }
        const before = cluster.given;
        for (let round = 0; round < 4; round++) cluster.round(everybody);
        expect(cluster.given).toBe(before);
        expect(cluster.shares.reduce((sum, share) => sum + share, 0)).toBe(webhooks);
      }),
      { numRuns: 300 },
    );
  });

  test("give a node that joins late its share, and nothing more than that moves", () => {
    const cluster = new Cluster(90);
    for (let n = 0; n < 2; n++) cluster.join();
    for (let round = 0; round < 3; round++) cluster.round([0, 1]);
    expect(cluster.shares).toEqual([45, 45]);
    const before = cluster.given;
    cluster.join();
    for (let round = 0; round < 3; round++) cluster.round([0, 1, 2]);
    expect(cluster.shares).toEqual([30, 30, 30]);
    expect(cluster.given - before).toBe(30);
  });
});

describe("a node", () => {
  const runs = (count: number) => Array.from({ length: count }, () => ({ gone: false }));
  const vitals = (held: number, othersTaking: number) => ({ held, othersTaking });

  test("gives nothing up without others, within a tenth of its share, and of what it has just taken", () => {
    const held = runs(100);
    expect(new Share<Webhook>().beat(vitals(100, 0), held)).toBe(0);
    const share = new Share<Webhook>();
    expect(share.beat(vitals(100, 1), held)).toBe(0);
    expect(share.beat(vitals(184, 1), held)).toBe(0);
    const justTaken = [...held.slice(0, 10), ...runs(90)];
    expect(share.beat(vitals(100, 1), justTaken)).toBe(10);
    expect(share.beat(vitals(100, 1), justTaken)).toBe(40);
    expect(justTaken.filter((run) => share.isYielded(run))).toHaveLength(50);
    expect(share.room(50)).toBe(0);
    expect(share.room(45)).toBe(5);
  });

  test("has room for all that others give up before its first beat and while it is alone", () => {
    const share = new Share<Webhook>();
    expect(share.room(1_000)).toBeGreaterThan(0);
    share.beat(vitals(10, 0), []);
    expect(share.room(1_000)).toBeGreaterThan(0);
  });
});
